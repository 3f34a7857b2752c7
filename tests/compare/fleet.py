"""Comparisons made up from a rule that is known, so that what the statistics say can be held against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from dataengine.compare import grid, statistics
from dataengine.compare.grid import Grid
from dataengine.compare.resampling import Resampler
from dataengine.compare.tables import CELLS, PICKS, REPLICATES, Comparison, fill
from dataengine.config import CompareConfig, Config, LoopConfig
from dataengine.schema import Taxonomy
from dataengine.streams import Streams

TAXONOMY = Taxonomy(classes=("car", "cone"), tail_classes=("cone",))
FRAMES = (100.0, 200.0, 300.0, 400.0)
BOXES_PER_FRAME = 2.0
SECONDS_PER_FRAME = 20.0


def cells_table(
    values: Mapping[tuple[str, str, int], float],
    *,
    frames: tuple[float, ...] = FRAMES,
    slice_name: str = "tail",
    split: str = "test",
    metric: str = "ap50",
) -> pa.Table:
    """Cells of one figure from (trial, arm, cycle) -> value; boxes and seconds in proportion to frames."""
    keys = list(values)
    spent = np.array([frames[cycle] for _, _, cycle in keys])
    block = {
        "trial": [trial for trial, _, _ in keys],
        "arm": [arm for _, arm, _ in keys],
        "seed": [int(trial[1:]) for trial, _, _ in keys],
        "cycle": [cycle for _, _, cycle in keys],
        "frames": spent,
        "boxes": BOXES_PER_FRAME * spent,
        "seconds": SECONDS_PER_FRAME * spent,
        "split": split,
        "slice": slice_name,
        "metric": metric,
        "value": list(values.values()),
    }
    return fill(CELLS, [block])


def curves(**arms: list[list[float]]) -> dict[tuple[str, str, int], float]:
    """From arm -> one curve a trial; ``random_2`` stands for ``random@2``."""
    return {
        (f"s{trial}", arm.replace("_2", "@2"), cycle): value
        for arm, trials in arms.items()
        for trial, curve in enumerate(trials)
        for cycle, value in enumerate(curve)
    }


def compared(
    cells: pa.Table,
    replicates: pa.Table | None = None,
    picks: pa.Table | None = None,
    *,
    loop_cycles: int = 3,
    name: str | None = None,
    taxonomy: Taxonomy = TAXONOMY,
    forecasts: pa.Table | None = None,
    **changes: object,
) -> Comparison:
    """The analysis of some cells; ``changes`` go to the config's ``compare``."""
    settings = {"arms": ["auto"], "resamples": 400, "world_per_seed": True, **changes}
    config = Config(
        compare=CompareConfig(**settings),  # type: ignore[arg-type]
        loop=LoopConfig(cycles=loop_cycles),
    )
    return statistics.analyse(
        cells,
        REPLICATES.empty_table() if replicates is None else replicates,
        PICKS.empty_table() if picks is None else picks,
        config=config,
        taxonomy=taxonomy,
        forecasts=forecasts,
        name=name,
    )


def rows(comparison: Comparison, table: str, **wanted: object) -> list[dict]:
    """Rows of a table that hold these values."""
    found = comparison.table(table).to_pylist()
    return [row for row in found if all(row[name] == value for name, value in wanted.items())]


def row(comparison: Comparison, table: str, **wanted: object) -> dict:
    """The only row that holds these values."""
    (found,) = rows(comparison, table, **wanted)
    return found


@dataclass(frozen=True, kw_only=True)
class World:
    """Curves with a known gain: height of the trial + gain + luck of the fit + luck of the drives.

    Attributes:
        gain: What ``auto`` has over ``random`` from cycle 1 on.
        height: Spread of the trials' common height.
        fit: Spread of each cell.
        drives: Spread of each test set's say on an arm; its replicates spread as much.
        shared: All trials are judged on the same drives.
        num_trials: Trials.
        num_replicates: Replicates of each figure.
        curve: What ``random`` reaches at each cycle.
        arms: Names, and the share of the gain that each has.
    """

    gain: float = 0.0
    height: float = 0.1
    fit: float = 0.03
    drives: float = 0.02
    shared: bool = False
    num_trials: int = 5
    num_replicates: int = 60
    curve: tuple[float, ...] = (0.3, 0.4, 0.5)
    arms: Mapping[str, float] = field(default_factory=lambda: {"random": 0.0, "random@2": 0.0, "auto": 1.0})

    def prepared(self, seed: int) -> tuple[Grid, Resampler]:
        """What single tables are made from, for tests that draw many worlds."""
        cells, replicates = self.draw(np.random.default_rng(seed))
        resampler = Resampler(
            streams=Streams(0),
            resamples=300,
            num_replicates=self.num_replicates,
            shared=self.shared,
            confidence=0.95,
        )
        return grid.build(cells, replicates, baseline="random"), resampler

    def draw(self, rng: np.random.Generator) -> tuple[pa.Table, pa.Table]:
        """Cells and replicates of tail AP50 on ``test``."""
        values: dict[tuple[str, str, int], float] = {}
        draws = []
        luck = {arm: rng.normal(0, self.drives) for arm in self.arms}
        common = {arm: rng.normal(0, self.drives, self.num_replicates) for arm in self.arms}
        for trial in range(self.num_trials):
            height = rng.normal(0, self.height)
            if not self.shared:
                luck = {arm: rng.normal(0, self.drives) for arm in self.arms}
                common = {arm: rng.normal(0, self.drives, self.num_replicates) for arm in self.arms}
            start = rng.normal(0, self.fit)
            for arm, share in self.arms.items():
                for cycle, level in enumerate(self.curve):
                    gained = share * self.gain + luck[arm] + rng.normal(0, self.fit) if cycle else start
                    value = level + height + gained
                    values[f"s{trial}", arm, cycle] = value
                    draws.append(np.float32(value + (common[arm] if cycle else 0 * common[arm])))
        cells = cells_table(values)
        columns = {name: cells[name] for name in REPLICATES.names if name != "values"}
        lists = pa.array(draws, pa.list_(pa.float32()))
        replicates = pa.Table.from_arrays([*columns.values(), lists], schema=REPLICATES)
        return cells, replicates

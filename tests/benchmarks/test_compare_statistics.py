"""How long the statistics of a large comparison take."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa

from dataengine.compare import statistics
from dataengine.compare.tables import CELLS, PICKS, REPLICATES, fill
from dataengine.config import CompareConfig, Config
from dataengine.schema import Taxonomy

ARMS = ["random", "random@2", "oracle", *(f"m{number}" for number in range(17))]
CLASSES = tuple(f"c{number}" for number in range(18))
SLICES = ["all", "tail", *(f"class:{name}" for name in CLASSES)]
CONDITIONS = [f"weather:w{number}" for number in range(12)]
FRAMES = (150.0, 270.0, 390.0, 600.0)
METRICS = ("ap50", "map50_95", "misses_per_frame", "false_alarms_per_frame")


def large() -> tuple[pa.Table, pa.Table]:
    """20 arms x 5 seeds x 4 cycles x 3 splits; 200 replicates of 20 slices on two of them."""
    rng = np.random.default_rng(0)
    cells, replicates = [], []
    for number in range(5 * len(ARMS) * len(FRAMES)):
        trial, arm, cycle = np.unravel_index(number, (5, len(ARMS), len(FRAMES)))
        spent = FRAMES[cycle]
        head = {"trial": f"s{trial}", "arm": ARMS[arm], "seed": int(trial), "cycle": int(cycle)}
        head |= {"frames": spent, "boxes": 3 * spent, "seconds": 30 * spent}
        for split in ("val", "test", "test_balanced"):
            figures = [(part, metric) for metric in METRICS for part in [*SLICES, *CONDITIONS]]
            values = 0.3 + 0.1 * cycle + rng.normal(0, 0.03, len(figures))
            names = {"split": split, "slice": [f[0] for f in figures], "metric": [f[1] for f in figures]}
            cells.append({**head, **names, "value": values})
            if split != "val":
                drawn = [(part, metric) for metric in METRICS[:2] for part in SLICES]
                names = {"split": split, "slice": [f[0] for f in drawn], "metric": [f[1] for f in drawn]}
                lists = (0.3 + 0.1 * cycle + rng.normal(0, 0.03, (len(drawn), 200))).astype(np.float32)
                replicates.append({**head, **names, "values": list(lists)})
    return fill(CELLS, cells), fill(REPLICATES, replicates)


def test_statistics_of_a_large_comparison_take_seconds() -> None:
    cells, replicates = large()
    config = Config(compare=CompareConfig(arms=ARMS[2:], resamples=2000, world_per_seed=True))
    began = time.perf_counter()
    found = statistics.analyse(
        cells,
        replicates,
        PICKS.empty_table(),
        config=config,
        taxonomy=Taxonomy(classes=CLASSES, tail_classes=CLASSES[-2:]),
    )
    took = time.perf_counter() - began
    print(f"{cells.num_rows} cells, {replicates.num_rows} x 200 replicates: {took:.1f} s")
    assert len(found.arms) == len(ARMS)
    assert took < 20

"""The analysis as a whole: order, gaps, notes."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from dataengine.compare.tables import FORECASTS, REPLICATES, SCHEMAS
from tests.compare.fleet import World, cells_table, compared, curves, row

BASE = [[0.2, 0.3, 0.4]] * 5


def plain(comparison: object) -> str:
    tables = {name: table.to_pylist() for name, table in comparison.tables.items()}
    return repr((comparison.headline, comparison.notes, comparison.arms, tables))


def test_the_order_of_the_rows_does_not_matter() -> None:
    cells, replicates = World(gain=0.05).draw(np.random.default_rng(0))
    rng = np.random.default_rng(1)
    shuffled = [table.take(pa.array(rng.permutation(table.num_rows))) for table in (cells, replicates)]
    assert plain(compared(cells, replicates)) == plain(compared(*shuffled))


def test_every_table_keeps_its_schema() -> None:
    found = compared(*World(gain=0.05).draw(np.random.default_rng(0)))
    for name, table in found.tables.items():
        assert table.schema == SCHEMAS[name]


def test_arms_stand_in_the_order_of_the_config_with_the_baseline_first() -> None:
    values = curves(random=BASE, random_2=BASE, zeal=BASE, auto=BASE, started=[[0.2]])
    found = compared(cells_table(values), arms=["zeal", "auto", "never"])
    assert found.arms == ("random", "zeal", "auto", "random@2")
    assert found.trials == ("s0", "s1", "s2", "s3", "s4")


def test_trials_are_numbers() -> None:
    values = {(f"s{n}", arm, c): 0.1 for n in (10, 2) for arm in ("random", "auto") for c in (0, 1)}
    assert compared(cells_table(values)).trials == ("s2", "s10")


def test_replicates_widen_what_seeds_alone_would_say() -> None:
    values = curves(random=BASE, auto=[[0.2, 0.4, 0.5 + 0.001 * n] for n in range(5)])
    cells = cells_table(values)
    rng = np.random.default_rng(0)
    lists = pa.array([rng.normal(v, 0.05, 50).astype(np.float32) for v in values.values()])
    columns = [cells[name] for name in REPLICATES.names[:-1]]
    replicates = pa.Table.from_arrays([*columns, lists.cast(REPLICATES.types[-1])], schema=REPLICATES)
    found = [
        row(c, "differences", arm="auto", cycle=2) for c in (compared(cells), compared(cells, replicates))
    ]
    alone, with_drives = (one["upper"] - one["lower"] for one in found)
    assert with_drives > 3 * alone


def test_arms_of_some_cells_without_replicates() -> None:
    cells, replicates = World(gain=0.05).draw(np.random.default_rng(0))
    some = replicates.filter(pa.array([arm != "auto" for arm in replicates["arm"].to_pylist()]))
    found = row(compared(cells, some), "differences", arm="auto", cycle=2)
    assert found["lower"] < found["value"] < found["upper"]


def test_a_cell_given_twice_counts_once() -> None:
    cells = cells_table(curves(random=BASE, auto=BASE))
    assert plain(compared(pa.concat_tables([cells, cells]))).count("num_seeds': 10") == 0
    twice = row(compared(pa.concat_tables([cells, cells])), "curves", arm="auto", cycle=2)
    assert twice["num_seeds"] == 5


def test_nothing_at_all() -> None:
    found = compared(cells_table({}))
    assert found.arms == found.trials == ()
    assert all(table.num_rows == 0 for table in found.tables.values())
    assert "planned cells are missing" in " ".join(found.notes)


def test_notes_say_what_is_missing() -> None:
    values = curves(random=BASE, random_2=BASE, auto=[*BASE[:3], [0.2, 0.3]])
    values["s0", "random", 1] = values["s0", "auto", 1] = math.nan
    notes = " ".join(compared(cells_table(values)).notes)
    assert "4 planned cells are missing: auto s3 cycle 2, auto s4 cycle 0" in notes
    assert "auto has 4 of the 5 seeds that a claim takes." in notes
    assert "auto ran 2 to 3 cycles, by seed" in notes
    assert "No object to measure on, in some seeds at least: tail of test." in notes
    assert "no replicates of the drives" in notes


def test_a_complete_comparison_has_nothing_missing() -> None:
    cells, replicates = World(gain=0.1).draw(np.random.default_rng(0))
    for shared in (True, False):
        notes = " ".join(compared(cells, replicates, world_per_seed=not shared).notes)
        assert "missing" not in notes
        assert "seeds that a claim takes" not in notes
        assert ("judged on the same drives" in notes) == shared
        assert "Noise: random@2 against random is " in notes


def test_the_other_arms_are_in_the_notes() -> None:
    world = World(arms={"random": 0, "random@2": 0, "auto": 1, "worse": -1}, gain=0.15)
    found = compared(*world.draw(np.random.default_rng(0)), arms=["auto", "worse"])
    assert found.headline.startswith("auto saved")
    assert any(note.startswith("random won: worse lost") for note in found.notes)


def test_a_ceiling_of_one_seed_is_told_to_be_one() -> None:
    values = curves(random=BASE, random_2=BASE, auto=BASE, all_labels=[[0.2, 0.9]])
    notes = compared(cells_table(values), arms=["auto", "all_labels"]).notes
    assert "all_labels ran in 1 of 5 seeds: 95% of it is told of those alone." in notes
    assert not any("missing" in note and "all_labels" in note for note in compared(cells_table(values)).notes)


def test_the_second_draw_is_planned_as_far_as_the_baseline() -> None:
    values = curves(random=[[0.2, 0.3, 0.4, 0.5]] * 5, random_2=BASE, auto=BASE)
    notes = " ".join(compared(cells_table(values), baseline_cycles=4).notes)
    assert "5 planned cells are missing: random@2 s0 cycle 3" in notes


def test_forecasts_are_passed_on_and_scored() -> None:
    base = {"trial": "s0", "arm": "auto", "cycle": 0, "split": "test", "slice": "tail", "metric": "ap50"}
    rows = [
        {**base, "frames": 1.0, "value": 0.5, "lower": 0.4, "upper": 0.6, "outcome": outcome}
        for outcome in (0.45, 0.55, 0.7, math.nan)
    ]
    forecasts = pa.Table.from_pylist(rows, FORECASTS)
    found = compared(cells_table(curves(random=BASE, auto=BASE)), forecasts=forecasts)
    assert found.table("forecasts").num_rows == 4
    assert "Forecasts: the 90% intervals held 67% of 3 outcomes." in found.notes


@pytest.mark.parametrize("name", [None, "compare_sim"])
def test_name(name: str | None) -> None:
    assert compared(cells_table({}), name=name).name == (name or "simulated")

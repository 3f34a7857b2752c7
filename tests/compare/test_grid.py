"""Cells as dense arrays."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from dataengine.compare import grid
from dataengine.compare.grid import Figure
from dataengine.compare.tables import REPLICATES
from tests.compare.fleet import cells_table, curves

VALUES = curves(random=[[0.1, 0.2], [0.3, 0.4]], auto=[[0.1, 0.5]])
TAIL = {"split": "test", "slice": "tail", "metric": "ap50"}


def replicate(trial: str, arm: str, cycle: int, values: list[float], **changes: str) -> dict[str, object]:
    return {"trial": trial, "arm": arm, "seed": 0, "cycle": cycle, **TAIL, **changes, "values": values}


def build(*rows: dict[str, object], cells: pa.Table | None = None) -> grid.Grid:
    table = cells_table(VALUES) if cells is None else cells
    return grid.build(table, pa.Table.from_pylist(list(rows), REPLICATES), baseline="random")


def test_places() -> None:
    found = build()
    assert (found.trials, found.arms, found.figures) == (
        ("s0", "s1"),
        ("random", "auto"),
        (Figure("test", "tail", "ap50"),),
    )
    np.testing.assert_array_equal(
        found.values[..., 0], [[[0.1, 0.2], [0.1, 0.5]], [[0.3, 0.4], [np.nan, np.nan]]]
    )
    np.testing.assert_array_equal(found.costs[0, 1], [[100, 200, 2000], [200, 400, 4000]])
    assert np.isnan(found.costs[1, 1]).all()


def test_figures_with_replicates_come_first() -> None:
    cells = pa.concat_tables([cells_table(VALUES, slice_name="all"), cells_table(VALUES)])
    found = build(replicate("s0", "auto", 1, [0.4, 0.6]), cells=cells)
    assert [figure.slice for figure in found.figures] == ["tail", "all"]
    assert found.replicates.shape == (2, 2, 2, 2, 1)
    np.testing.assert_allclose(found.replicates[0, 1, 1, :, 0], [0.4, 0.6], rtol=1e-6)
    assert np.isnan(found.replicates).sum() == found.replicates.size - 2
    both = found.replicates_of(1, np.array([1, 0]))
    assert np.isnan(both[..., 0]).all()
    np.testing.assert_array_equal(both[..., 1], found.replicates[:, 1, ..., 0])


def test_of_more_replicates_the_first_are_kept_and_none_is_none() -> None:
    found = build(
        replicate("s0", "auto", 1, [0.4, 0.6, 0.8]),
        replicate("s0", "random", 1, [0.1, 0.2]),
        replicate("s1", "random", 1, []),
    )
    np.testing.assert_allclose(found.replicates[0, :, 1, :, 0], [[0.1, 0.2], [0.4, 0.6]], rtol=1e-6)
    assert np.isnan(found.replicates[1]).all()


def test_replicates_of_what_is_no_cell_are_left_out() -> None:
    rows = [
        replicate("s9", "auto", 1, [0.1]),
        replicate("s0", "zeal", 1, [0.1]),
        replicate("s0", "auto", 7, [0.1]),
        replicate("s0", "auto", 1, [0.1], slice="class:cone"),
    ]
    assert np.isnan(build(*rows).replicates).all()


def test_arms_by_kind() -> None:
    names = ["random", "random@2", "random+pseudo", "all_labels", "oracle", "auto"]
    cells = cells_table({("s0", name, cycle): 0.1 for name in names for cycle in (0, 1)})
    found = build(cells=cells)
    assert [found.arms[number] for number in found.noise_arms] == ["random@2"]
    assert {found.arms[number] for number in found.payers} == {*names} - {"random", "all_labels"}
    assert found.arm("auto") is not None
    assert found.arm("never") is None

"""Areas under budget curves, by hand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine.compare import areas, grid
from dataengine.compare.tables import REPLICATES
from tests.compare.fleet import cells_table, compared, curves, row

NAN = float("nan")


@pytest.mark.parametrize(
    ("costs", "low", "high", "expected"),
    [
        ([100, 200, 300], 100, 300, [0.25, 0.5, 0.25]),  # the trapezoid rule
        ([100, 200, 400], 100, 400, [1 / 6, 1 / 2, 1 / 3]),
        ([100, 200, 300], 100, 200, [0.5, 0.5, 0.0]),  # what lies beyond does not count
        ([100, 300], 100, 200, [0.75, 0.25]),  # half of the way: mean of v0 and (v0 + v1) / 2
        ([100, NAN, 300], 100, 300, [0.5, 0.0, 0.5]),  # a cycle that was not run is bridged
        ([100, 200, 200], 100, 200, [0.5, 0.0, 0.5]),  # a batch that cost nothing: the curve jumps
    ],
)
def test_weights(costs: list[float], low: float, high: float, expected: list[float]) -> None:
    np.testing.assert_allclose(areas.weights(np.array(costs), low, high), expected, atol=1e-12)


@settings(deadline=None)
@given(
    st.lists(st.floats(1, 100), min_size=2, max_size=6),
    st.floats(0, 1),
    st.floats(0.01, 1),
)
def test_weights_are_shares_and_a_flat_curve_keeps_its_height(
    steps: list[float], begin: float, length: float
) -> None:
    costs = np.cumsum(steps)
    low = costs[0] + begin * 0.9 * (costs[-1] - costs[0])
    high = min(costs[-1], low + length * (costs[-1] - low))
    found = areas.weights(costs, low, high)
    assert (found >= -1e-12).all()
    assert found.sum() == pytest.approx(1)
    assert found @ costs == pytest.approx((low + high) / 2)  # a straight line is its middle


def test_common_range() -> None:
    assert areas.common_range([np.array([100, 200, NAN]), np.array([100, 150, 300])]) == (100, 200)
    assert areas.common_range([np.array([100, NAN]), np.array([100, 200])]) is None
    assert areas.common_range([np.array([NAN, NAN]), np.array([100, 200])]) is None


def test_only_what_both_reached_is_compared() -> None:
    """The baseline goes on to a third batch; over the first two the arm is 0.1 higher at each end."""
    cells = cells_table(curves(random=[[0.2, 0.3, 0.4, 0.9]], auto=[[0.2, 0.4, 0.5]]))
    found = grid.build(cells, REPLICATES.empty_table(), baseline="random")
    gap, _ = areas.gaps(found, found.arms.index("auto"), 0)
    assert gap[0, 0] == pytest.approx(0.25 * 0 + 0.5 * 0.1 + 0.25 * 0.1)


def test_dear_frames_are_told_apart_by_the_axes() -> None:
    """Twice the boxes a frame: on frames the arm gains, on boxes it is the baseline, drawn longer."""
    base = cells_table(curves(random=[[0.2, 0.3, 0.4]]))
    arm = cells_table(curves(auto=[[0.2, 0.4, 0.6]]))
    boxes = pa.array(
        [200.0, 600.0, 1000.0]
    )  # from 200 on, twice as many a frame as the baseline's 200 a batch
    arm = arm.set_column(arm.column_names.index("boxes"), "boxes", boxes)
    cells = pa.concat_tables([base, arm])
    found = compared(cells)
    areas_of = {
        axis: row(found, "differences", arm="auto", metric=f"ap50:area_{axis}")["value"]
        for axis in ("frames", "boxes")
    }
    assert areas_of["frames"] == pytest.approx(0.5 * 0.1 + 0.25 * 0.2)
    assert areas_of["boxes"] == pytest.approx(0)


def test_replicates_of_an_area_are_areas_of_replicates() -> None:
    values = curves(random=[[0.2, 0.3]], auto=[[0.2, 0.5]])
    cells = cells_table(values)
    draws = {"random": np.array([[0.2, 0.2], [0.3, 0.4]]), "auto": np.array([[0.2, 0.2], [0.5, 0.8]])}
    lists = [draws[arm][cycle].astype(np.float32) for _, arm, cycle in values]
    columns = [cells[name] for name in REPLICATES.names[:-1]]
    replicates = pa.Table.from_arrays([*columns, pa.array(lists, pa.list_(pa.float32()))], schema=REPLICATES)
    found = grid.build(cells, replicates, baseline="random")
    _, spread = areas.gaps(found, found.arms.index("auto"), 0)
    np.testing.assert_allclose(spread[0, :, 0], [0.1, 0.2], rtol=1e-5)

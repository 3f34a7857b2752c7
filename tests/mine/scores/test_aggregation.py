"""From boxes to frames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataengine.mine.scores.aggregation import MEAN_OF, per_frame, rarity_weights


def test_aggregates_by_hand() -> None:
    """Two boxes, none, one; they need not stand in the order of their frames."""
    values, frame = np.array([0.4, 0.2, 0.6]), np.array([2, 0, 0])
    for aggregate, wanted in (("max", [0.6, 0, 0.4]), ("mean", [0.4, 0, 0.4]), ("sum", [0.8, 0, 0.4])):
        np.testing.assert_allclose(per_frame(values, frame, 3, aggregate), wanted)


def test_the_mean_is_of_the_highest() -> None:
    values = np.array([0.5] * MEAN_OF + [0.1] * 50)
    assert per_frame(values, np.zeros(len(values), np.int64), 1, "mean")[0] == pytest.approx(0.5)


def test_no_frames_and_no_boxes() -> None:
    nothing = np.zeros(0)
    for aggregate in ("max", "mean", "sum"):
        assert per_frame(nothing, nothing.astype(np.int64), 0, aggregate).shape == (0,)
        np.testing.assert_array_equal(per_frame(nothing, nothing.astype(np.int64), 2, aggregate), [0, 0])


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3)), max_size=40),
    st.sampled_from(["max", "mean", "sum"]),
)
def test_the_order_of_the_boxes_is_nothing(rows: list[tuple[float, int]], aggregate: str) -> None:
    values, frame = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], np.int64)
    mixed = np.random.default_rng(0).permutation(len(rows))
    found = per_frame(values, frame, 4, aggregate)
    np.testing.assert_allclose(per_frame(values[mixed], frame[mixed], 4, aggregate), found, atol=1e-12)
    highest = [max([v for v, f in rows if f == number], default=0.0) for number in range(4)]
    if aggregate == "sum":
        assert (found >= np.array(highest) - 1e-12).all()
    else:
        assert (found <= np.array(highest) + 1e-12).all()


def test_weights_of_brust_by_hand() -> None:
    """(62 + 3) / (n + 1): what is labelled twenty times less weighs about fourteen times more."""
    np.testing.assert_allclose(rarity_weights([40, 20, 2]), [65 / 41, 65 / 21, 65 / 3])
    np.testing.assert_allclose(rarity_weights([0, 0]), [2, 2])
    np.testing.assert_allclose(rarity_weights([5, 0]), [7 / 6, 7])

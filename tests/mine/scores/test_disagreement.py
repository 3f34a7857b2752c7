"""Two moments of one training."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataengine.mine.scores.disagreement import SNAPSHOT, box_disagreement, mutual_information
from tests.mine.pools import pick, picked
from tests.mine.scores.looks import FAR, HERE, RIGHT, look, opinion, pool_of, task_of

CAR, LESS, SURE = (0.9, 0.0, 0.0), (0.5, 0.0, 0.0), (1.0, 0.0, 0.0)


def test_information_by_hand() -> None:
    def bits(p: list[float], q: list[float]) -> float:
        return float(mutual_information(np.array([p]), np.array([q]))[0])

    assert bits([1.0, 0.3], [0.0, 0.3]) == pytest.approx(1)
    assert bits([0.7, 0.1], [0.7, 0.1]) == pytest.approx(0)
    assert bits([0.5], [0.0]) == pytest.approx(0.8113 - 0.5, abs=1e-4)  # h2(1/4) - h2(1/2) / 2
    assert mutual_information(np.zeros((0, 3)), np.zeros((0, 3))).shape == (0,)


@given(st.floats(0, 1), st.floats(0, 1))
def test_information_is_bounded_and_symmetric(p: float, q: float) -> None:
    one, other = np.array([[p]]), np.array([[q]])
    bits = mutual_information(one, other)[0]
    assert -1e-12 <= bits <= 1 + 1e-12
    assert bits == pytest.approx(mutual_information(other, one)[0])


def test_boxes_that_one_model_alone_reports_count() -> None:
    """A box that stays, one that the earlier model had not, and one that it alone had."""
    final = opinion([(HERE, SURE)], [(HERE, SURE)], [])
    earlier = opinion([(RIGHT, SURE)], [], [(FAR, SURE)])
    values, frame, kind = box_disagreement(final, earlier)
    np.testing.assert_allclose(values, [0, 1, 1])
    assert frame.tolist() == [0, 1, 2]
    assert kind.tolist() == [0, 0, 0]


def test_frames_by_falling_disagreement() -> None:
    final = look([(HERE, CAR)], [(HERE, CAR)], [(HERE, CAR)], [])
    earlier = look([(HERE, CAR)], [], [(HERE, LESS)], [])
    pool = pool_of(final, snapshot=earlier)
    assert picked(pick(pool, "snapshot", 4)) == ["c1/0", "c2/0", "c0/0", "c3/0"]
    found = SNAPSHOT.compute(task_of(pool, aggregate="sum"))
    assert found.values[[0, 3]].tolist() == [0, 0]
    assert found.reason(1).startswith("sum disagreement 0.")
    assert found.reason(1).endswith("bits with an earlier model on 1 boxes")


def test_classes_that_are_labelled_little_count_for_more() -> None:
    """40 cars and 2 cyclists are labelled: of two boxes that vanish, the cyclist's counts for more."""
    nothing = look([], [])
    pool = pool_of(look([(HERE, SURE)], [(HERE, (0.0, 0.0, 1.0))]), snapshot=nothing)
    assert SNAPSHOT.compute(task_of(pool)).values.tolist() == [1, 1]
    weighted = SNAPSHOT.compute(task_of(pool, class_weighted=True))
    np.testing.assert_allclose(weighted.values, [65 / 41, 65 / 3])
    assert weighted.reason(1) == "mean weighted disagreement 21.667 bits with an earlier model on 1 boxes"

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine import boxes
from dataengine.mine.tracking.association import cheapest_first, pair_iou, pairs_within

groups = st.lists(st.integers(0, 3), max_size=8).map(sorted)
costs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 4)), max_size=25)


@settings(deadline=None)
@given(groups, groups)
def test_all_pairs_of_a_group_and_no_others(first: list[int], second: list[int]) -> None:
    left, right = pairs_within(np.array(first, np.int64), np.array(second, np.int64))
    found = list(zip(left.tolist(), right.tolist(), strict=True))
    assert found == [(i, j) for i, a in enumerate(first) for j, b in enumerate(second) if a == b]


def one_by_one(pairs: list[tuple[int, int, int]]) -> list[int]:
    """The plain way: pairs by rising cost, each taken if both ends are free."""
    ends: tuple[set[int], set[int]] = (set(), set())
    taken = []
    for number in sorted(range(len(pairs)), key=lambda i: (pairs[i][2], pairs[i][0], pairs[i][1])):
        first, second, _ = pairs[number]
        if first not in ends[0] and second not in ends[1]:
            ends[0].add(first)
            ends[1].add(second)
            taken.append(number)
    return sorted(taken)


@settings(deadline=None)
@given(costs)
def test_rounds_take_what_going_by_rising_cost_takes(pairs: list[tuple[int, int, int]]) -> None:
    unique = list({pair[:2]: pair for pair in pairs}.values())
    first, second, cost = (np.array([pair[i] for pair in unique], np.int64) for i in range(3))
    assert cheapest_first(first, second, cost.astype(np.float64)).tolist() == one_by_one(unique)


def test_the_cheapest_pair_is_taken_and_not_the_dearest() -> None:
    first, second = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert cheapest_first(first, second, np.array([1.0, 3.0, 4.0, 2.0])).tolist() == [0, 3]
    assert cheapest_first(first, second, np.array([4.0, 2.0, 1.0, 3.0])).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ([0, 0, 10, 10], [0, 0, 10, 10], "the same"),
        ([0, 0, 10, 10], [5, 0, 15, 10], "a third"),
        ([0, 0, 10, 10], [10, 0, 20, 10], "side by side"),
        ([0, 0, 0, 0], [0, 0, 0, 0], "no area"),
    ],
)
def test_overlap_is_that_of_the_box_maths(one: list[float], other: list[float], why: str) -> None:
    ours = pair_iou(np.array([one], np.float64), np.array([other], np.float64))
    assert ours == pytest.approx(boxes.pair_iou([one], [other])), why

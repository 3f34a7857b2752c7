"""k-medoids."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dataengine.mine.peers.medoids import medoids


def apart(*places: float) -> np.ndarray:
    """Distances of places on a line."""
    line = np.array(places)
    return np.abs(line[:, None] - line)


def test_the_middles_of_two_groups() -> None:
    distances = apart(0, 1, 2, 100, 101, 103)
    for seed in range(6):
        assert sorted(medoids(distances, 2, np.random.default_rng(seed)).tolist()) == [1, 4]


def test_one_medoid_has_the_least_sum() -> None:
    assert medoids(apart(0, 4, 5, 6, 50), 1, np.random.default_rng(0)).tolist() == [2]


def test_all_and_none() -> None:
    distances = apart(3, 1, 2)
    assert sorted(medoids(distances, 3, np.random.default_rng(0)).tolist()) == [0, 1, 2]
    assert medoids(distances, 0, np.random.default_rng(0)).tolist() == []


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.data())
def test_they_are_different_even_among_twins(places: list[int], data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(places)))
    seed = data.draw(st.integers(0, 9))
    found = medoids(apart(*places), number, np.random.default_rng(seed))
    assert len(set(found.tolist())) == number
    np.testing.assert_array_equal(found, medoids(apart(*places), number, np.random.default_rng(seed)))

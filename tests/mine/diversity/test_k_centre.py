"""Score-weighted k-centre."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.config import MineConfig
from dataengine.mine.candidates import Candidates
from dataengine.mine.diversity.k_centre import KCentre
from dataengine.mine.strategy import Task
from tests.mine.pools import by_hand, pick, picked, synthetic


def start(embeddings: object, labelled: object, shortlist: list[int], picks: list[int]) -> KCentre:
    pool = by_hand(
        [(f"c{i}/0", []) for i in range(len(embeddings))],  # type: ignore[arg-type]
        embeddings=embeddings,
        labelled=labelled,
    )
    task = Task(candidates=Candidates(pool, 0.05), config=MineConfig(), rng=np.random.default_rng(0))
    return KCentre(task, np.array(shortlist), picks, 1)


def test_distances_by_hand() -> None:
    """Labelled (1, 0); the pick (0, 1) was not on the shortlist."""
    vectors = [[3, 0], [0, 5], [-1, 0], [1, 1]]
    found = start(vectors, [[1, 0]], [0, 2, 3], [])
    np.testing.assert_allclose(found.gains(np.array([0, 2, 3])), [0, 2, 1 - 0.5**0.5], atol=1e-6)
    found.add(1)
    np.testing.assert_allclose(found.gains(np.array([3, 2])[::-1]), [1, 1 - 0.5**0.5], atol=1e-6)
    again = start(vectors, [[1, 0]], [0, 2, 3], [1])
    np.testing.assert_allclose(again.gains(np.array([2])), [1], atol=1e-6)


def test_while_nothing_is_labelled_all_are_as_far_as_can_be() -> None:
    assert start([[1, 0], [0, 1]], np.zeros((0, 2)), [0, 1], []).gains(np.arange(2)).tolist() == [2, 2]


def test_a_broken_embedding_adds_nothing() -> None:
    found = start([[np.nan, 1], [0, 0], [0, 1]], [[1, 0]], [0, 1, 2], [])
    assert found.gains(np.arange(3)) == pytest.approx([0, 0, 1])


def test_without_a_score_it_is_coverage() -> None:
    pool = synthetic()
    assert picked(pick(pool, "none__k_centre", 20)) == picked(pick(pool, "coverage", 20))


def test_a_high_score_outweighs_a_distance_and_the_other_way_round() -> None:
    """Products of hardness, scaled to 0..1, and distance: c is unsure and near, d surer and far, e sure."""
    vectors = [[1, 0.3], [-1, 0], [-1, 0.5], [0, 1], [1, 0]]
    frames = [
        ("c/0", [[0.5, 0, 0]]),
        ("d/0", [[0.8, 0, 0]]),
        ("e/0", [[1.0, 0, 0]]),
        ("f/0", [[0.99, 0, 0]]),
        ("g/0", [[0.5, 0, 0]]),
    ]
    pool = by_hand(frames, embeddings=vectors, labelled=[[1, 0]])
    assert picked(pick(pool, "hardness__k_centre", 3)) == ["d/0", "f/0", "c/0"]

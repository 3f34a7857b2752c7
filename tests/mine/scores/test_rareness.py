"""Frames and objects of which little like them is labelled."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine import mine
from dataengine.mine.scores.rareness import UNLIKE_ALL, in_usual
from tests.mine.errors_model.judged import CAR, CYCLIST, known, pool_of, with_vectors
from tests.mine.pools import by_hand, pick, picked, synthetic

RNG = np.random.default_rng(0)


def test_the_frame_farthest_from_labelled_ones_comes_first() -> None:
    vectors = [[0.0], [1.0], [9.0], [3.0]]
    pool = by_hand(
        [(f"{name}/0", []) for name in "abcd"], embeddings=vectors, labelled=[[0], [0.5], [1], [1.5]]
    )
    selection = pick(pool, "rare_frames", 4)
    assert picked(selection)[:2] == ["c/0", "d/0"]
    assert (
        selection["reason"][0]
        .as_py()
        .endswith("times as far from labelled frames as they are from one another")
    )


def labelled_objects() -> mine.Known:
    """Forty cars that look like (1, 0, 0) and six cyclists like (0, 1, 0), all found; one box is wrong."""
    frames = [
        (
            f"l{i:02d}/0",
            [(0, CAR, 0.9), (1, CYCLIST, 0.8)][: 2 if i < 6 else 1],
            [(0, CAR), (1, CYCLIST)][: 2 if i < 6 else 1],
        )
        for i in range(40)
    ]
    judged = known([*frames, ("lz/0", [(0, CAR, 0.1)], [])])
    own = judged.predictions.boxes.class_id
    return with_vectors(
        judged, features=np.eye(3)[np.where(own == CYCLIST, 1, 0)] + RNG.normal(0, 0.1, (47, 3))
    )


def objects(features: list[list[float]], scores: list[float]) -> mine.Pool:
    """A pool of cars, one a frame: a/0, b/0, ..."""
    judged = known([(f"{'abcdefgh'[i]}/0", [(0, CAR, score)], []) for i, score in enumerate(scores)])
    labelled = labelled_objects()
    return pool_of(with_vectors(judged, features=np.array(features)), labelled=labelled, val=labelled)


USUAL = [[1.0, 0.0, 0.0], [1.1, 0.0, 0.0], [0.9, 0.1, 0.0], [1.0, -0.1, 0.1]]


def test_the_object_least_like_labelled_ones_comes_first() -> None:
    pool = objects([*USUAL, [0.0, 0.0, 3.0]], [0.9] * 5)
    selection = pick(pool, "rare_objects", 5)
    assert picked(selection)[0] == "e/0"
    assert selection["score"][0].as_py() > 1.5 * selection["score"][1].as_py()
    assert selection["reason"][0].as_py().startswith("a car (chance ")


def test_what_is_rare_must_be_plausible() -> None:
    """Garbage is rare too: a box that is hardly ever right does not count."""
    pool = objects([*USUAL, [0.0, 0.0, 3.0]], [0.9] * 4 + [0.08])
    selection = pick(pool, "rare_objects", 5)
    assert picked(selection)[-1] == "e/0"
    assert selection["reason"][4].as_py().startswith("no plausible object")


def test_without_box_features_it_goes_by_frames() -> None:
    pool = by_hand(
        [("a/0", [[0.9, 0, 0]]), ("b/0", [[0.9, 0, 0]])],
        embeddings=[[0, 0], [7, 7]],
        labelled=[[0, 0], [0, 1]],
    )
    assert picked(pick(pool, "rare_objects", 2)) == picked(pick(pool, "rare_frames", 2)) == ["b/0", "a/0"]


@pytest.mark.parametrize("arm", ["rare_frames", "rare_objects"])
def test_what_it_takes_is_rarer_than_what_it_leaves(arm: str) -> None:
    pool = synthetic()
    ranked = pick(pool, arm, 60, max_per_clip=0, bits=-1)["score"].to_numpy()
    assert (np.diff(ranked) <= 0).all()
    assert ranked[0] > 1.2 * ranked[-1]


def test_multiples_of_the_usual_distance() -> None:
    found = in_usual(np.array([0.0, 2.0, 1e9, np.inf]), 2.0)
    assert found.tolist() == [0, 1, UNLIKE_ALL, UNLIKE_ALL]
    assert in_usual(np.array([2.0]), float("nan")).tolist() == [2]
    assert in_usual(np.array([2.0]), 0.0).tolist() == [2]

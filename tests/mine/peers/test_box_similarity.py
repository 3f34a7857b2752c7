"""Distances between frames by their boxes."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.mine.peers import box_similarity
from dataengine.mine.peers.box_similarity import FARTHEST, frame_distances
from tests.mine.pools import synthetic
from tests.mine.scores.looks import FAR, HERE, look

CAR, LESS, BIKE = (0.8, 0.0, 0.0), (0.2, 0.0, 0.0), (0.0, 0.0, 0.8)


def test_distances_by_hand() -> None:
    """A car at 0 and one at 90 degrees; a car at 0; a cyclist; nothing."""
    predictions = look(
        [(HERE, CAR), (FAR, LESS)],
        [(HERE, CAR)],
        [(HERE, BIKE)],
        [],
        features=[[1, 0], [0, 1], [3, 0], [1, 0]],
    )
    found = frame_distances(predictions.boxes, predictions.features, np.arange(4))
    there = (0.8 * 0 + 0.2 * 1) / 1.0
    expected = [
        [0, there / 2, FARTHEST, FARTHEST / 2],
        [there / 2, 0, FARTHEST, FARTHEST / 2],
        [FARTHEST, FARTHEST, 0, FARTHEST / 2],
        [FARTHEST / 2] * 3 + [0],
    ]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_some_of_the_frames_in_any_order() -> None:
    predictions = synthetic().predictions
    assert predictions is not None
    whole = frame_distances(predictions.boxes, predictions.features, np.arange(60))
    some = np.array([7, 3, 59])
    np.testing.assert_allclose(
        frame_distances(predictions.boxes, predictions.features, some), whole[np.ix_(some, some)], atol=1e-6
    )
    np.testing.assert_array_equal(whole, whole.T)
    assert (whole >= 0).all()
    assert (whole <= FARTHEST + 1e-5).all()


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    predictions = synthetic().predictions
    assert predictions is not None
    frames = np.arange(60)
    whole = frame_distances(predictions.boxes, predictions.features, frames)
    monkeypatch.setattr(box_similarity, "CELLS_PER_BLOCK", 100)
    np.testing.assert_allclose(
        frame_distances(predictions.boxes, predictions.features, frames), whole, atol=1e-5
    )


def test_nothing_to_compare() -> None:
    predictions = look([], [])
    np.testing.assert_array_equal(
        frame_distances(predictions.boxes, predictions.features, np.arange(2)), np.zeros((2, 2))
    )
    assert frame_distances(predictions.boxes, predictions.features, np.arange(0)).shape == (0, 0)

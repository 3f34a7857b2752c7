"""BADGE: gradients in factors, against gradients written out."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.config import MineConfig
from dataengine.mine.candidates import Candidates
from dataengine.mine.diversity import badge
from dataengine.mine.diversity.badge import Badge, gradients
from dataengine.mine.strategy import Task
from tests.mine.pools import by_hand, pick, picked, synthetic


def written_out(candidates: Candidates) -> np.ndarray:
    """``[N, K * E]`` gradients, one frame and one box after the other."""
    predictions = candidates.predictions
    rows = []
    for frame in range(len(candidates)):
        total = np.zeros((predictions.class_scores.shape[1], predictions.features.shape[1]))
        for box in range(*predictions.boxes.rows(frame).indices(10**9)[:2]):
            if predictions.boxes.score[box] >= 0.05:
                residual = predictions.class_scores[box].astype(float)
                residual[residual.argmax()] -= 1
                total += np.outer(residual, predictions.features[box])
        rows.append(total.ravel())
    return np.array(rows)


@pytest.mark.parametrize("cells", [1, 40, 4_000_000])
def test_lengths_and_products_equal_the_gradients_written_out(
    monkeypatch: pytest.MonkeyPatch, cells: int
) -> None:
    monkeypatch.setattr(badge, "CELLS_PER_BLOCK", cells)
    candidates = Candidates(synthetic(), 0.05)
    found = gradients(candidates, np.arange(len(candidates)), 0.05)
    plain = written_out(candidates)
    np.testing.assert_allclose(found.squared, (plain**2).sum(axis=1), rtol=1e-4, atol=1e-6)
    for place in (0, 7, 23):
        np.testing.assert_allclose(found.products(place), plain @ plain[place], rtol=1e-4, atol=1e-5)


def test_by_hand() -> None:
    """One box of scores (0.6, 0, 0) and feature (3, 4): (-0.4, 0, 0) x (3, 4), of length 0.4 x 5 = 2."""
    pool = by_hand([("a/0", [[0.6, 0, 0]]), ("b/0", [])], features=[[3, 4]])
    found = gradients(Candidates(pool, 0.05), np.arange(2), 0.05)
    np.testing.assert_allclose(found.squared, [4.0, 0.0], rtol=1e-5)
    np.testing.assert_allclose(found.products(0), [4.0, 0.0], rtol=1e-5)


def test_without_box_features_the_frames_embedding_serves() -> None:
    """Residuals (-0.4, 0, 0) and (0, -0.5, 0) of one frame with embedding (0, 2): length 2 x sqrt(0.41)."""
    pool = by_hand([("a/0", [[0.6, 0, 0], [0, 0.5, 0]]), ("b/0", [])], embeddings=[[0, 2], [1, 0]])
    found = gradients(Candidates(pool, 0.05), np.arange(2), 0.05)
    np.testing.assert_allclose(found.squared, [4 * 0.41, 0.0], rtol=1e-5)


def test_the_longest_is_first_and_a_copy_is_never_drawn() -> None:
    frames = [("a/0", [[0.9, 0, 0]]), ("b/0", [[0.5, 0, 0]]), ("c/0", [[0.5, 0, 0]]), ("d/0", [[0, 0.7, 0]])]
    pool = by_hand(frames, features=[[1, 0], [4, 0], [4, 0], [1, 1]])
    for seed in range(20):
        found = picked(pick(pool, "badge", 3, seed=seed))
        assert found[0] == "b/0"
        assert "c/0" not in found


def test_each_kind_of_doubt_is_bought_once_and_certainty_never() -> None:
    """Forty frames waver alike, five each in a way of their own, and forty are sure."""
    rng = np.random.default_rng(0)
    common = [(f"a{i:02d}/0", [[0.5, 0, 0]]) for i in range(40)]
    own = [(f"b{i:02d}/0", [[0.5, 0, 0]]) for i in range(5)]
    sure = [(f"c{i:02d}/0", [[0.999, 0, 0]]) for i in range(40)]
    features = np.vstack([np.tile(np.eye(6)[0], (40, 1)), np.eye(6)[1:], rng.normal(size=(40, 6))])
    pool = by_hand([*common, *own, *sure], features=features)
    for seed in range(10):
        kinds = [frame[0] for frame in picked(pick(pool, "badge", 6, seed=seed))]
        assert sorted(kinds) == ["a", *"bbbbb"]


def test_a_feature_that_is_no_number_says_nothing() -> None:
    pool = by_hand([("a/0", [[0.6, 0, 0]]), ("b/0", [[0.6, 0, 0]])], features=[[np.nan, 4], [np.inf, 1]])
    task = Task(candidates=Candidates(pool, 0.05), config=MineConfig(), rng=np.random.default_rng(0))
    assert Badge(task, np.arange(2), [], 1).gains(np.arange(2)).tolist() == [0.0, 0.0]

"""k-means in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.mine.diversity import clusters
from dataengine.mine.diversity.clusters import k_means, nearest


def blobs(number: int, per_blob: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows around far corners, mixed, and the corner of each."""
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.repeat(np.arange(number), per_blob))
    rows = 100 * np.eye(number)[truth] + rng.normal(0, 1, (number * per_blob, number))
    return rows.astype(np.float32), truth


@pytest.mark.parametrize("fit_on", [30, 20_000])
@pytest.mark.parametrize("cells", [7, 4_000_000])
def test_far_blobs_are_found(monkeypatch: pytest.MonkeyPatch, fit_on: int, cells: int) -> None:
    monkeypatch.setattr(clusters, "FIT_ON", fit_on)
    monkeypatch.setattr(clusters, "CELLS_PER_BLOCK", cells)
    rows, truth = blobs(4, 25)
    found = k_means(rows, 4, np.random.default_rng(3))
    assert len({(a, b) for a, b in zip(found.tolist(), truth.tolist(), strict=True)}) == 4


def test_nearest_by_hand() -> None:
    centres = np.array([[0, 0], [10, 0]], np.float32)
    assert nearest(np.array([[4, 9], [6, -9], [5, 0]], np.float32), centres).tolist() == [0, 1, 0]


def test_as_many_clusters_as_rows() -> None:
    assert k_means(np.zeros((3, 2), np.float32), 5, np.random.default_rng(0)).tolist() == [0, 1, 2]
    assert len(k_means(np.zeros((0, 2), np.float32), 5, np.random.default_rng(0))) == 0


def test_rows_that_are_all_the_same_are_one_cluster() -> None:
    assert set(k_means(np.ones((9, 2), np.float32), 4, np.random.default_rng(0)).tolist()) == {0}


def test_centres_move_to_the_means() -> None:
    """Lloyd's algorithm ends where every row is nearest to its own cluster's mean."""
    rows = np.random.default_rng(1).normal(size=(300, 3)).astype(np.float32)
    found = k_means(rows, 5, np.random.default_rng(2))
    means = np.array([rows[found == cluster].mean(axis=0) for cluster in range(5)])
    agree = ((rows[:, None] - means) ** 2).sum(axis=2).argmin(axis=1) == found
    assert agree.mean() > 0.97

"""Distances to the nearest."""

from __future__ import annotations

import numpy as np

from dataengine.mine.errors_model import neighbours
from dataengine.mine.errors_model.neighbours import mean_distance, usual_distance

REFERENCE = np.array([[0.0, 0], [0, 4], [0, 10]], np.float32)


def test_mean_of_the_nearest() -> None:
    rows = np.array([[0.0, 0], [3, 4]], np.float32)
    np.testing.assert_allclose(mean_distance(rows, REFERENCE, 1), [0, 3])
    np.testing.assert_allclose(mean_distance(rows, REFERENCE, 2), [2, 4])  # (0 + 4) / 2, (3 + 5) / 2
    np.testing.assert_allclose(mean_distance(rows, REFERENCE, 9)[0], (0 + 4 + 10) / 3)
    assert np.isinf(mean_distance(rows, REFERENCE[:0], 2)).all()


def test_blocks_change_nothing(monkeypatch: object) -> None:
    rows = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    whole = mean_distance(rows, rows, 3)
    monkeypatch.setattr(neighbours, "CELLS_PER_BLOCK", 120)  # type: ignore[attr-defined]
    np.testing.assert_allclose(mean_distance(rows, rows, 3), whole, atol=1e-5)


def test_what_is_usual_is_measured_between_groups() -> None:
    group = np.array([0, 0, 1])
    assert usual_distance(REFERENCE, group, 1) == 6  # 10, 6 and 6, never the 4 within group 0
    assert np.isnan(usual_distance(REFERENCE, np.zeros(3, np.int64), 1))
    assert np.isnan(usual_distance(REFERENCE[:0], group[:0], 1))

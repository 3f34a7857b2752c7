"""Ranking quality."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.mine.errors_model.ranking import auc, ranks, spearman


def test_equal_values_share_their_rank() -> None:
    assert ranks(np.array([5.0, 1.0, 5.0, 9.0])).tolist() == [1.5, 0, 1.5, 3]


def test_auc() -> None:
    positive = np.array([False, False, True, True])
    assert auc(np.array([1, 2, 3, 4]), positive) == 1
    assert auc(np.array([4, 3, 2, 1]), positive) == 0
    assert auc(np.array([1, 3, 2, 4]), positive) == 0.75
    assert auc(np.array([1, 1, 1, 1]), positive) == 0.5
    assert np.isnan(auc(np.array([1, 2]), np.array([True, True])))


def test_spearman() -> None:
    assert spearman(np.array([1, 2, 3]), np.array([10, 100, 1000])) == pytest.approx(1)
    assert spearman(np.array([1, 2, 3]), np.array([3, 2, 1])) == pytest.approx(-1)
    assert np.isnan(spearman(np.array([1, 1]), np.array([1, 2])))
    assert np.isnan(spearman(np.zeros(0), np.zeros(0)))

"""Intervals over drives."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.evaluate import bootstrap


def test_the_first_row_is_the_split_itself_and_every_row_draws_as_many_drives() -> None:
    weights = bootstrap.drive_weights(7, 50, np.random.default_rng(0))
    assert weights.shape == (51, 7)
    assert (weights[0] == 1).all()
    assert (weights.sum(axis=1) == 7).all()
    assert len(np.unique(weights[1:], axis=0)) > 40


def test_no_drives() -> None:
    assert bootstrap.drive_weights(0, 3, np.random.default_rng(0)).shape == (4, 0)


def test_interval_is_the_percentiles() -> None:
    low, high = bootstrap.interval(np.linspace(0, 1, 1001), 0.9)
    assert (low, high) == (pytest.approx(0.05), pytest.approx(0.95))


def test_resamples_without_an_object_are_left_out() -> None:
    assert bootstrap.interval(np.array([np.nan, 0.4, 0.4]), 0.95) == (pytest.approx(0.4), pytest.approx(0.4))
    assert np.isnan(bootstrap.interval(np.array([np.nan, np.nan]), 0.95)).all()


def test_mean_of_known_is_nan_only_where_nothing_is_known() -> None:
    values = np.array([[1.0, np.nan], [np.nan, np.nan], [1.0, 3.0]])
    np.testing.assert_array_equal(bootstrap.mean_of_known(values, axis=1), [1.0, np.nan, 2.0])


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Mean of drive effects: 90% intervals from 40 drives should cover 0 in 80-97% of 300 worlds."""
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(300):
        drives = rng.normal(0, 1, 40)
        weights = bootstrap.drive_weights(40, 200, rng)
        low, high = bootstrap.interval(weights[1:] @ drives / 40, 0.9)
        covered += low <= 0 <= high
    assert 0.8 <= covered / 300 <= 0.97

"""Vectors reduced to a few directions."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.mine.errors_model.projection import Projection

ROWS = np.random.default_rng(0).normal(size=(500, 4)) * [9.0, 3.0, 1.0, 1e-4] + 5


def test_the_strongest_directions_come_first_with_a_spread_of_one() -> None:
    found = Projection.of(ROWS, 2)(ROWS)
    np.testing.assert_allclose(found.std(axis=0), 1, atol=0.01)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-4)
    assert abs(np.corrcoef(found[:, 0], ROWS[:, 0])[0, 1]) > 0.99
    assert abs(np.corrcoef(found[:, 1], ROWS[:, 1])[0, 1]) > 0.99


def test_noise_is_not_stretched() -> None:
    assert Projection.of(ROWS, 4).dim == 3


def test_without_whitening_lengths_stay() -> None:
    found = Projection.of(ROWS, 2, whiten=False)(ROWS)
    np.testing.assert_allclose(found.std(axis=0), [9, 3], rtol=0.1)


@pytest.mark.parametrize(
    "rows", [np.zeros((0, 4)), np.ones((5, 4)), np.full((5, 4), np.nan), np.zeros((5, 0)), np.ones((1, 4))]
)
def test_rows_that_say_nothing_have_no_direction(rows: np.ndarray) -> None:
    projection = Projection.of(rows, 3)
    assert projection.dim == 0
    assert projection(rows).shape == (len(rows), 0)


def test_a_row_that_is_not_finite_lands_in_the_middle() -> None:
    rows = ROWS.copy()
    rows[3, 1] = np.inf
    rows[4] = 1e30
    found = Projection.of(rows, 2)(rows)
    assert np.isfinite(found).all()
    assert found[3].tolist() == [0, 0]
    np.testing.assert_allclose(np.delete(found, [3, 4], axis=0).std(axis=0), 1, atol=0.01)

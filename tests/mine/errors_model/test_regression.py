"""Ridge and logistic regression."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.mine.errors_model.regression import Link, Scaler, _held_out, fit, folds

GROUPS = np.repeat(np.arange(20), 50)


def test_a_line_is_found() -> None:
    rows = np.random.default_rng(0).normal(size=(1000, 2))
    found = fit(rows, 3 + 2 * rows[:, 0], GROUPS, Link.identity)
    assert found.bias == pytest.approx(3, abs=0.01)
    np.testing.assert_allclose(found.weights, [2, 0], atol=0.01)
    np.testing.assert_allclose(found.held_out, 3 + 2 * rows[:, 0], atol=0.05)


def test_log_odds_are_found() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(1000, 2))
    chance = 1 / (1 + np.exp(-(1 - 2 * rows[:, 1])))
    found = fit(rows, (rng.random(1000) < chance).astype(float), GROUPS, Link.logistic)
    assert found.bias == pytest.approx(1, abs=0.3)
    np.testing.assert_allclose(found.weights, [0, -2], atol=0.3)
    assert abs(found(rows) - chance).mean() < 0.05


def test_what_is_held_out_is_not_seen() -> None:
    """Whatever happens in the drives of one part, what is said of them stays."""
    rng = np.random.default_rng(0)
    rows, target = rng.normal(size=(1000, 2)), rng.normal(size=1000)
    part = folds(GROUPS) == 0
    other = np.where(part, 50 * rows[:, 0], target)
    one, two = (held_out(rows, value, GROUPS) for value in (target, other))
    np.testing.assert_allclose(one[part], two[part])
    assert not np.allclose(one[~part], two[~part])


def held_out(rows: np.ndarray, target: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """With one penalty: which is the best depends on all rows."""
    answer: np.ndarray = _held_out(rows, target, folds(groups), Link.identity, np.ones(2))
    return answer


def test_what_only_tells_drives_apart_is_curbed() -> None:
    """Chance columns, the same within a drive, explain seen drives alone: the strong penalty wins."""
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(20, 12)), 50, axis=0)
    target = np.repeat(rng.normal(size=20), 50) + rng.normal(size=1000)
    assert fit(rows, target, GROUPS, Link.identity).penalty == 300


def test_separable_outcomes_have_an_end() -> None:
    rows = np.linspace(-1, 1, 1000)[:, None]
    found = fit(rows, (rows[:, 0] > 0).astype(float), GROUPS, Link.logistic)
    assert np.isfinite(found.weights).all()
    assert (np.diff(found(rows)) > 0).all()


def test_one_group_alone_holds_nothing_out() -> None:
    found = fit(np.ones((4, 1)), np.array([1.0, 2, 3, 4]), np.zeros(4, np.int64), Link.identity)
    assert found.held_out.tolist() == [2.5] * 4
    assert found.penalty == 300


def test_groups_stay_together() -> None:
    parts = folds(GROUPS)
    assert len(set(parts.tolist())) == 5
    assert all(len(set(parts[group == GROUPS].tolist())) == 1 for group in range(20))


def test_scaling() -> None:
    rows = np.array([[1.0, 5.0, np.nan], [3.0, 5.0, 2.0], [np.inf, 5.0, 4.0]])
    scaled = Scaler.of(rows)(rows)
    np.testing.assert_allclose(scaled, [[-1, 0, 0], [1, 0, -1], [0, 0, 1]], atol=1e-9)

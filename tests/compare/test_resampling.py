"""Intervals over few seeds and their drives."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dataengine.compare.resampling import Resampler, student_t, widening
from dataengine.streams import Streams


def resampler(**changes: object) -> Resampler:
    settings = {
        "streams": Streams(0),
        "resamples": 1000,
        "num_replicates": 50,
        "shared": False,
        "confidence": 0.95,
        **changes,
    }
    return Resampler(**settings)  # type: ignore[arg-type]


NO_DRIVES = np.zeros((5, 0, 0), np.float32)


@pytest.mark.parametrize(
    ("confidence", "dof", "quantile"),
    [
        (0.95, 1, 12.706),  # a published table of Student's distribution
        (0.95, 2, 4.303),
        (0.95, 3, 3.182),
        (0.95, 4, 2.776),
        (0.95, 9, 2.262),
        (0.95, 10, 2.228),
        (0.90, 4, 2.132),
        (0.99, 5, 4.032),
        (0.95, 1000, 1.962),
    ],
)
def test_student_is_the_published_table(confidence: float, dof: int, quantile: float) -> None:
    assert student_t(confidence, dof) == pytest.approx(quantile, abs=6e-4)


def test_widening_turns_the_bootstrap_of_five_into_students_interval() -> None:
    assert widening(5, 0.95) == pytest.approx(math.sqrt(5 / 4) * 2.7764 / 1.95996, rel=1e-4)
    assert widening(1, 0.95) == 1
    assert widening(500, 0.95) == pytest.approx(1, abs=0.01)


def test_the_interval_of_seeds_alone_is_about_students() -> None:
    values = np.array([[0.1], [0.2], [0.25], [0.3], [0.4]])
    found = resampler(resamples=20000).estimate(values, NO_DRIVES)
    half = 2.776 * values.std(ddof=1) / math.sqrt(5)
    assert found.value[0] == pytest.approx(0.25)
    assert found.num_seeds[0] == 5
    assert found.lower[0] == pytest.approx(0.25 - half, rel=0.06)
    assert found.upper[0] == pytest.approx(0.25 + half, rel=0.06)


def test_replicates_say_how_far_and_not_where() -> None:
    """Equal trials and replicates that are all too low by a tenth: the interval stands around the values."""
    values = np.full((5, 1), 0.5)
    spread = np.linspace(-0.05, 0.05, 50)[None, :, None] + np.zeros((5, 1, 1))
    found = resampler().estimate(values, (0.4 + spread).astype(np.float32))
    assert found.lower[0] == pytest.approx(0.5 - (found.upper[0] - 0.5), abs=0.01)
    assert 0.45 < found.lower[0] < 0.5


def test_seeds_that_share_their_drives_share_their_luck() -> None:
    """A replicate that all trials share is not averaged away: sqrt(5) wider than five drawn apart."""
    values = np.full((5, 1), 0.5)
    draws = np.random.default_rng(0).normal(0, 0.1, (1, 50, 1)).repeat(5, axis=0).astype(np.float32)
    widths = [
        float((found.upper - found.lower)[0])
        for found in (resampler(shared=shared).estimate(values, draws) for shared in (True, False))
    ]
    assert widths[0] / widths[1] == pytest.approx(math.sqrt(5), rel=0.15)


def test_a_replicate_that_drew_no_object_deviates_by_nothing() -> None:
    values = np.full((5, 1), 0.5)
    draws = np.full((5, 50, 1), np.nan, np.float32)
    assert resampler().estimate(values, draws).lower[0] == pytest.approx(0.5)
    draws[:, ::2] = 0.3
    assert resampler().estimate(values, draws).lower[0] == pytest.approx(0.5)


def test_one_seed_has_the_interval_of_its_drives_or_none() -> None:
    values = np.array([[0.5, 0.6], [np.nan, np.nan]])
    draws = np.full((2, 50, 1), np.nan, np.float32)
    draws[0, :, 0] = np.linspace(0.4, 0.6, 50)
    found = resampler().estimate(values, draws)
    assert found.num_seeds.tolist() == [1, 1]
    assert found.lower[0] == pytest.approx(0.4, abs=0.02)
    assert np.isnan([found.lower[1], found.upper[1]]).all()


def test_a_figure_is_the_mean_of_the_trials_that_know_it() -> None:
    values = np.array([[1.0, np.nan, np.nan], [3.0, 3.0, np.nan]])
    found = resampler().estimate(values, np.zeros((2, 0, 0), np.float32))
    np.testing.assert_array_equal(found.value, [2, 3, np.nan])
    assert found.num_seeds.tolist() == [2, 1, 0]


def test_figures_are_resampled_together() -> None:
    """The draws of a difference are the difference of the draws."""
    rng = np.random.default_rng(0)
    one, other = rng.random((5, 4)), rng.random((5, 4))
    plan = resampler().plan(np.arange(5))
    np.testing.assert_allclose(plan.means(one - other), plan.means(one) - plan.means(other))


def test_the_same_trials_get_the_same_plan_whatever_was_asked_before() -> None:
    first = resampler().plan(np.array([0, 2]))
    used = resampler()
    used.plan(np.array([1, 2]))
    np.testing.assert_array_equal(used.plan(np.array([0, 2])).drawn, first.drawn)


@pytest.mark.parametrize("num_trials", [3, 5, 8])
def test_intervals_cover_the_truth_as_often_as_they_say(num_trials: int) -> None:
    """500 figures with a true mean of 0, luck of the fit 1 and of the drives 0.7, each trial its own."""
    rng = np.random.default_rng(num_trials)
    drives = rng.normal(0, 0.7, (num_trials, 1, 500))
    values = drives[:, 0] + rng.normal(0, 1, (num_trials, 500))
    replicates = (values[:, None] + rng.normal(0, 0.7, (num_trials, 50, 500))).astype(np.float32)
    found = resampler().estimate(values, replicates)
    assert 0.93 <= np.mean((found.lower <= 0) & (found.upper >= 0)) <= 0.99


@pytest.mark.parametrize("fit", [0.0, 0.5, 2.0])
def test_intervals_cover_the_truth_on_a_shared_test_too(fit: float) -> None:
    """500 figures: luck of the drives (1) that all five trials share, more or less luck of the fit."""
    rng = np.random.default_rng(1)
    luck = rng.normal(0, 1, 500)
    values = luck + rng.normal(0, fit, (5, 500)) + 1e-9 * np.arange(5)[:, None]
    spread = rng.normal(0, 1, (1, 50, 500))
    found = resampler(shared=True).estimate(values, (values[:, None] + spread).astype(np.float32))
    assert 0.91 <= np.mean((found.lower <= 0) & (found.upper >= 0)) <= 0.98


def test_a_plain_bootstrap_of_five_seeds_would_call_chance_a_gain_too_often() -> None:
    """What the widening is for: without it 95% intervals of five values cover in some 80 to 86%."""
    rng = np.random.default_rng(2)
    values = rng.normal(0, 1, (5, 500))
    plain = rng.integers(0, 5, (1000, 5))
    low, high = np.quantile(values[plain].mean(axis=1), [0.025, 0.975], axis=0)
    assert np.mean((low <= 0) & (high >= 0)) < 0.88
    found = resampler().estimate(values, NO_DRIVES)
    assert 0.92 <= np.mean((found.lower <= 0) & (found.upper >= 0)) <= 0.98

"""Forecasts of curves whose next point is known, by hand or by simulation."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine.forecast import Forecast, Point, Prior, next_gain

NAN = math.nan
Curve = Callable[[float], float]
"""Value by how many times the first labels."""


def points(*pairs: tuple[float, float]) -> list[Point]:
    return [Point(*pair) for pair in pairs]


def ahead(*pairs: tuple[float, float], cost: float, noise: float = 0.03, mined: bool = False) -> Forecast:
    return next_gain(points(*pairs), next_cost=cost, believed=Prior(noise=noise), mined=mined)


def test_a_known_power_law_is_continued() -> None:
    """Odds of an error 1.5 / m: values 0.4, 0.571, 0.727 at m = 1, 2, 4; then 0.842 at m = 8."""
    made = ahead((100, 0.4), (200, 0.571), (400, 0.727), cost=800, noise=0.005)
    assert made.value == pytest.approx(0.842, abs=0.02)
    assert made.gain == pytest.approx(0.115, abs=0.02)
    assert made.lower < 0.842 < made.upper
    assert made.chance_of_gain > 0.95


def test_a_model_that_has_hardly_learned_is_not_forecast_to_leap() -> None:
    made = ahead((60, 0.165), cost=120, noise=0.03)
    assert made.gain < 0.08
    nothing = ahead((20, 0.0), (40, 0.0), cost=60, noise=0.03)
    assert nothing.lower == 0.0
    assert nothing.value < 0.03


def test_a_flat_curve_stays_flat() -> None:
    made = ahead((100, 0.5), (200, 0.5), (400, 0.5), (800, 0.5), cost=900, noise=0.01)
    assert made.gain == pytest.approx(0.0, abs=0.01)
    assert made.gain_upper < 0.04
    assert made.chance_of_gain < 0.2


def test_a_falling_curve_is_not_forecast_to_leap() -> None:
    made = ahead((100, 0.6), (200, 0.55), (400, 0.5), cost=800, noise=0.02)
    assert made.gain < 0.06
    assert made.lower < 0.5 < made.upper


def test_the_fleet_of_the_study_is_within_its_intervals() -> None:
    """Tail AP50 of random at 150, 270, 390, 600 frames: .42 .47 .55 .60; of class quotas .42 .57 .60."""
    for values, mined in (((0.42, 0.47, 0.55, 0.60), False), ((0.42, 0.57, 0.60), True)):
        curve = list(zip((150, 270, 390, 600), values, strict=False))
        for number in range(1, len(curve)):
            made = ahead(*curve[:number], cost=curve[number][0], noise=0.045, mined=mined)
            assert made.lower < curve[number][1] < made.upper


def test_a_miner_without_a_cycle_of_its_own_gets_a_higher_and_wider_forecast() -> None:
    blind, mined = (ahead((150, 0.42), cost=270, mined=mined) for mined in (False, True))
    assert mined.gain > blind.gain
    assert mined.gain_upper - mined.gain_lower > blind.gain_upper - blind.gain_lower


def test_one_point_and_no_point() -> None:
    assert ahead((150, 0.42), cost=270).is_known
    for pairs in ((), ((NAN, 0.4),), ((150, NAN),)):
        made = ahead(*pairs, cost=270)
        assert not made.is_known
        assert math.isnan(made.gain_upper)
        assert math.isnan(made.chance_of_gain)
    assert not ahead((150, 0.4), cost=NAN).is_known


def test_order_and_broken_points_do_not_matter() -> None:
    tidy = ahead((150, 0.4), (270, 0.5), cost=390)
    assert ahead((270, 0.5), (200, NAN), (150, 0.4), cost=390) == tidy


def test_more_noise_more_labels_and_more_cycles() -> None:
    wide, narrow = (ahead((150, 0.42), cost=270, noise=noise) for noise in (0.1, 0.02))
    assert wide.upper - wide.lower > narrow.upper - narrow.lower
    gains = [ahead((150, 0.42), (270, 0.5), cost=cost).gain for cost in (271, 300, 400, 800, 5000)]
    assert gains == sorted(gains)
    first = ahead((100, 0.4), cost=400)
    later = ahead((100, 0.4), (200, 0.5), (300, 0.55), cost=400)
    assert later.upper - later.lower < first.upper - first.lower


def test_nothing_bought_gains_nothing() -> None:
    made = ahead((150, 0.42), (270, 0.5), cost=270)
    assert (made.gain, made.gain_lower, made.gain_upper) == (0.0, 0.0, 0.0)


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.floats(0, 1) | st.just(NAN), max_size=6),
    costs=st.lists(st.floats(0, 1e9), min_size=6, max_size=6),
    cost=st.floats(0, 1e9),
    noise=st.floats(0, 1) | st.just(NAN),
    mined=st.booleans(),
)
def test_any_curve_gives_ordered_ends_within_0_and_1(
    values: list[float], costs: list[float], cost: float, noise: float, mined: bool
) -> None:
    curve = [Point(*pair) for pair in zip(costs, values, strict=False)]
    made = next_gain(curve, next_cost=cost, believed=Prior(noise=noise), mined=mined)
    if made.is_known:
        assert 0 <= made.lower <= made.value <= made.upper <= 1
        assert -1 <= made.gain_lower <= made.gain <= made.gain_upper <= 1
        assert 0 <= made.chance_of_gain <= 1


def power(rng: np.random.Generator) -> Curve:
    error, floor, slope = rng.uniform(0.25, 0.7), rng.uniform(0, 0.5), rng.uniform(0.15, 0.8)
    return lambda more: 1 - error * (floor + (1 - floor) * more**-slope)


def exponential(rng: np.random.Generator) -> Curve:
    error, floor, reach = rng.uniform(0.25, 0.7), rng.uniform(0.2, 0.7), rng.uniform(0.8, 3)
    return lambda more: 1 - error * (floor + (1 - floor) * math.exp(-(more - 1) / reach))


def logarithm(rng: np.random.Generator) -> Curve:
    start, slope = rng.uniform(0.3, 0.6), rng.uniform(0.05, 0.2)
    return lambda more: min(start + slope * math.log(more), 0.98)


def leap(rng: np.random.Generator) -> Curve:
    start, height, slope = rng.uniform(0.3, 0.6), rng.uniform(0.05, 0.2), rng.uniform(0, 0.08)
    return lambda more: start + height * (1 - math.exp(-3 * (more - 1))) + slope * math.log(more)


def low(rng: np.random.Generator) -> Curve:
    start, slope = rng.uniform(0.03, 0.2), rng.uniform(0, 0.05)
    return lambda more: start + slope * math.log(more)


@pytest.mark.parametrize("law", [power, exponential, logarithm, leap, low])
def test_intervals_hold_what_comes_as_often_as_they_say(law: Callable[[np.random.Generator], Curve]) -> None:
    """None is the assumed law of the odds; the leap counts as mined. After 1, 2 or 3 cycles."""
    rng = np.random.default_rng(11)
    steps = (1.0, 1.8, 2.6, 4.0)
    held = []
    for number in range(240):
        curve, known, noise = law(rng), 1 + number % 3, (0.02, 0.03, 0.05)[number % 5 % 3]
        seen = [float(np.clip(curve(m) + noise * rng.standard_normal(), 0, 1)) for m in steps]
        history = [Point(150 * m, value) for m, value in zip(steps[:known], seen, strict=False)]
        made = next_gain(
            history, next_cost=150 * steps[known], believed=Prior(noise=noise), mined=law is leap
        )
        held.append(made.lower <= seen[known] <= made.upper)
    assert 0.8 <= np.mean(held) <= 0.97

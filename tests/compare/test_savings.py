"""Crossings and savings, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine.compare import grid, savings
from dataengine.compare.resampling import Resampler
from dataengine.compare.savings import cost_at, position, saving
from dataengine.compare.tables import REPLICATES
from dataengine.streams import Streams
from tests.compare.fleet import World, cells_table, compared, curves, row, rows

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("curve", "level", "expected"),
    [
        ([0.2, 0.4, 0.5], 0.45, 1.5),
        ([0.2, 0.4, 0.5], 0.4, 1.0),  # reached is enough
        ([0.2, 0.4, 0.5], 0.5, 2.0),
        ([0.2, 0.4, 0.5], 0.1, 0.0),  # the seed set is there already
        ([0.2, 0.4, 0.5], 0.6, NAN),  # not reached
        ([0.2, 0.6, 0.3, 0.7], 0.5, 0.75),  # the first time counts
        ([0.2, 0.1, 0.3], 0.2, 0.0),
        ([0.3, 0.3, 0.3], 0.3, 0.0),
    ],
)
def test_position(curve: list[float], level: float, expected: float) -> None:
    found = position(np.array(curve)[None, :, None], np.array([[level]]))
    np.testing.assert_allclose(found, [[expected]])


def test_cost_is_linear_between_cycles() -> None:
    costs = np.array([[100.0, 200.0, 400.0]])
    found = cost_at(costs, np.array([[0.0, 0.5, 1.0, 1.75, 2.0, NAN]]))
    np.testing.assert_allclose(found, [[100, 150, 200, 350, 400, NAN]])


def test_saving() -> None:
    cost = np.array([50.0, 150.0, NAN, 50.0, NAN])
    baseline = np.array([100.0, 100.0, 100.0, NAN, NAN])
    np.testing.assert_allclose(saving(cost, baseline), [0.5, -0.5, -INF, INF, -INF])


def test_saved_at_the_end_of_a_longer_baseline() -> None:
    """Random ends at 0.5 after 400 frames; the arm is there half way between 200 and 300: 37.5% saved."""
    cells = cells_table(curves(random=[[0.2, 0.3, 0.4, 0.5]], auto=[[0.2, 0.4, 0.6]]))
    found = compared(cells, baseline_cycles=4)
    for axis, paid in (("frames", 400), ("boxes", 800), ("seconds", 8000)):
        told = row(found, "savings", arm="auto", axis=axis, target="baseline_final")
        assert told["level"] == pytest.approx(0.5)
        assert told["baseline_cost"] == pytest.approx(paid)
        assert told["cost"] == pytest.approx(250 / 400 * paid)
        assert told["value"] == told["median"] == pytest.approx(0.375)
        assert told["reached"] == 1
        own = row(found, "savings", arm="random", axis=axis, target="baseline_final")
        assert own["value"] == pytest.approx(0)


def test_not_reached_is_an_answer() -> None:
    cells = cells_table(curves(random=[[0.2, 0.3, 0.4, 0.5]], auto=[[0.2, 0.3, 0.45]]))
    told = row(compared(cells), "savings", arm="auto", axis="frames")
    assert told["reached"] == 0
    assert all(math.isnan(told[name]) for name in ("cost", "value", "lower", "upper", "median"))
    assert told["baseline_cost"] == 400


def test_the_mean_curve_and_the_trials_answer_apart() -> None:
    """One trial of three never gets there (its mean curve does): the saving is told, and so is the share."""
    random = [[0.2, 0.3, 0.4]] * 3
    cells = cells_table(curves(random=random, auto=[[0.2, 0.5, 0.6], [0.2, 0.4, 0.5], [0.2, 0.3, 0.35]]))
    told = row(compared(cells), "savings", arm="auto", axis="frames")
    assert told["cost"] == pytest.approx(200)  # the mean curve is .2, .4, .483
    assert told["value"] == pytest.approx(1 / 3)
    assert told["reached"] == pytest.approx(2 / 3)
    assert told["median"] == pytest.approx(1 - 200 / 300)  # of 1 - 166.7/300, 1 - 200/300 and "less than any"


def test_a_median_that_did_not_get_there_is_unknown() -> None:
    random = [[0.2, 0.3, 0.4]] * 3
    cells = cells_table(curves(random=random, auto=[[0.2, 0.5, 0.9], [0.2, 0.3, 0.35], [0.2, 0.3, 0.35]]))
    told = row(compared(cells), "savings", arm="auto", axis="frames")
    assert told["reached"] == pytest.approx(1 / 3)
    assert math.isnan(told["median"])
    assert told["value"] > 0  # on the mean curve .2, .367, .533
    assert math.isnan(told["lower"])  # resamples of the trials that did not get there


def test_a_worse_arm_saves_less_than_nothing() -> None:
    cells = cells_table(curves(random=[[0.2, 0.4, 0.5]], auto=[[0.2, 0.3, 0.4, 0.5]]))
    told = row(compared(cells), "savings", arm="auto", axis="frames")
    assert told["value"] == pytest.approx(1 - 400 / 300)


def test_ninety_five_percent_of_the_ceiling() -> None:
    """All labels reach 0.8, so the level is 0.76; only the trial that ran them is looked at."""
    cells = cells_table(
        curves(
            random=[[0.2, 0.5, 0.76], [0.1, 0.1, 0.1]],
            auto=[[0.2, 0.76, 0.8], [0.1, 0.1, 0.1]],
            all_labels=[[0.2, 0.8]],
        )
    )
    found = compared(cells, arms=["auto", "all_labels"])
    told = row(found, "savings", arm="auto", axis="frames", target="95_of_ceiling")
    assert told["level"] == pytest.approx(0.76)
    assert told["num_seeds"] == 1
    assert told["value"] == pytest.approx(1 / 3)
    assert row(found, "savings", arm="random", axis="frames", target="95_of_ceiling")["cost"] == 300


def test_a_ceiling_that_only_the_arm_reaches() -> None:
    cells = cells_table(curves(random=[[0.2, 0.3, 0.4]], auto=[[0.2, 0.7, 0.9]], all_labels=[[0.2, 0.8]]))
    told = row(compared(cells), "savings", arm="auto", axis="frames", target="95_of_ceiling")
    assert told["cost"] == pytest.approx(230)
    assert math.isnan(told["baseline_cost"])
    assert math.isnan(told["value"])


def test_a_trial_that_ended_early_takes_no_part() -> None:
    cells = cells_table(curves(random=[[0.2, 0.3, 0.4]] * 3, auto=[[0.2, 0.4, 0.5]] * 2 + [[0.2, 0.9]]))
    told = row(compared(cells), "savings", arm="auto", axis="frames")
    assert told["num_seeds"] == 2
    assert told["value"] == pytest.approx(1 / 3)


def test_savings_are_told_of_tests_and_of_precision() -> None:
    values = curves(random=[[0.2, 0.3, 0.4]], auto=[[0.2, 0.4, 0.5]])
    for split, part, metric in (("val", "tail", "ap50"), ("test", "weather:fog", "ap50")):
        assert not rows(compared(cells_table(values, split=split, slice_name=part, metric=metric)), "savings")
    assert not rows(compared(cells_table(values, metric="misses_per_frame")), "savings")


HEIGHTS = st.lists(st.floats(0, 1), min_size=4, max_size=4)


@settings(deadline=None, max_examples=50)
@given(HEIGHTS)
def test_an_arm_like_the_baseline_saves_nothing(curve: list[float]) -> None:
    told = saved(curve, curve)
    assert told["value"] == pytest.approx(0, abs=1e-12)
    assert told["reached"] == 1


@settings(deadline=None, max_examples=50)
@given(HEIGHTS, st.lists(st.floats(0, 0.5), min_size=4, max_size=4))
def test_an_arm_that_is_nowhere_worse_saves_and_one_that_is_nowhere_better_does_not(
    curve: list[float], more: list[float]
) -> None:
    raised = [value + extra for value, extra in zip(curve, more, strict=True)]
    assert saved(curve, raised)["value"] >= -1e-9
    value = saved(raised, curve)["value"]
    assert math.isnan(value) or value <= 1e-9


def saved(random: list[float], auto: list[float]) -> dict:
    """What auto saves in frames at the end of random."""
    cells = grid.build(
        cells_table(curves(random=[random], auto=[auto])), REPLICATES.empty_table(), baseline="random"
    )
    resampler = Resampler(streams=Streams(0), resamples=100, num_replicates=0, shared=False, confidence=0.95)
    table = savings.savings(cells, resampler).to_pylist()
    (told,) = (r for r in table if (r["arm"], r["axis"]) == ("auto", "frames"))
    return told


def test_the_interval_covers_the_true_saving() -> None:
    """Random climbs .3 .4 .5 in steps of 100 frames; a gain of .06 reaches .5 at 240 of 300: 20% saved."""
    covered = []
    for seed in range(100):
        table = savings.savings(*World(gain=0.06, fit=0.015, drives=0.01).prepared(seed)).to_pylist()
        (told,) = (r for r in table if (r["arm"], r["axis"]) == ("auto", "frames"))
        lower = -INF if math.isnan(told["lower"]) else told["lower"]
        covered.append(lower <= 0.2 <= told["upper"])
    assert 0.88 <= np.mean(covered) <= 1

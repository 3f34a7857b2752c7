"""Curves, paired differences and the noise floor, by hand."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from dataengine.compare.resampling import student_t
from tests.compare.fleet import World, cells_table, compared, curves, row, rows

RANDOM = [[0.2, 0.30, 0.40], [0.3, 0.40, 0.50], [0.1, 0.22, 0.30]]
AGAIN = [[0.2, 0.31, 0.41], [0.3, 0.40, 0.48], [0.1, 0.20, 0.30]]
AUTO = [[0.2, 0.35, 0.50], [0.3, 0.46, 0.51], [0.1, 0.20, 0.15]]


def three_seeds(**changes: object):
    return compared(cells_table(curves(random=RANDOM, random_2=AGAIN, auto=AUTO)), **changes)


def test_a_curve_is_the_mean_over_seeds_at_its_mean_cost() -> None:
    found = row(three_seeds(), "curves", arm="auto", cycle=2)
    assert found["value"] == pytest.approx((0.50 + 0.51 + 0.15) / 3)
    assert (found["frames"], found["boxes"], found["seconds"]) == (300, 600, 6000)
    assert found["num_seeds"] == 3
    assert 0 <= found["lower"] < found["value"] < found["upper"] <= 1


def test_a_difference_is_paired_by_seed() -> None:
    found = row(three_seeds(), "differences", arm="auto", cycle=2, metric="ap50")
    assert found["value"] == pytest.approx((0.10 + 0.01 - 0.15) / 3)
    assert found["num_seeds"] == 3


def test_what_the_seeds_have_in_common_cancels() -> None:
    """Seeds are 0.1 apart; the arm is better by 0.05 to 0.06 in each: the paired interval is narrow."""
    arm = [[a, b + 0.05, c + 0.05 + 0.005 * n] for n, (a, b, c) in enumerate(RANDOM)]
    found = compared(cells_table(curves(random=RANDOM, auto=arm)))
    difference = row(found, "differences", arm="auto", cycle=2, metric="ap50")
    curve = row(found, "curves", arm="auto", cycle=2)
    assert 0.03 < difference["lower"] < 0.055 < difference["upper"] < 0.08
    assert curve["upper"] - curve["lower"] > 5 * (difference["upper"] - difference["lower"])


def test_noise_wins_ties_and_losses() -> None:
    """Two draws of random end .01, .02 and 0 apart; auto ends at +.10 (win), +.01 (tie) and -.15 (loss)."""
    found = row(three_seeds(), "differences", arm="auto", cycle=2, metric="ap50")
    one = math.sqrt((0.01**2 + 0.02**2) / 3)
    assert found["noise_per_seed"] == pytest.approx(one)
    assert found["noise"] == pytest.approx(student_t(0.95, 3) * one / math.sqrt(3))
    assert (found["wins"], found["ties"], found["losses"]) == (1, 1, 1)


def test_fewer_mistakes_win() -> None:
    cells = cells_table(curves(random=RANDOM, auto=AUTO), metric="misses_per_frame")
    found = row(compared(cells), "differences", arm="auto", cycle=2, metric="misses_per_frame")
    assert (found["wins"], found["ties"], found["losses"]) == (1, 0, 2)
    assert found["value"] < 0


def test_without_a_second_draw_there_is_no_floor() -> None:
    found = rows(compared(cells_table(curves(random=RANDOM, auto=AUTO))), "differences", arm="auto")
    assert all(math.isnan(r["noise"]) and math.isnan(r["noise_per_seed"]) for r in found)


def test_the_second_draw_is_judged_as_an_arm_and_all_labels_is_not() -> None:
    cells = cells_table(curves(random=RANDOM, random_2=AGAIN, all_labels=[[0.2, 0.8]]))
    found = compared(cells, arms=["all_labels"])
    assert {r["arm"] for r in found.table("differences").to_pylist()} == {"random@2"}
    assert row(found, "curves", arm="all_labels", cycle=1)["num_seeds"] == 1


def test_swapping_arm_and_baseline_flips_every_sign() -> None:
    cells, replicates = World(gain=0.05, arms={"random": 0, "auto": 1}).draw(np.random.default_rng(0))
    forth = compared(cells, replicates)
    back = compared(cells, replicates, baseline="auto", arms=["random"])
    keys = ("cycle", "split", "slice", "metric")
    mirrored = {tuple(r[k] for k in keys): r for r in back.table("differences").to_pylist()}
    for one in forth.table("differences").to_pylist():
        other = mirrored.pop(tuple(one[k] for k in keys))
        assert other["value"] == pytest.approx(-one["value"])
        assert (other["lower"], other["upper"]) == (
            pytest.approx(-one["upper"], abs=0.01),
            pytest.approx(-one["lower"], abs=0.01),
        )
        assert (other["wins"], other["losses"]) == (one["losses"], one["wins"])
    assert not mirrored


def test_a_trial_without_the_baseline_takes_no_part() -> None:
    cells = cells_table(curves(random=RANDOM[:2], auto=AUTO))
    found = compared(cells)
    assert row(found, "differences", arm="auto", cycle=2, metric="ap50")["num_seeds"] == 2
    assert row(found, "curves", arm="auto", cycle=2)["num_seeds"] == 3


def test_a_slice_that_one_seed_cannot_measure() -> None:
    values = curves(random=RANDOM, auto=AUTO)
    values |= {key: math.nan for key in values if key[0] == "s1"}
    found = compared(cells_table(values))
    assert row(found, "differences", arm="auto", cycle=2, metric="ap50")["num_seeds"] == 2


def test_other_slices_and_metrics_are_left_out() -> None:
    values = curves(random=RANDOM, auto=AUTO)
    cells = pa.concat_tables(
        [
            cells_table(values, slice_name=name, metric=metric)
            for name, metric in (
                ("tail", "ap50"),
                ("weather:fog", "map50_95"),
                ("size:small", "ap50"),
                ("drive:d7", "ap50"),
                ("all", "num_objects"),
                ("all", "ap50_lower"),
            )
        ]
    )
    found = compared(cells)
    assert {(r["slice"], r["metric"]) for r in found.table("curves").to_pylist()} == {
        ("tail", "ap50"),
        ("weather:fog", "map50_95"),
    }
    assert len(rows(found, "cells", metric="num_objects")) == len(values)  # kept for whoever reads them

"""Gains of miners and trainers, by hand."""

from __future__ import annotations

import math

import pytest

from dataengine.compare.trainers import PARTS
from tests.compare.fleet import cells_table, compared, curves, row, rows


def four(trainer: str) -> dict[str, list[list[float]]]:
    """Two trials of four arms from shared starts."""
    return {
        "random": [[0.2, 0.3], [0.4, 0.5]],
        "auto": [[0.2, 0.5], [0.4, 0.7]],
        f"random+{trainer}": [[0.2, 0.25], [0.4, 0.47]],
        f"auto+{trainer}": [[0.2, 0.35], [0.4, 0.53]],
    }


def told(trainer: str, cycle: int = 1, metric: str = "ap50") -> dict[str, float]:
    found = compared(cells_table(curves(**four(trainer))), loop_cycles=2)
    wanted = {"arm": "auto", "trainer": trainer, "cycle": cycle, "metric": metric}
    return {part: row(found, "trainers", part=part, **wanted)["value"] for part in PARTS}


def test_what_a_plain_trainer_leaves_out_is_gained_by_the_other() -> None:
    assert told("plain") == pytest.approx(
        {
            "mining_lesser": 0.08,  # .44 - .36
            "mining_greater": 0.20,  # .60 - .40
            "training_baseline": 0.04,
            "training_arm": 0.16,
            "both": 0.24,
        }
    )


def test_pseudo_labels_are_what_is_added() -> None:
    assert told("pseudo") == pytest.approx(
        {
            "mining_lesser": 0.20,
            "mining_greater": 0.08,
            "training_baseline": -0.04,
            "training_arm": -0.16,
            "both": 0.04,
        }
    )


def test_areas_are_the_mean_over_the_budget() -> None:
    """Straight from the shared start to cycle 1: half of the difference there."""
    assert told("plain", -1, "ap50:area_seconds") == pytest.approx(
        {part: value / 2 for part, value in told("plain").items()}
    )


def test_the_two_ways_to_both_add_up() -> None:
    found = told("plain")
    assert found["mining_lesser"] + found["training_arm"] == pytest.approx(found["both"])
    assert found["training_baseline"] + found["mining_greater"] == pytest.approx(found["both"])


def test_a_trial_without_one_of_the_four_does_not_count() -> None:
    values = curves(**four("plain"))
    del values["s0", "auto+plain", 1]
    found = compared(cells_table(values), loop_cycles=2)
    seen = rows(found, "trainers", cycle=1)
    assert {row["num_seeds"] for row in seen} == {1}
    (both,) = (row for row in seen if row["part"] == "both")
    assert both["value"] == pytest.approx(0.7 - 0.47)


def test_a_figure_that_one_of_the_four_lacks_is_in_no_part() -> None:
    values = curves(**four("plain"))
    values["s0", "auto+plain", 1] = values["s1", "auto+plain", 1] = math.nan
    assert not rows(compared(cells_table(values), loop_cycles=2), "trainers")


def test_an_arm_without_its_other_trainer_is_left_out() -> None:
    values = four("plain")
    del values["random+plain"]
    assert not rows(compared(cells_table(curves(**values)), loop_cycles=2), "trainers")


def test_cycle_0_is_shared_and_not_told() -> None:
    assert not rows(compared(cells_table(curves(**four("plain"))), loop_cycles=2), "trainers", cycle=0)

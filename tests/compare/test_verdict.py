"""Whether an arm beat the baseline: chance is seldom called a result, and an effect is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dataengine.compare.curves import differences
from dataengine.compare.verdict import Outcome, main_arm, outcome
from tests.compare.fleet import World


@pytest.mark.parametrize(
    ("wanted", "arms", "expected"),
    [
        (["auto", "entropy"], ["random", "auto", "entropy"], "auto"),
        (["oracle", "random@2", "entropy"], ["random", "oracle", "random@2", "entropy"], "entropy"),
        (["auto"], ["random", "entropy"], "entropy"),  # not there yet: another one speaks
        (["random+pseudo"], ["random", "random+pseudo"], "random+pseudo"),  # trained otherwise: an arm
        (["oracle"], ["random", "oracle", "all_labels"], None),
    ],
)
def test_main_arm(wanted: list[str], arms: list[str], expected: str | None) -> None:
    assert main_arm(wanted, arms, "random") == expected


def outcomes(world: World, seeds: range, *, taken_for_shared: bool | None = None) -> list[Outcome]:
    """What the decisive area says of auto in many comparisons."""
    found = []
    for seed in seeds:
        cells, resampler = world.prepared(seed)
        if taken_for_shared is not None:
            resampler = replace(resampler, shared=taken_for_shared)
        table = differences(cells, resampler).to_pylist()
        (row,) = (r for r in table if (r["arm"], r["metric"]) == ("auto", "ap50:area_seconds"))
        found.append(outcome(row))
    return found


@pytest.mark.parametrize(("num_trials", "shared"), [(3, False), (5, False), (5, True)])
def test_chance_is_seldom_called_a_result(num_trials: int, shared: bool) -> None:
    found = outcomes(World(gain=0.0, shared=shared, num_trials=num_trials), range(120))
    assert sum(one is not Outcome.level for one in found) <= 0.06 * 120


def test_the_luck_of_shared_drives_taken_for_that_of_five_tests_calls_chance_a_result() -> None:
    found = outcomes(World(gain=0.0, shared=True), range(60), taken_for_shared=False)
    assert sum(one is not Outcome.level for one in found) > 0.08 * 60


@pytest.mark.parametrize(("gain", "expected"), [(0.12, Outcome.won), (-0.12, Outcome.lost)])
def test_a_real_gain_is_found_and_a_real_loss_too(gain: float, expected: Outcome) -> None:
    found = outcomes(World(gain=gain), range(30))
    assert found.count(expected) >= 27
    assert found.count(expected) + found.count(Outcome.level) == 30

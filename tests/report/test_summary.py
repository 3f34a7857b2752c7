"""Which cycle and which seeds are compared, and what a mean is made of."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from dataengine.report.data import Arm, Cost, Gathered
from dataengine.report.summary import compare, curve, estimate, mean_cost


def run(seed: int, cycles: dict[int, float], *, planned: int = 3) -> Any:
    """A run with one figure (AP50 of test) per finished cycle, and an interval of 0.1 around it."""
    values = {}
    for cycle, value in cycles.items():
        values[cycle, "test", "all", "ap50"] = value
        values[cycle, "test", "all", "ap50_lower"] = value - 0.1
        values[cycle, "test", "all", "ap50_upper"] = value + 0.1
    costs = {cycle: Cost(100.0 * (cycle + 1), 300.0, 10.0 * seed) for cycle in cycles}
    return SimpleNamespace(
        arm="a",
        seed=seed,
        cycles=list(cycles),
        values=values,
        costs=costs,
        planned_cycles=planned,
        is_exhausted=False,
    )


def gathered(*arms: tuple[str, list[Any]]) -> Any:
    made = tuple(Arm(name, slot, tuple(runs)) for slot, (name, runs) in enumerate(arms))
    return Gathered(workspace=None, arms=made)  # type: ignore[arg-type]


def test_one_seed_keeps_its_bootstrap_interval() -> None:
    found = estimate([run(0, {0: 0.5})], 0, "test", "all", "ap50")
    assert (found.value, found.lower, found.upper, found.seeds) == (0.5, 0.4, 0.6, 1)


def test_several_seeds_give_their_mean_and_range() -> None:
    found = estimate([run(0, {0: 0.5}), run(1, {0: 0.7})], 0, "test", "all", "ap50")
    assert found.value == pytest.approx(0.6)
    assert (found.lower, found.upper, found.seeds) == (0.5, 0.7, 2)


def test_a_seed_without_a_figure_stays_out() -> None:
    found = estimate([run(0, {0: math.nan}), run(1, {0: 0.7})], 0, "test", "all", "ap50")
    assert (found.value, found.seeds) == (0.7, 1)
    assert math.isnan(estimate([run(0, {0: 0.5})], 0, "test", "class:car", "ap50").value)


def test_costs_are_means_over_runs() -> None:
    assert mean_cost([run(1, {0: 0.5}), run(3, {0: 0.5})], 0) == Cost(100.0, 300.0, 20.0)


def test_a_curve_holds_the_cycles_of_all_its_runs() -> None:
    points = curve([run(0, {0: 0.2, 1: 0.4}), run(1, {0: 0.4})], "test", "all", "ap50")
    assert [point.cycle for point in points] == [0]


# arms with their seeds and finished cycles -> the cycle compared, and the seeds that take part
FULL, TWO, ONE = {0: 0.1, 1: 0.2, 2: 0.3}, {0: 0.1, 1: 0.2}, {0: 0.1}
CASES = [
    ([{0: FULL}, {0: FULL}], 2, [[0], [0]], True),
    ([{0: FULL}, {0: TWO}], 1, [[0], [0]], True),
    ([{0: FULL, 1: FULL}, {0: FULL}], 2, [[0], [0]], True),
    ([{0: FULL, 1: ONE}, {0: FULL, 1: FULL}], 2, [[0], [0]], True),
    ([{0: FULL}, {1: TWO}], 1, [[0], [1]], False),
    ([{0: FULL, 1: FULL}], 2, [[0, 1]], True),
]


@pytest.mark.parametrize(("arms", "cycle", "seeds", "paired"), CASES)
def test_compared_cycle_and_seeds(
    arms: list[dict[int, dict[int, float]]], cycle: int, seeds: list[list[int]], paired: bool
) -> None:
    named = [
        (f"arm{place}", [run(seed, cycles) for seed, cycles in runs.items()])
        for place, runs in enumerate(arms)
    ]
    found = compare(gathered(*named))
    assert found is not None
    assert found.cycle == cycle
    assert [list(arm.seeds) for arm in found.arms] == seeds
    assert found.paired is paired


def test_difference_is_against_the_first_arm() -> None:
    found = compare(gathered(("random", [run(0, {0: 0.5})]), ("mined", [run(0, {0: 0.6})])))
    assert found is not None
    assert found.difference(found.arms[1], "test", "all", "ap50") == pytest.approx(0.1)
    assert math.isnan(found.difference(found.arms[1], "test", "tail", "ap50"))


def test_unfinished_runs_are_named() -> None:
    found = compare(gathered(("random", [run(0, {0: 0.5}, planned=3)])))
    assert found is not None
    assert found.unfinished == ("a (seed 0) has finished 1 of 3 cycles",)


def test_nothing_to_compare_without_runs() -> None:
    assert compare(gathered()) is None

"""Rates are kept, test_balanced is balanced, and wrong names are one line."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from dataengine.config import WorldConfig
from dataengine.errors import ConfigError
from dataengine.simulator.plan import ClipPlan, plan_fleet


@pytest.fixture(scope="module")
def plans() -> list[ClipPlan]:
    return plan_fleet(WorldConfig())


def of(plans: list[ClipPlan], split: str) -> list[ClipPlan]:
    return [plan for plan in plans if plan.split == split]


def test_the_default_world_has_the_clips_it_names(plans):
    assert Counter(plan.split for plan in plans) == {"pool": 240, "val": 48, "test": 200, "test_balanced": 60}
    assert len({plan.clip_id for plan in plans}) == len(plans)


@pytest.mark.parametrize("split", ["pool", "val", "test"])
def test_natural_splits_keep_the_rates(plans, split):
    """Systematic draws are within one of the expected count, in every split."""
    world, clips = WorldConfig(), of(plans, split)
    drives = {plan.drive_id: plan for plan in clips}.values()
    for name, rates in (("time_of_day", world.time_of_day_rates), ("weather", world.weather_rates)):
        counts = Counter(getattr(plan, name) for plan in drives)
        for value, rate in rates.items():
            assert abs(counts[value] - rate * len(drives)) <= 1, (name, value)
    for name, rate in world.tail_clip_rates.items():
        assert abs(sum(name in plan.tail for plan in clips) - rate * len(clips)) <= 1, name


def test_the_balanced_test_is_balanced(plans):
    clips = of(plans, "test_balanced")
    cells = Counter((plan.time_of_day, plan.weather) for plan in clips)
    assert len(cells) == 9
    assert max(cells.values()) - min(cells.values()) <= 1
    rare = Counter(name for plan in clips for name in plan.tail)
    assert set(rare) == {"truck", "cyclist", "cone"}
    assert max(rare.values()) - min(rare.values()) <= 3
    assert all(len(plan.tail) == 1 for plan in clips)


def test_a_drive_has_one_vehicle_and_one_set_of_conditions(plans):
    for name in ("split", "vehicle", "time_of_day", "weather"):
        values: dict[str, set[object]] = {}
        for plan in plans:
            values.setdefault(plan.drive_id, set()).add(getattr(plan, name))
        assert all(len(found) == 1 for found in values.values()), name
    assert max(Counter(plan.drive_id for plan in plans).values()) == WorldConfig().clips_per_drive


def test_clips_of_a_drive_follow_each_other(plans):
    for before, after in pairwise(plans):
        if before.drive_id == after.drive_id:
            assert after.start_time_s - before.start_time_s >= WorldConfig().clip_seconds


def test_a_rate_of_nothing_is_never_and_of_one_is_always():
    rates = {"truck": 0.0, "cyclist": 1.0, "cone": 0.0}
    plans = plan_fleet(WorldConfig(tail_clip_rates=rates, balanced_clips=0))
    assert {plan.tail for plan in plans} == {frozenset({"cyclist"})}
    assert {plan.scene for plan in plans} == {"cycle_street"}


def test_another_seed_is_another_plan():
    assert plan_fleet(WorldConfig(seed=8)) != plan_fleet(WorldConfig())
    assert plan_fleet(WorldConfig(seed=8)) == plan_fleet(WorldConfig(seed=8))


@pytest.mark.parametrize(
    ("group", "rates"),
    [
        ("tail_clip_rates", {"bus": 0.1}),
        ("time_of_day_rates", {"noon": 1.0}),
        ("weather_rates", {"snow": 0.5, "clear": 0.5}),
    ],
)
def test_unknown_names_are_refused(group, rates):
    name = next(iter(rates))
    with pytest.raises(ConfigError, match=rf"{group}\.{name} is unknown: choose among"):
        plan_fleet(WorldConfig(**{group: rates}))

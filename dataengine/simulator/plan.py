"""Which drives and clips a fleet records, in which conditions; known before anything is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from dataengine.config import WorldConfig
from dataengine.errors import ConfigError
from dataengine.schema import POOL, TEST, TEST_BALANCED, VAL
from dataengine.simulator.light import TIMES_OF_DAY, WEATHERS
from dataengine.simulator.traffic import SCENES
from dataengine.streams import Streams

NUM_VEHICLES = 8
_CURVED_SHARE = 0.45
_HOURS = {"day": (9.0, 16.0), "dusk": (17.5, 18.6), "night": (20.5, 23.5)}
_EPOCH_S = 1_756_684_800.0
"""2025-09-01 00:00 UTC: the fleet's first day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipPlan:
    """One clip to record.

    Attributes:
        split: ``pool``, ``val``, ``test`` or ``test_balanced``.
        drive_index: Number of the drive within the split.
        clip_index: Number of the clip within the drive.
        vehicle: Number of the vehicle.
        time_of_day: ``day``, ``dusk`` or ``night``.
        weather: ``clear``, ``rain`` or ``fog``.
        road: ``straight`` or ``curved``.
        tail: Rare classes whose scene the clip passes through.
        start_time_s: Seconds since 1970.
    """

    split: str
    drive_index: int
    clip_index: int
    vehicle: int
    time_of_day: str
    weather: str
    road: str
    tail: frozenset[str]
    start_time_s: float

    @property
    def drive_id(self) -> str:
        """Unique in the fleet."""
        return f"{self.split}-{self.drive_index:04d}"

    @property
    def clip_id(self) -> str:
        """Unique in the fleet."""
        return f"{self.drive_id}-{self.clip_index:02d}"

    @property
    def scene(self) -> str:
        """Names of the rare scenes, or ``ordinary``."""
        return "+".join(SCENES[name] for name in sorted(self.tail)) or "ordinary"


def clip_paths(folder: Path, plan: ClipPlan) -> tuple[Path, Path, Path]:
    """Video, truth table and sidecar of a clip."""
    base = folder / plan.drive_id
    return (
        base / f"{plan.clip_id}.mp4",
        base / f"{plan.clip_id}.truth.parquet",
        base / f"{plan.clip_id}.json",
    )


def plan_fleet(world: WorldConfig) -> list[ClipPlan]:
    """Every clip of a world, ordered by split, drive and clip.

    Raises:
        ConfigError: A rate names a class, time of day or weather that the world does not have.
    """
    for group, known in (
        ("tail_clip_rates", tuple(SCENES)),
        ("time_of_day_rates", TIMES_OF_DAY),
        ("weather_rates", WEATHERS),
    ):
        for name in getattr(world, group):
            if name not in known:
                raise ConfigError(f"dataset.world.{group}.{name} is unknown: choose among {', '.join(known)}")
    plans = []
    for split, clips in ((POOL, world.pool_clips), (VAL, world.val_clips), (TEST, world.test_clips)):
        plans += _natural(world, split, clips)
    return plans + _balanced(world)


def _systematic(rng: np.random.Generator, shares: Mapping[str, float], number: int) -> list[str]:
    """Draw ``number`` names so that each count is within one of its share (systematic sampling), shuffled."""
    edges = np.cumsum(list(shares.values()))
    picks = np.searchsorted(edges, (np.arange(number) + rng.random()) / number * edges[-1], side="right")
    names = list(shares)
    return [names[min(int(i), len(names) - 1)] for i in rng.permutation(picks)]


def _natural(world: WorldConfig, split: str, clips: int) -> list[ClipPlan]:
    """Conditions by drive, rare scenes by clip, all at the world's rates."""
    rng = Streams(world.seed).generator(f"plan/{split}")
    drives = -(-clips // world.clips_per_drive)
    times = _systematic(rng, world.time_of_day_rates, drives)
    weathers = _systematic(rng, world.weather_rates, drives)
    rare = {
        name: _systematic(rng, {name: rate, "": 1 - rate}, clips)
        for name, rate in world.tail_clip_rates.items()
    }
    curved = _systematic(rng, {"curved": _CURVED_SHARE, "straight": 1 - _CURVED_SHARE}, clips)
    plans = []
    for clip in range(clips):
        drive, index = divmod(clip, world.clips_per_drive)
        tail = frozenset(name for name, drawn in rare.items() if drawn[clip])
        plans.append(_plan(world, split, drive, index, times[drive], weathers[drive], curved[clip], tail))
    return plans


def _balanced(world: WorldConfig) -> list[ClipPlan]:
    """Every time of day x weather equally often, each clip with one rare scene in turn."""
    cells = list(product(TIMES_OF_DAY, WEATHERS))
    plans: list[ClipPlan] = []
    drive = 0
    for number, (time_of_day, weather) in enumerate(cells):
        clips = len(range(number, world.balanced_clips, len(cells)))
        for clip in range(clips):
            index = clip % world.clips_per_drive
            tail = frozenset([tuple(SCENES)[(clip + number) % len(SCENES)]])
            road = ("straight", "curved")[(clip // len(SCENES) + number) % 2]
            plans.append(_plan(world, TEST_BALANCED, drive, index, time_of_day, weather, road, tail))
            if index == world.clips_per_drive - 1 or clip == clips - 1:
                drive += 1
    return plans


def _plan(
    world: WorldConfig,
    split: str,
    drive: int,
    index: int,
    time_of_day: str,
    weather: str,
    road: str,
    tail: frozenset[str],
) -> ClipPlan:
    rng = Streams(world.seed).generator(f"drive/{split}", drive)
    day, vehicle = int(rng.integers(0, 60)), int(rng.integers(NUM_VEHICLES))
    hour = rng.uniform(*_HOURS[time_of_day])
    start = _EPOCH_S + 86_400.0 * day + round(3_600 * hour) + 90.0 * index
    return ClipPlan(
        split=split,
        drive_index=drive,
        clip_index=index,
        vehicle=vehicle,
        time_of_day=time_of_day,
        weather=weather,
        road=road,
        tail=tail,
        start_time_s=start,
    )

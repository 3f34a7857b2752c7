"""Renders a whole fleet into a folder, clip by clip, in as many processes as asked for.

Every clip depends on the world and its own place in the plan alone, so the number of processes never
shows in the files. A run that was stopped goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, cast

from dataengine import files
from dataengine.config import WorldConfig
from dataengine.errors import WorkspaceError
from dataengine.executor import ordered_map
from dataengine.progress import bar
from dataengine.simulator.plan import ClipPlan, clip_paths, plan_fleet
from dataengine.simulator.traffic import CLASSES

FORMAT = 1
INDEX, STARTED = "fleet.json", ".world.json"
"""The index is written last; which world is being rendered is noted before the first clip."""


def render_fleet(world: WorldConfig, folder: Path, *, workers: int) -> None:
    """Record every clip of a world; clips that are already there are left alone.

    Args:
        world: The world and its rates.
        folder: Where recordings go; made when missing.
        workers: Processes; 0 takes every core this process may use.

    Raises:
        ConfigError: A rate of the world names something unknown.
        WorkspaceError: The folder holds another world's fleet, cannot be written, or the disk is full.
    """
    plans = plan_fleet(world)
    identity = json.loads(json.dumps({"format": FORMAT, "world": asdict(world)}))
    _refuse_other_world(folder, identity)
    if _load(folder / STARTED) != identity:
        files.write_json(folder / STARTED, identity)
    with files.user_facing_os_errors(folder):
        for stale in folder.glob("**/.*.tmp"):
            stale.unlink(missing_ok=True)
    todo = [plan for plan in plans if not all(path.is_file() for path in clip_paths(folder, plan))]
    frames = round(world.fps * world.clip_seconds) * len(todo)
    numbers = ordered_map(partial(_record, world, folder), todo, workers=min(workers, len(todo)) or workers)
    with bar("rendering", frames) as advance, closing(cast(Generator[int, None, None], numbers)):
        for number in numbers:
            advance(number)
    clips = [clip_paths(folder, plan)[0].relative_to(folder).as_posix() for plan in plans]
    index = {**identity, "classes": list(CLASSES), "clips": clips}
    if _load(folder / INDEX) != index:
        files.write_json(folder / INDEX, index)


def _load(path: Path) -> dict[str, Any] | None:
    """A JSON object, or nothing where there is no readable one."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _refuse_other_world(folder: Path, identity: dict[str, Any]) -> None:
    for name in (INDEX, STARTED):
        found = _load(folder / name)
        if found is None or {key: found.get(key) for key in identity} == identity:
            continue
        there, here = found.get("world") or {}, identity["world"]
        other = [
            f"{key} is {there.get(key)} there, {here[key]} here"
            for key in here
            if there.get(key) != here[key]
        ]
        raise WorkspaceError(
            f"{folder / name} belongs to another fleet ({'; '.join(other) or 'of another format'}); "
            "choose another workspace=PATH, or delete that folder"
        )


def _record(world: WorldConfig, folder: Path, plan: ClipPlan) -> int:
    """Record one clip with a single thread, so that processes do not fight over cores."""
    import cv2

    from dataengine.simulator.recorder import record

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        return record(world, plan, folder)
    finally:
        cv2.setNumThreads(threads)

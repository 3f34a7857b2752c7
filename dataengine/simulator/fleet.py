"""Renders a whole fleet into a folder, clip by clip, in as many processes as asked for.

Every clip depends on the world and its own place in the plan alone, so the number of processes never
shows in the files. A run that was stopped goes on where it was.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from dataengine import files
from dataengine.config import WorldConfig
from dataengine.errors import WorkspaceError
from dataengine.progress import bar
from dataengine.simulator.plan import ClipPlan, plan_fleet
from dataengine.simulator.traffic import CLASSES

FORMAT = 1
INDEX, STARTED = "fleet.json", "world.json"
"""The index is written last; what is being rendered is noted before the first clip."""


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
    if not (folder / STARTED).exists():
        files.write_json(folder / STARTED, identity)
    for stale in folder.glob("**/.*.tmp"):
        stale.unlink(missing_ok=True)
    todo = [plan for plan in plans if not _recorded(folder, plan)]
    if todo:
        with bar("rendering", round(world.fps * world.clip_seconds) * len(todo)) as advance:
            _record_all(world, folder, todo, workers or _cores(), advance)
    index = {
        **identity,
        "classes": list(CLASSES),
        "clips": [f"{plan.drive_id}/{plan.clip_id}.mp4" for plan in plans],
    }
    if todo or _load(folder / INDEX) != index:
        files.write_json(folder / INDEX, index)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
        theirs, ours = found.get("world") or {}, identity["world"]
        differing = [f"{key}={theirs.get(key)} there, {value} here" for key, value in ours.items() if theirs.get(key) != value]
        raise WorkspaceError(
            f"{folder / name} belongs to another fleet ({'; '.join(differing) or 'another format'}); "
            "choose another workspace=PATH or delete that folder"
        )


def _recorded(folder: Path, plan: ClipPlan) -> bool:
    """Whether all three files of a clip are there."""
    base = folder / plan.drive_id / plan.clip_id
    return all(base.with_name(base.name + suffix).is_file() for suffix in (".mp4", ".truth.parquet", ".json"))


def _record_all(
    world: WorldConfig, folder: Path, plans: list[ClipPlan], workers: int, advance: Callable[[int], None]
) -> None:
    workers = min(workers, len(plans))
    if workers == 1:
        for plan in plans:
            advance(_record(world, plan, folder))
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
    try:
        with _shielded_start():
            jobs: list[Future[int]] = [pool.submit(_record, world, plan, folder) for plan in plans]
        for job in as_completed(jobs):
            advance(job.result())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _record(world: WorldConfig, plan: ClipPlan, folder: Path) -> int:
    """Record one clip with a single thread, so that processes do not fight over cores."""
    import cv2

    from dataengine.simulator.recorder import record

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        return record(world, plan, folder)
    finally:
        cv2.setNumThreads(threads)


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, and go when it is gone, however it went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()


def _follow(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


@contextmanager
def _shielded_start() -> Iterator[None]:
    """Start processes that neither see Ctrl-C before they can ignore it, nor run the caller's script again.

    A spawned process imports the caller's main module; ours needs nothing from it, and a script without
    an ``if __name__ == "__main__"`` guard would render the fleet once more in every process.
    """
    main = sys.modules["__main__"]
    own_thread = threading.current_thread() is threading.main_thread()
    if own_thread:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        if own_thread:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

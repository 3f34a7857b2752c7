"""The loop: mine, label, train, predict, evaluate, and around again, for each arm.

The journal of a run is its only state: killed at any instant, the same command continues at the
first stage without an entry and ends in the same files.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dataengine import executor, files, learn, progress
from dataengine.arm import Arm, checked
from dataengine.config import Config
from dataengine.errors import UserError
from dataengine.stages import RUNNERS, bought_nothing, record
from dataengine.workspace import Run, Workspace

STAGES = tuple(RUNNERS)
LAST = STAGES[-1]


def arms(config: Config) -> list[str]:
    """The arms of one invocation: the baseline first, then ``mine.name``."""
    return list(dict.fromkeys(name for name in (config.loop.baseline, config.mine.name) if name))


@dataclass(frozen=True, kw_only=True)
class _Share:
    """What one process of several works on."""

    root: Path
    config: Config
    name: str
    aloud: bool


def run(workspace: Workspace, config: Config) -> list[Run]:
    """Every arm through every cycle; returns their runs.

    On a CPU with cores to spare the arms run side by side after their shared cycle 0, each with its
    share of the threads: two fits of one thread each finish sooner than one after the other with two.

    Raises:
        UserError: Settings and data do not fit together, or a service is gone.
    """
    names = arms(config)
    for name in names:
        checked(name, config)
    opened = [Arm.open(workspace, config, name) for name in names]
    number = min(len(names), learn.cpu_threads(config.compute)) if config.compute.side_by_side else 1
    if number > 1:
        for arm in opened:
            run_cycle(arm, 0)
        threads = learn.cpu_threads(config.compute) // number
        shared = replace(config, compute=replace(config.compute, threads=threads))
        shares = [
            _Share(root=workspace.root, config=shared, name=name, aloud=name == names[0]) for name in names
        ]
        for _ in executor.ordered_map(_run_share, shares, workers=number):
            pass
    else:
        for arm in opened:
            run_arm(arm)
    return [arm.run for arm in opened]


def _run_share(share: _Share) -> None:
    if not share.aloud:
        progress.silence()  # one bar at a time
    run_arm(Arm.open(Workspace.open(share.root), share.config, share.name))


def run_arm(arm: Arm) -> None:
    """Every cycle of an arm, from where it stands, until there is nothing left to buy."""
    for cycle in range(arm.config.loop.cycles):
        if not run_cycle(arm, cycle):
            progress.say(f"{arm.name}: the pool is empty after cycle {cycle - 1}; nothing is left to label")
            return


def run_cycle(arm: Arm, cycle: int) -> bool:
    """One cycle from the first stage that is not done; False where there is nothing left to buy."""
    if cycle == 0:
        adopt_start(arm)
    for stage in STAGES:
        run_stage(arm, cycle, stage)
        if stage == "label" and cycle > 0 and bought_nothing(arm, cycle):
            return False
    return True


def run_stage(arm: Arm, cycle: int, stage: str) -> None:
    """Run one stage unless the journal has it, and see that a judged cycle stands in the metrics."""
    if not arm.run.done(cycle, stage):
        began = time.perf_counter()
        written = RUNNERS[stage](arm, cycle)
        arm.run.finish(cycle, stage, written, time.perf_counter() - began)
    if stage == LAST and all(row["cycle"] != cycle for row in arm.run.metrics()):
        record(arm, cycle)


def advance(arm: Arm, stages: Sequence[str]) -> int:
    """Run the named stages at the point where the run stands; returns the cycle.

    Raises:
        UserError: Another stage comes first; the message names its verb.
    """
    adopt_start(arm)
    cycle, due = _position(arm)
    if cycle == 0:
        for stage in ("mine", "label"):
            if due == stage:  # the seed set is given, not chosen
                run_stage(arm, 0, stage)
                cycle, due = _position(arm)
    if due not in stages:
        verb = "evaluate" if due == "predict" else due
        raise UserError(f"{arm.run.folder}: cycle {cycle} wants `dataengine {verb} mine={arm.name}` first")
    for stage in stages[stages.index(due) :]:
        run_stage(arm, cycle, stage)
    return cycle


def _position(arm: Arm) -> tuple[int, str]:
    """The first cycle and stage without a journal entry."""
    cycle = 0
    while True:
        for stage in STAGES:
            if not arm.run.done(cycle, stage):
                return cycle, stage
        cycle += 1


def adopt_start(arm: Arm) -> None:
    """Take over cycle 0 from a run of the same seed and start, so that arms share it bit for bit."""
    if arm.run.done(0, LAST):
        return
    start = arm.run.settings["start"]
    for other in arm.workspace.runs():
        same = other.settings.get("start") == start and other.seed == arm.config.seed
        if not same or other.run_id == arm.run.run_id or not other.done(0, LAST):
            continue
        for stage in STAGES:
            entry = other.entry(0, stage)
            assert entry is not None
            if _has_the_same(arm.run, stage, entry["files"]):
                continue  # killed while it took over the rest
            written = [_copy(other, arm.run, name) for name in entry["files"]]
            if stage == "evaluate":
                manifest = arm.run.cycle(0) / "manifest.json"
                value = json.loads(manifest.read_text(encoding="utf-8"))
                files.write_json(manifest, {**value, "arm": arm.name})
            arm.run.finish(0, stage, written, entry["time_s"])
        record(arm, 0)
        progress.say(f"{arm.name}: cycle 0 is shared with {other.run_id}")
        return


def _has_the_same(run: Run, stage: str, wanted: dict[str, str]) -> bool:
    """Whether a stage of cycle 0 is done with exactly these files."""
    entry = run.entry(0, stage)
    return entry is not None and entry["files"] == wanted and run.done(0, stage)


def _copy(source: Run, target: Run, name: str) -> Path:
    content = (source.folder / name).read_bytes()
    files.atomic(target.folder / name, lambda temporary: temporary.write_bytes(content))
    return target.folder / name


def latest_runs(workspace: Workspace) -> list[Run]:
    """The runs that belong with the one that was last worked on: same settings, any arm and seed."""
    found = workspace.runs()
    if not found:
        return []
    newest = max(found, key=lambda run: (_touched(run), run.run_id))
    wanted = newest.settings["hash"]
    return [run for run in found if run.settings["hash"] == wanted]


def _touched(run: Run) -> float:
    journal = run.folder / "journal.jsonl"
    return journal.stat().st_mtime if journal.exists() else 0.0

"""Run what a plan holds: the recordings, cycle 0 of every trial, the noise floor, then the other arms.

Journals are the only state, as in ``dataengine.cycle``: killed at any instant, the same command goes on at
the first stage that is not done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.compute as pc
from threadpoolctl import threadpool_limits

from dataengine import cycle, executor, learn, progress
from dataengine.arm import Arm, run_of
from dataengine.compare.plan import Chain, Plan
from dataengine.config import ComputeConfig, Config
from dataengine.errors import ConfigError, InputError
from dataengine.schema import POOL, TEST
from dataengine.workspace import Workspace, lock


@dataclass(frozen=True, kw_only=True)
class _Job:
    """One chain for one process."""

    chain: Chain
    compute: ComputeConfig
    quiet: bool


@contextmanager
def locked(plan: Plan) -> Iterator[None]:
    """Hold the writer's locks of the comparison and of its workspaces.

    Raises:
        WorkspaceError: Another process writes in one of them.
    """
    with ExitStack() as held:
        for root in (plan.folder, *plan.roots):
            held.enter_context(lock(root))
        yield


def prepare(plan: Plan, ingest: Callable[[Config], Workspace]) -> None:
    """Every workspace, ready for its runs.

    Args:
        plan: What to run.
        ingest: Brings a dataset into the workspace that a config names; it may be there already.

    Raises:
        ConfigError: The seed set leaves nothing to choose from.
        InputError: Nobody labelled the pool, or the test.
    """
    for root in plan.roots:
        workspace = ingest(next(trial.config for trial in plan.trials if trial.root == root))
        for split, use in ((POOL, "no arm can buy any"), (TEST, "nothing can be measured")):
            if not pc.any(pc.is_in(workspace.frames(split)["frame_id"], workspace.lake.labelled())).as_py():
                raise InputError(f"there are no labels in the {split} of {root}, so {use}")
        wanted, there = plan.trials[0].config.loop.seed_frames, workspace.frames(POOL).num_rows
        if wanted >= there:
            raise ConfigError(
                f"loop.seed_frames={wanted} leaves nothing of the pool of {there} frames in {root} to choose "
                "from; lower it"
            )


def run(plan: Plan) -> None:
    """Every cell that is not done; ``prepare`` comes first.

    Chains run in processes of their own, one thread each on a CPU unless there are more threads than chains.
    """
    settings = plan.trials[0].config
    cells, number = _cells(plan), _num_processes(plan)
    threads = max(1, (settings.compute.threads or executor.num_cores()) // number)
    compute = replace(settings.compute, threads=threads)
    there = sum(path.is_file() for path in cells)
    progress.say(_announcement(plan, settings, len(cells), there))
    starts = [Chain(trial=trial, arm=settings.compare.baseline, cycles=1) for trial in plan.trials]
    with _counted(cells) if number > 1 else nullcontext():
        for chains in (starts, plan.chains):
            jobs = [_Job(chain=chain, compute=compute, quiet=number > 1) for chain in chains]
            for finished in executor.ordered_map(_run, jobs, workers=number):
                progress.say(finished)


def _run(job: _Job) -> str:
    """One chain to its end; returns a line that says so."""
    if job.quiet:
        progress.hush()
    chain, config = job.chain, replace(job.chain.config, compute=job.compute)
    with threadpool_limits(job.compute.threads, user_api="blas"):
        arm = Arm.open(Workspace.open(chain.trial.root), config, chain.arm)
        cycle.run_arm(arm)
    done = len([number for number in arm.run.completed_cycles() if number < chain.cycles])
    short = "" if done == chain.cycles else f" of {chain.cycles}: nothing was left to buy"
    return f"{chain}: {done} cycles done{short}"


def _num_processes(plan: Plan) -> int:
    settings = plan.trials[0].config
    wanted = settings.compare.processes
    if not wanted:
        wanted = learn.cpu_threads(settings.compute) if settings.compute.side_by_side else 1
    return min(wanted, len(plan.chains))


def _cells(plan: Plan) -> list[Path]:
    """The file that every cell ends with: cycle 0 of each trial, and the later cycles of each chain."""
    paths = []
    baseline = plan.trials[0].config.compare.baseline
    opened = {root: Workspace.open(root) for root in plan.roots}
    for trial in plan.trials:
        run = run_of(opened[trial.root], trial.config, baseline)
        paths.append(run.cycle(0) / "manifest.json")
    for chain in plan.chains:
        run = run_of(opened[chain.trial.root], chain.config, chain.arm)
        paths += [run.cycle(number) / "manifest.json" for number in range(1, chain.cycles)]
    return paths


def _announcement(plan: Plan, settings: Config, cells: int, there: int) -> str:
    parts = [f"compare: {len(plan.trials)} seeds, {len(plan.chains)} chains, {cells} cells"]
    parts.append(f"{plan.num_fits:g} times {settings.train.steps} steps")
    if there:
        parts.append(f"{there} cells are there already")
    elif settings.compare.expected_minutes:
        parts.append(f"about {settings.compare.expected_minutes:.0f} minutes on two cores")
    return "; ".join(parts)


@contextmanager
def _counted(cells: Sequence[Path]) -> Iterator[None]:
    """Show how many cells are done while processes of which nothing is heard work on them."""
    missing = set(cells)
    missing -= _present(missing)
    over = threading.Event()
    with progress.slow_bar("compare", len(cells), "cells", done=len(cells) - len(missing)) as advance:

        def watch() -> None:
            while not over.wait(1.0):
                fresh = _present(missing)
                missing.difference_update(fresh)
                if fresh:
                    advance(len(fresh))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()


def _present(paths: Iterable[Path]) -> set[Path]:
    return {path for path in paths if path.is_file()}

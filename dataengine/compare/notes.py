"""What a reader of a comparison has to know beside its first sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from dataengine.compare import headline
from dataengine.compare.grid import PRECISIONS, Grid, same_but_for_the_draw
from dataengine.compare.verdict import AXIS, CLAIM_SEEDS, METRIC, Outcome, judge
from dataengine.config import Config
from dataengine.mine import ArmName
from dataengine.schema import ALL_LABELS, TEST_SPLITS

MAX_NAMES = 6
"""Cells or figures that a note names before it only counts."""


def notes(
    grid: Grid, tables: Mapping[str, pa.Table], config: Config, *, arms: Sequence[str], main: str | None
) -> Iterator[str]:
    """Every note, the weightiest first.

    Args:
        grid: The cells.
        tables: Everything that was made of them.
        config: What was planned.
        arms: Arms with a cycle beyond 0.
        main: The arm of the headline.
    """
    others = [arm for arm in arms if arm != main]
    if main is not None:
        yield from _verdicts(grid, tables, config, [main], main)
        yield from _closest(tables, main, config)
    yield from _chance(grid, tables, config)
    yield from _seeds(grid)
    yield from _missing(grid, config)
    yield from _unequal(grid)
    yield from _unknown(grid)
    yield from _drives(grid, config)
    yield from _forecasts(tables)
    yield from _verdicts(grid, tables, config, others, main)


def _verdicts(
    grid: Grid, tables: Mapping[str, pa.Table], config: Config, arms: Sequence[str], main: str | None
) -> Iterator[str]:
    """What some arms found on each test, without what the headline says."""
    baseline = grid.arms[0]
    confidence = config.compare.confidence
    first = judge(main, baseline, tables, confidence=confidence) if main else None
    again = {grid.arms[number] for number in grid.noise_arms}
    splits = [split for split in TEST_SPLITS if any(figure.split == split for figure in grid.figures)]
    for arm in arms:
        if arm in (baseline, ALL_LABELS) or arm in again:
            continue
        for split in splits:
            found = judge(arm, baseline, tables, confidence=confidence, split=split)
            if found is None or (first and (arm, split) == (first.arm, first.split)):
                continue
            yield headline.sentence(found, arm=arm, baseline=baseline, both_tests=len(splits) > 1)


def _closest(tables: Mapping[str, pa.Table], main: str, config: Config) -> Iterator[str]:
    """The strongest of the other arms that could be had, on each test."""
    decisive = [row for row in tables["rivals"].to_pylist() if row["metric"] == f"{METRIC}:area_{AXIS}"]
    rows = [row for row in decisive if not ArmName.parse(row["other"]).is_ceiling]
    tests = {split: [row for row in rows if row["split"] == split] for split in TEST_SPLITS}
    both = all(tests.values())
    for split, own in tests.items():
        part = "tail" if any(row["slice"] == "tail" for row in own) else "all"
        row = min((row for row in own if row["slice"] == part), key=lambda row: row["value"], default=None)
        if row is not None:
            interval = headline.interval_of(row, config.compare.confidence, form="+.3f")
            yield (
                f"The strongest of the other arms is {row['other']}: {main} minus it is {row['value']:+.3f} "
                f"{headline.figure_name(part)} on {headline.test_name(split, both)} ({interval}), averaged "
                f"over the annotator {AXIS} spent."
            )


def _chance(grid: Grid, tables: Mapping[str, pa.Table], config: Config) -> Iterator[str]:
    """What the machinery says of two draws of the baseline."""
    baseline = grid.arms[0]
    if not grid.noise_arms:
        yield f"{baseline} was drawn once, so there is no noise floor and nothing can be claimed."
        return
    for number in grid.noise_arms:
        name = grid.arms[number]
        found = judge(name, baseline, tables, confidence=config.compare.confidence)
        if found is None:
            continue
        row = found.area
        said = "nothing" if found.outcome is Outcome.level else "a difference where there is none"
        interval = headline.interval_of(row, found.confidence, form="+.3f")
        yield (
            f"Noise: {name} against {baseline} is {row['value']:+.3f} ({interval}) in the area that decides; "
            f"the floor is {row['noise']:.3f} for a mean over {found.num_seeds}, {row['noise_per_seed']:.3f} "
            f"for one seed. The machinery finds {said}."
        )


def _seeds(grid: Grid) -> Iterator[str]:
    run = ~np.isnan(grid.costs[..., 0])
    for number in grid.payers:
        pairs = int((run[:, number, 1:] & run[:, 0, 1:]).any(axis=1).sum())
        if 0 < pairs < CLAIM_SEEDS:
            yield f"{grid.arms[number]} has {pairs} of the {CLAIM_SEEDS} seeds that a claim takes."
    ceiling = grid.arm(ALL_LABELS)
    if ceiling is not None and 0 < (ran := int(run[:, ceiling, 1:].any(axis=1).sum())) < len(grid.trials):
        yield f"{ALL_LABELS} ran in {ran} of {len(grid.trials)} seeds: 95% of it is told of those alone."


def _missing(grid: Grid, config: Config) -> Iterator[str]:
    """Planned cells that are not there."""
    run = ~np.isnan(grid.costs[..., 0])
    absent = []
    for name, seed, cycle in planned(config):
        trial, arm = f"s{seed}", grid.arm(name)
        there = trial in grid.trials and arm is not None and cycle < run.shape[2]
        if not there or not run[grid.trials.index(trial), arm, cycle]:
            absent.append(f"{name} {trial} cycle {cycle}")
    if absent:
        yield f"{len(absent)} planned cells are missing: {_some(absent)}."


def planned(config: Config) -> Iterator[tuple[str, int, int]]:
    """Arm, seed and cycle of every cell that the config asks for."""
    compare, cycles = config.compare, config.loop.cycles
    base = ArmName.parse(compare.baseline)
    again = [str(replace(base, draw=base.draw + 1))] if compare.noise else []
    for name in dict.fromkeys([compare.baseline, *again, *compare.arms]):
        parsed = ArmName.parse(name)
        full = parsed.miner == ALL_LABELS
        last = (compare.baseline_cycles or cycles) if same_but_for_the_draw(parsed, base) else cycles
        for seed in compare.seeds[: compare.full_seeds] if full else compare.seeds:
            for cycle in range(min(last, 2) if full else last):
                yield name, seed, cycle


def _unequal(grid: Grid) -> Iterator[str]:
    run = ~np.isnan(grid.costs[..., 0])
    for number, name in enumerate(grid.arms):
        ends = run[:, number].sum(axis=1)
        ends = ends[ends > 0]
        if len(set(ends.tolist())) > 1:
            yield (
                f"{name} ran {ends.min()} to {ends.max()} cycles, by seed: its savings are of the seeds that "
                "ran all of them."
            )


def _unknown(grid: Grid) -> Iterator[str]:
    """Figures that some cell could not measure."""
    run = ~np.isnan(grid.costs[..., 0])
    gone = np.any(np.isnan(grid.values) & run[..., None], axis=(0, 1, 2)).tolist()
    names = [
        f"{figure.slice} of {figure.split}"
        for figure, unknown in zip(grid.figures, gone, strict=True)
        if unknown and figure.metric == PRECISIONS[0]
    ]
    if names:
        yield f"No object to measure on, in some seeds at least: {_some(names)}."


def _drives(grid: Grid, config: Config) -> Iterator[str]:
    if not grid.replicates.size:
        yield "There are no replicates of the drives: intervals are over seeds alone."
    elif not config.compare.world_per_seed and len(grid.trials) > 1:
        yield "All seeds are judged on the same drives: the intervals count their luck once for all seeds."


def _forecasts(tables: Mapping[str, pa.Table]) -> Iterator[str]:
    rows: list[dict[str, Any]] = tables["forecasts"].to_pylist() if "forecasts" in tables else []
    known = [row for row in rows if np.isfinite([row["lower"], row["upper"], row["outcome"]]).all()]
    if known:
        held = np.mean([row["lower"] <= row["outcome"] <= row["upper"] for row in known])
        yield f"Forecasts: the 90% intervals held {held:.0%} of {len(known)} outcomes."


def _some(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")

"""Figures over seeds: one estimate per arm, cycle, split, slice and metric, and the cycle to compare at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dataengine.report.data import Arm, Cost, Gathered, RunRecord
from dataengine.report.numbers import Estimate, plural
from dataengine.schema import TEST_SPLITS


@dataclass(frozen=True, slots=True)
class Point:
    """One cycle of a budget curve."""

    cycle: int
    cost: Cost
    estimate: Estimate


NONE = Estimate(math.nan, seeds=0)


def estimate(records: Sequence[RunRecord], cycle: int, split: str, slice_name: str, metric: str) -> Estimate:
    """One figure over the runs that finished the cycle."""
    found = [r for r in records if not math.isnan(r.values.get((cycle, split, slice_name, metric), math.nan))]
    if not found:
        return NONE
    values = [record.values[cycle, split, slice_name, metric] for record in found]
    if len(found) > 1:
        return Estimate(sum(values) / len(values), min(values), max(values), len(values))
    ends = (found[0].values.get((cycle, split, slice_name, f"{metric}_{e}")) for e in ("lower", "upper"))
    lower, upper = (math.nan if end is None else end for end in ends)
    return Estimate(values[0], lower, upper)


def mean_cost(records: Sequence[RunRecord], cycle: int) -> Cost:
    """Mean cumulative cost of the runs that finished the cycle."""
    costs = [record.costs[cycle] for record in records if cycle in record.costs]
    if not costs:
        return Cost(math.nan, math.nan, math.nan)
    number = len(costs)
    return Cost(
        sum(c.frames for c in costs) / number,
        sum(c.boxes for c in costs) / number,
        sum(c.seconds for c in costs) / number,
    )


def common_cycles(records: Sequence[RunRecord]) -> list[int]:
    """Cycles that every one of the runs has finished."""
    shared = set(records[0].cycles) if records else set()
    for record in records[1:]:
        shared &= set(record.cycles)
    return sorted(shared)


def curve(records: Sequence[RunRecord], split: str, slice_name: str, metric: str) -> list[Point]:
    """The budget curve over the cycles that all the runs have finished; cycles without a figure left out."""
    points = [
        Point(cycle, mean_cost(records, cycle), estimate(records, cycle, split, slice_name, metric))
        for cycle in common_cycles(records)
    ]
    return [point for point in points if not math.isnan(point.estimate.value)]


def test_splits(gathered: Gathered) -> list[str]:
    """The test splits that were evaluated, the natural one first."""
    seen = {key[1] for record in gathered.records for key in record.values}
    return [split for split in TEST_SPLITS if split in seen]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Where the arms stand side by side.

    Attributes:
        cycle: The last cycle that every compared run has finished.
        arms: The arms, each with only the runs that take part.
        paired: Whether every arm takes part with the same seeds.
        unfinished: A line for each run that has fewer cycles than its settings ask for.
    """

    cycle: int
    arms: tuple[Arm, ...]
    paired: bool
    unfinished: tuple[str, ...]

    @property
    def records(self) -> list[RunRecord]:
        """The runs that take part."""
        return [record for arm in self.arms for record in arm.runs]

    @property
    def num_seeds(self) -> int:
        """Seeds of the arm that has the fewest."""
        return min(len(arm.runs) for arm in self.arms)

    @property
    def baseline(self) -> Arm | None:
        """The arm that the others are compared with: ``random``, else the first of several."""
        return self.arms[0] if len(self.arms) > 1 else None

    def at_end(self, arm: Arm, split: str, slice_name: str, metric: str) -> Estimate:
        """An arm's figure at the compared cycle."""
        return estimate(arm.runs, self.cycle, split, slice_name, metric)

    def difference(self, arm: Arm, split: str, slice_name: str, metric: str) -> float:
        """An arm's figure minus the baseline's; NaN where either is missing."""
        if self.baseline is None:
            return math.nan
        ours = self.at_end(arm, split, slice_name, metric)
        return ours.value - self.at_end(self.baseline, split, slice_name, metric).value


def compare(gathered: Gathered) -> Comparison | None:
    """Choose the cycle and the runs to compare; ``None`` without a finished cycle.

    Arms are compared on the seeds they share, because the start set is the largest source of noise;
    where they share none, all runs take part and ``paired`` is false. The cycle is the last one that
    some shared seed has finished in every arm; seeds that are not there yet stay out.
    """
    if not gathered.arms:
        return None
    shared = set(gathered.arms[0].seeds).intersection(*(arm.seeds for arm in gathered.arms))
    pools = [[r for r in arm.runs if not shared or r.seed in shared] for arm in gathered.arms]
    if shared:
        depth = {seed: min(r.cycles[-1] for pool in pools for r in pool if r.seed == seed) for seed in shared}
        cycle = max(depth.values())
        kept = [[r for r in pool if depth[r.seed] >= cycle] for pool in pools]
    else:
        cycle = min(max(r.cycles[-1] for r in pool) for pool in pools)
        kept = [[r for r in pool if r.cycles[-1] >= cycle] for pool in pools]
    return Comparison(
        cycle=cycle,
        arms=tuple(
            Arm(arm.name, arm.slot, tuple(runs)) for arm, runs in zip(gathered.arms, kept, strict=True)
        ),
        paired=bool(shared),
        unfinished=_unfinished(gathered),
    )


def _unfinished(gathered: Gathered) -> tuple[str, ...]:
    return tuple(
        f"{record.arm} (seed {record.seed}) has finished "
        f"{len(record.cycles)} of {plural(record.planned_cycles, 'cycle')}"
        for record in (*gathered.records, *gathered.waiting)
        if len(record.cycles) < record.planned_cycles and not record.is_exhausted
    )

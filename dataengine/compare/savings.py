"""What an arm saves: the cost at which its curve reaches a level, against what the baseline paid for it.

Single runs cross a level early or late by luck, so the saving is read off the mean curves of the trials,
and its interval off the mean curves of their resamples. Curves are linear in cost between cycles (learning
curves bend nearer to the logarithm of the cost, above the straight line, so a crossing is told too late
rather than too early, for arm and baseline alike), and count from the first time they reach the level. A
curve that does not get there has no cost there: such a resample counts as saving less than any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine.compare.grid import Grid
from dataengine.compare.resampling import Floats, Plan, Resampler
from dataengine.compare.tables import AXES, SAVINGS, fill
from dataengine.schema import ALL_LABELS, TEST_SPLITS

SLICES = ("all", "tail", "class:")
"""Slices, or their beginnings, of which savings and shares are told."""

CEILING_SHARE = 0.95
"""Share of the ceiling that counts as having reached it (PROTOCOL, labels-to-95%)."""


def position(values: Floats, level: Floats) -> Floats:
    """Where curves first reach a level, in cycles: 1.25 is a quarter of the way from cycle 1 to cycle 2.

    Args:
        values: ``[B, C, F]``, none NaN.
        level: ``[B, F]``.

    Returns:
        ``[B, F]`` in 0..C-1; NaN where a curve does not get there.
    """
    answer = np.full(level.shape, np.nan)
    for cycle in range(values.shape[1] - 1, 0, -1):
        before, after = values[:, cycle - 1], values[:, cycle]
        crosses = (after >= level) & (before < level)
        np.divide(level - before, after - before, out=answer, where=crosses)
        answer[crosses] += cycle - 1
    return np.where(values[:, 0] >= level, 0.0, answer)


def cost_at(costs: Floats, where: Floats) -> Floats:
    """Cost of curves at some positions, linear between cycles.

    Args:
        costs: ``[B, C]``.
        where: ``[B, F]`` from ``position``.

    Returns:
        ``[B, F]``; NaN where ``where`` is.
    """
    known = np.nan_to_num(where)
    before = np.floor(known).astype(np.int64)
    after = np.minimum(before + 1, costs.shape[1] - 1)
    low, high = (np.take_along_axis(costs, index, axis=1) for index in (before, after))
    answer: Floats = np.where(np.isnan(where), np.nan, low + (known - before) * (high - low))
    return answer


def saving(cost: Floats, baseline_cost: Floats) -> Floats:
    """``1 - cost / baseline_cost``; -inf where the arm has no cost, inf where the baseline alone has none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = 1 - cost / baseline_cost
    found = np.where(np.isnan(baseline_cost), np.inf, found)
    return np.where(np.isnan(cost), -np.inf, found)


def savings(grid: Grid, resampler: Resampler) -> pa.Table:
    """Table of schema ``SAVINGS``."""
    return fill(SAVINGS, _blocks(grid, resampler))


def _blocks(grid: Grid, resampler: Resampler) -> Iterator[dict[str, Any]]:
    figures = grid.chosen(slices=SLICES, splits=TEST_SPLITS)
    ceiling = grid.arm(ALL_LABELS)
    for arm in (0, *grid.payers):
        for target, top in (("baseline_final", 0), ("95_of_ceiling", ceiling)):
            if top is None:
                continue
            curves = [_complete(grid, number, figures) for number in (arm, 0, top)]
            known = np.all([~np.isnan(curve.values).any(axis=1) for curve in curves], axis=0)
            for plan, rows in resampler.groups(known):
                told = [curve.of(plan, rows) for curve in curves]
                factor = CEILING_SHARE if top else 1.0
                for block in _group(plan, told, factor):
                    yield {
                        "arm": grid.arms[arm],
                        "target": target,
                        **grid.label(figures[rows]),
                        **block,
                    }


class _Curve(NamedTuple):
    """An arm's curve as far as it goes.

    Attributes:
        costs: ``[T, C, 3]``.
        values: ``[T, C, F]``; all NaN in a trial that did not run all of the C cycles.
        replicates: ``[T, N, C, F]``; NaN where there are none.
    """

    costs: Floats
    values: Floats
    replicates: NDArray[np.float32]

    def of(self, plan: Plan, rows: NDArray[np.int64]) -> _Curve:
        """That of some trials and figures."""
        chosen = plan.trials
        return _Curve(self.costs[chosen], self.values[chosen][..., rows], self.replicates[chosen][..., rows])

    def draws(self, plan: Plan) -> tuple[Floats, Floats]:
        """Resampled mean costs ``[B, C, 3]`` and values ``[B, C, F]``."""
        number, num_cycles, num_figures = self.values.shape
        costs = plan.means(self.costs.reshape(number, -1))
        values = plan.means(
            self.values.reshape(number, -1),
            self.replicates.reshape(number, -1, num_cycles * num_figures),
        )
        return costs.reshape(-1, num_cycles, len(AXES)), values.reshape(-1, num_cycles, num_figures)


def _complete(grid: Grid, arm: int, figures: NDArray[np.int64]) -> _Curve:
    run = ~np.isnan(grid.costs[:, arm, :, 0])
    last = int(np.flatnonzero(run.any(axis=0)).max(initial=0)) + 1
    values = grid.values[:, arm, :last][..., figures].copy()
    values[~run[:, :last].all(axis=1)] = np.nan
    replicates = np.moveaxis(grid.replicates_of(arm, figures)[:, :last], 1, 2)
    return _Curve(grid.costs[:, arm, :last], values, replicates)


def _group(plan: Plan, curves: list[_Curve], factor: float) -> Iterator[dict[str, Any]]:
    """The rows of figures that are known in the same trials, one axis after the other.

    Args:
        plan: Resamples of those trials.
        curves: Of the arm, of the baseline, and of whose end is the level.
        factor: Share of that end which is the level.
    """
    arm, base, top = curves
    drawn = [curve.draws(plan) for curve in (arm, base)]
    drawn_level = factor * top.draws(plan)[1][:, -1]
    each = [(curve.costs, curve.values) for curve in (arm, base)]
    each_level = factor * top.values[:, -1]
    mean = [(costs.mean(axis=0)[None], values.mean(axis=0)[None]) for costs, values in each]
    level = each_level.mean(axis=0)
    draws, trials, means = (
        [_costs(curve, goal) for curve in told]
        for told, goal in ((drawn, drawn_level), (each, each_level), (mean, level[None]))
    )
    for axis, name in enumerate(AXES):
        cost, baseline_cost = (found[axis][0] for found in means)
        value = _finite(saving(cost, baseline_cost))
        ends = plan.interval(saving(*(found[axis] for found in draws)))
        lower, upper = (np.where(np.isnan(value), np.nan, _finite(end)) for end in ends)
        with np.errstate(invalid="ignore"):  # between a trial below and one above any other
            median = _finite(np.median(saving(*(found[axis] for found in trials)), axis=0))
        yield {
            "axis": name,
            "level": level,
            "cost": cost,
            "baseline_cost": baseline_cost,
            "value": value,
            "lower": lower,
            "upper": upper,
            "median": median,
            "reached": (~np.isnan(trials[0][axis])).mean(axis=0),
            "num_seeds": np.full(len(cost), len(plan.trials)),
        }


def _costs(curve: tuple[Floats, Floats], level: Floats) -> list[Floats]:
    """``[B, F]`` on each axis: where curves ``[B, C, 3]``, ``[B, C, F]`` reach levels ``[B, F]``."""
    costs, values = curve
    where = position(values, level)
    return [cost_at(costs[:, :, axis], where) for axis in range(len(AXES))]


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)

"""Budget curves of every arm, and how far each is from the baseline, at each cycle and as areas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine.compare import areas
from dataengine.compare.grid import ERRORS, PRECISIONS, Grid
from dataengine.compare.resampling import Estimates, Floats, Resampler, student_t
from dataengine.compare.tables import AXES, CURVES, DIFFERENCES, fill
from dataengine.evaluate.bootstrap import mean_of_known

AREA_CYCLE = -1
"""Where other rows name a cycle, a row about a whole curve says this."""


def curves(grid: Grid, resampler: Resampler) -> pa.Table:
    """Table of schema ``CURVES``."""
    return fill(CURVES, _curve_blocks(grid, resampler))


def _curve_blocks(grid: Grid, resampler: Resampler) -> Iterator[dict[str, Any]]:
    most = np.array([1.0 if figure.metric in PRECISIONS else np.inf for figure in grid.figures])
    for arm, name in enumerate(grid.arms):
        for cycle in range(grid.values.shape[2]):
            costs = grid.costs[:, arm, cycle]
            there = ~np.isnan(costs[:, 0])
            if not there.any():
                continue
            found = resampler.estimate(grid.values[:, arm, cycle], grid.replicates[:, arm, cycle])
            rows = np.flatnonzero(found.num_seeds)
            yield {
                "arm": name,
                "cycle": cycle,
                **dict(zip(AXES, costs[there].mean(axis=0).tolist(), strict=True)),
                **grid.label(rows),
                "value": found.value[rows],
                "lower": np.clip(found.lower, 0, most)[rows],
                "upper": np.clip(found.upper, 0, most)[rows],
                "num_seeds": found.num_seeds[rows],
            }


def differences(grid: Grid, resampler: Resampler) -> pa.Table:
    """Table of schema ``DIFFERENCES``."""
    return fill(DIFFERENCES, _difference_blocks(grid, resampler))


def _difference_blocks(grid: Grid, resampler: Resampler) -> Iterator[dict[str, Any]]:
    typical, dof = _noise(grid)
    better = np.array([-1.0 if figure.metric in ERRORS else 1.0 for figure in grid.figures])
    for arm in grid.payers:
        for key, gap, spread in gaps(grid, arm):
            found = resampler.estimate(gap, spread)
            rows = np.flatnonzero(found.num_seeds)
            if not len(rows):
                continue
            within = np.nan_to_num(typical[key])
            yield {
                "arm": grid.arms[arm],
                **columns(grid, key, found, rows),
                "wins": (gap * better > within).sum(axis=0)[rows],
                "ties": (np.abs(gap) <= within).sum(axis=0)[rows],
                "losses": (gap * better < -within).sum(axis=0)[rows],
                "noise": floor(typical[key], dof[key], found.num_seeds, resampler.confidence)[rows],
                "noise_per_seed": typical[key][rows],
            }


def columns(grid: Grid, key: Key, found: Estimates, rows: NDArray[np.int64]) -> dict[str, Any]:
    """What every table of differences says of some figures: where measured, and how large."""
    cycle, suffix = key
    label = grid.label(rows)
    label["metric"] = [metric + suffix for metric in label["metric"]]
    return {
        "cycle": cycle,
        **label,
        "value": found.value[rows],
        "lower": found.lower[rows],
        "upper": found.upper[rows],
        "num_seeds": found.num_seeds[rows],
    }


def paired(grid: Grid, resampler: Resampler, arm: int, other: int) -> Iterator[dict[str, Any]]:
    """Columns of an arm minus another at each cycle but 0, which they share, and for each area."""
    for key, gap, spread in gaps(grid, arm, other):
        found = resampler.estimate(gap, spread)
        rows = np.flatnonzero(found.num_seeds)
        if key[0] and len(rows):
            yield columns(grid, key, found, rows)


Key = tuple[int, str]
"""The cycle of a difference, and what comes after the name of its metric."""


def gaps(grid: Grid, arm: int, other: int = 0) -> Iterator[tuple[Key, Floats, NDArray[np.float32]]]:
    """An arm minus another, ``[T, F]``, with replicates ``[T, N, G]``, at each cycle and for each area."""
    for cycle in range(grid.values.shape[2]):
        values = grid.values[:, arm, cycle] - grid.values[:, other, cycle]
        yield (cycle, ""), values, grid.replicates[:, arm, cycle] - grid.replicates[:, other, cycle]
    for axis, name in enumerate(AXES):
        yield (AREA_CYCLE, f":area_{name}"), *areas.gaps(grid, arm, axis, other=other)


def _noise(grid: Grid) -> tuple[dict[Key, Floats], dict[Key, NDArray[np.int64]]]:
    """Root mean square ``[F]`` of the differences between draws of the baseline, and how many there are."""
    found: dict[Key, list[Floats]] = {}
    for arm in grid.noise_arms or [0]:
        for key, gap, _ in gaps(grid, arm):
            found.setdefault(key, []).append(gap if arm else np.full_like(gap, np.nan))
    stacked = {key: np.concatenate(gaps) for key, gaps in found.items()}
    dof = {key: (~np.isnan(gaps)).sum(axis=0) for key, gaps in stacked.items()}
    squares = {key: mean_of_known(gaps**2, axis=0) for key, gaps in stacked.items()}
    return {key: np.sqrt(square) for key, square in squares.items()}, dof


def floor(typical: Floats, dof: NDArray[np.int64], num_seeds: NDArray[np.int64], confidence: float) -> Floats:
    """What a mean of differences between equals stays within by chance.

    Two draws of the baseline differ by nothing but chance, so their mean square is the variance of one
    difference, with as many degrees of freedom as there are differences; the mean of ``num_seeds`` of them
    stays within ``t * typical / sqrt(num_seeds)`` at ``confidence``.

    Args:
        typical: ``[F]`` root mean square of the differences between two draws.
        dof: ``[F]`` how many it was made of.
        num_seeds: ``[F]`` trials in the mean that is judged.
        confidence: How often chance stays within the floor.
    """
    quantile = np.array([student_t(confidence, int(number)) if number else np.nan for number in dof])
    answer: Floats = typical * quantile / np.sqrt(np.maximum(num_seeds, 1))
    return answer

"""The normalised area under the budget curve: the mean height of a curve over what was spent.

A curve is linear in cost between its cycles. Of two curves only the costs that both reached are looked at, so
an arm that went further, or whose frames were dearer, gains nothing by it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dataengine.compare.grid import Grid
from dataengine.compare.resampling import Floats


def common_range(curves: Sequence[Floats]) -> tuple[float, float] | None:
    """Least and greatest cost that all curves hold; None where they share no stretch of it.

    Args:
        curves: Costs ``[C]`` of each curve; NaN where a cycle was not run.
    """
    if any(np.isnan(costs).all() for costs in curves):
        return None
    low = max(float(np.nanmin(costs)) for costs in curves)
    high = min(float(np.nanmax(costs)) for costs in curves)
    return (low, high) if high > low else None


def weights(costs: Floats, low: float, high: float) -> Floats:
    """How much each cycle counts in the mean height of a curve.

    Args:
        costs: ``[C]``, rising; NaN where a cycle was not run.
        low: Where the stretch begins, within the costs.
        high: Where it ends.

    Returns:
        ``[C]`` >= 0, of sum 1: the curve's mean height is their product with its values.
    """
    answer = np.zeros(len(costs))
    run = np.flatnonzero(~np.isnan(costs))
    inside = costs[run][(costs[run] > low) & (costs[run] < high)]
    knots = np.concatenate([[low], inside, [high]])
    height = np.stack([np.interp(knots, costs[run], unit) for unit in np.eye(len(run))])
    answer[run] = (np.diff(knots) * (height[:, 1:] + height[:, :-1]) / 2).sum(axis=1) / (high - low)
    return answer


def gaps(grid: Grid, arm: int, axis: int, *, other: int = 0) -> tuple[Floats, NDArray[np.float32]]:
    """Area of an arm minus that of another, trial by trial, over the costs that both reached.

    Returns:
        ``[T, F]`` differences, NaN where a trial lacks either curve, and ``[T, N, G]`` their replicates.
    """
    num_trials, _, _, num_figures = grid.values.shape
    values = np.full((num_trials, num_figures), np.nan)
    replicates = np.full((num_trials, *grid.replicates.shape[3:]), np.nan, np.float32)
    for trial in range(num_trials):
        costs = [grid.costs[trial, number, :, axis] for number in (arm, other)]
        stretch = common_range(costs)
        if stretch is None:
            continue
        shares = [weights(curve, *stretch) for curve in costs]
        for answer, figures in ((values, grid.values), (replicates, grid.replicates)):
            own, theirs = (
                _weighted(figures[trial, number], share)
                for number, share in zip((arm, other), shares, strict=True)
            )
            answer[trial] = own - theirs
    return values, replicates


def _weighted(curve: Floats, share: Floats) -> Floats:
    """Sum over the cycles ``[C, ...]`` that count; NaN where one of them is unknown."""
    counts = share > 0
    answer: Floats = np.tensordot(share[counts].astype(curve.dtype), curve[counts], axes=1)
    return answer

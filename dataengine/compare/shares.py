"""How much of what there was to gain an arm gained: its gain over the baseline against the oracle's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine.compare.grid import Grid
from dataengine.compare.resampling import Floats, Plan, Resampler
from dataengine.compare.savings import SLICES
from dataengine.compare.tables import SHARES, fill
from dataengine.schema import TEST_SPLITS

ORACLE = "oracle"


def shares(grid: Grid, resampler: Resampler) -> pa.Table:
    """Table of schema ``SHARES``: a ratio of means, for the mean of ratios follows the smallest divisor."""
    return fill(SHARES, _blocks(grid, resampler))


def _blocks(grid: Grid, resampler: Resampler) -> Iterator[dict[str, Any]]:
    oracle = grid.arm(ORACLE)
    if oracle is None:
        return
    figures = grid.chosen(slices=SLICES, splits=TEST_SPLITS)
    for arm in grid.payers:
        for cycle in range(1, grid.values.shape[2]):
            gains = [_gain(grid, number, cycle, figures) for number in (arm, oracle)]
            known = ~np.isnan(gains[0][0]) & ~np.isnan(gains[1][0])
            for plan, rows in resampler.groups(known):
                part = [(v[np.ix_(plan.trials, rows)], r[plan.trials][..., rows]) for v, r in gains]
                yield {
                    "arm": grid.arms[arm],
                    "cycle": cycle,
                    **grid.label(figures[rows]),
                    **_ratio(plan, *part),
                    "num_seeds": np.full(len(rows), len(plan.trials)),
                }


_Gain = tuple[Floats, NDArray[np.float32]]
"""``[T, F]`` of an arm over the baseline, and its replicates ``[T, N, F]``."""


def _gain(grid: Grid, arm: int, cycle: int, figures: NDArray[np.int64]) -> _Gain:
    values = grid.values[:, arm, cycle] - grid.values[:, 0, cycle]
    own, base = (grid.replicates_of(number, figures)[:, cycle] for number in (arm, 0))
    return values[:, figures], own - base


def _ratio(plan: Plan, arm: _Gain, oracle: _Gain) -> dict[str, Floats]:
    drawn, divisor = plan.means(*arm), plan.means(*oracle)
    mean, mean_top = arm[0].mean(axis=0), oracle[0].mean(axis=0)
    positive = divisor > 0
    ratio = np.divide(drawn, divisor, out=np.where(drawn < 0, -np.inf, np.inf), where=positive)
    told = (mean_top > 0) & ((~positive).mean(axis=0) <= (1 - plan.confidence) / 2)
    lower, upper = plan.interval(ratio)
    return {
        "value": np.divide(mean, mean_top, out=np.full_like(mean, np.nan), where=mean_top > 0),
        "lower": np.where(told & np.isfinite(lower), lower, np.nan),
        "upper": np.where(told & np.isfinite(upper), upper, np.nan),
    }

"""Percentile intervals by drawing whole drives with replacement (PROTOCOL, "bootstrap over drives").

Frames of one drive resemble each other, so drawing frames would call chance certain.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray


def drive_weights(num_drives: int, resamples: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """How often each drive was drawn.

    Returns:
        ``[1 + resamples, num_drives]``: the first row is the split as it is, all ones.
    """
    if num_drives == 0:
        return np.ones((1 + resamples, 0), np.int32)
    drawn = rng.multinomial(num_drives, np.full(num_drives, 1 / num_drives), size=resamples)
    return np.concatenate([np.ones((1, num_drives), np.int32), drawn.astype(np.int32)])


def interval(values: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Lower and upper end of the percentile interval (Efron 1979) over resamples ``[R]``.

    Resamples that drew no object of the slice are NaN and left out; NaN where all are.
    """
    tail = (1 - confidence) / 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all NaN: no drive holds the slice
        low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)


def mean_of_known(values: NDArray[np.float64], axis: int | tuple[int, ...]) -> NDArray[np.float64]:
    """Mean over an axis without the NaNs; NaN where there is nothing else."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    answer: NDArray[np.float64] = np.divide(
        total, count, out=np.full(np.shape(total), np.nan), where=count > 0
    )
    return answer

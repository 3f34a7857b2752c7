"""How well one column of numbers orders another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """``[N]`` rank of each value from 0; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    answer: NDArray[np.float64] = (np.cumsum(counts) - (counts + 1) / 2)[inverse.reshape(-1)]
    return answer


def auc(score: NDArray[Any], is_positive: NDArray[np.bool_]) -> float:
    """Chance in 0..1 that a positive scores above a negative, ties counting half; NaN without one of them."""
    positives = int(is_positive.sum())
    negatives = len(is_positive) - positives
    if not positives or not negatives:
        return float("nan")
    total = float(ranks(score)[is_positive].sum()) - positives * (positives - 1) / 2
    return total / (positives * negatives)


def spearman(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Rank correlation in -1..1; NaN where one of the two is constant."""
    one, two = ranks(first), ranks(second)
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(two) == 0:
        return float("nan")
    return float(np.corrcoef(one, two)[0, 1])

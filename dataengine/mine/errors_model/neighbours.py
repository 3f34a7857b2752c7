"""Distances to the nearest of a set of vectors, in blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CELLS_PER_BLOCK = 8_000_000
"""Distances held at once: some 32 MB."""

MOST_ROWS = 4_000
"""Rows that the usual distance is measured on."""


def mean_distance(rows: NDArray[np.float32], reference: NDArray[np.float32], k: int) -> NDArray[np.float64]:
    """``[N]`` mean Euclidean distance of each row to its ``k`` nearest reference rows.

    To all of them where there are fewer; infinite where there are none.
    """
    if not len(reference):
        return np.full(len(rows), np.inf)
    k = min(k, len(reference))
    answer = np.empty(len(rows))
    squares = np.einsum("md,md->m", reference, reference)
    step = max(1, CELLS_PER_BLOCK // len(reference))
    for begin in range(0, len(rows), step):
        block = rows[begin : begin + step]
        found = squares - 2 * (block @ reference.T)
        near = np.partition(found, k - 1, axis=1)[:, :k] if k < len(reference) else found
        near = near + np.einsum("nd,nd->n", block, block)[:, None]
        answer[begin : begin + step] = np.sqrt(np.maximum(near, 0)).mean(axis=1)
    return answer


def usual_distance(rows: NDArray[np.float32], group: NDArray[np.int64], k: int) -> float:
    """Median over rows of the mean distance to the ``k`` nearest of other groups; NaN with one group.

    Frames of one clip resemble each other: a row is not compared with its own group. Of very many rows some,
    evenly spaced, stand for all.
    """
    step = max(1, -(-len(rows) // MOST_ROWS))
    rows, group = rows[::step], group[::step]
    found = [
        mean_distance(rows[group == number], rows[group != number], k) for number in np.unique(group).tolist()
    ]
    values = np.concatenate(found) if found else np.zeros(0)
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else float("nan")

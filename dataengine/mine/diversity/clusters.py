"""k-means in plain numpy (Lloyd 1982; first centres by k-means++, Arthur 2007)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.diversity.draw import draw

FIT_ON = 20_000
"""Rows that the centres are fitted on, evenly taken; the others are assigned once."""

ROUNDS = 20
"""Rounds of Lloyd's algorithm at most; it ends earlier where nothing moves."""

CELLS_PER_BLOCK = 4_000_000
"""Distances held at once: some 16 MB."""

Rows = NDArray[np.float32]


def k_means(rows: Rows, num_clusters: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """``[N]`` number of the cluster of each row, below ``num_clusters``; some may be empty.

    Args:
        rows: ``[N, D]`` float32, finite.
        num_clusters: At least 1.
        rng: Draws the first centres.
    """
    if len(rows) <= num_clusters:
        return np.arange(len(rows))
    sample = rows[np.linspace(0, len(rows) - 1, min(FIT_ON, len(rows))).astype(np.int64)]
    centres = _first_centres(sample, min(num_clusters, len(sample)), rng)
    belongs = nearest(sample, centres)
    for _ in range(ROUNDS):
        centres = _means(sample, belongs, centres)
        moved = nearest(sample, centres)
        if np.array_equal(moved, belongs):
            break
        belongs = moved
    return nearest(rows, centres)


def nearest(rows: Rows, centres: Rows) -> NDArray[np.int64]:
    """``[N]`` which centre is the nearest to each row; ties to the first."""
    answer = np.empty(len(rows), np.int64)
    half = np.einsum("kd,kd->k", centres, centres) / 2
    step = max(1, CELLS_PER_BLOCK // len(centres))
    for begin in range(0, len(rows), step):
        block = slice(begin, begin + step)
        answer[block] = (rows[block] @ centres.T - half).argmax(axis=1)
    return answer


def _first_centres(rows: Rows, number: int, rng: np.random.Generator) -> Rows:
    """Rows drawn one after the other in proportion to the squared distance to those drawn before."""
    drawn = [int(rng.integers(len(rows)))]
    squared = np.einsum("nd,nd->n", rows, rows)
    distance = np.full(len(rows), np.inf)
    while len(drawn) < number:
        last = drawn[-1]
        new = np.maximum(squared + squared[last] - 2 * (rows @ rows[last]), 0).astype(np.float64)
        np.minimum(distance, new, out=distance)
        distance[last] = 0
        if not distance.any():  # fewer different rows than clusters
            break
        drawn.append(draw(distance, rng))
    return rows[drawn]


def _means(rows: Rows, belongs: NDArray[np.int64], centres: Rows) -> Rows:
    """Centres of the clusters; an empty one stays where it was."""
    counts = np.bincount(belongs, minlength=len(centres))
    order = np.argsort(belongs, kind="stable")
    filled = np.flatnonzero(counts)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    answer = centres.copy()
    answer[filled] = np.add.reduceat(rows[order], starts[filled], axis=0) / counts[filled, None]
    return answer

"""k-medoids: frames that stand for others, from distances alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ROUNDS = 100
"""Rounds at most, as in PPAL's published code; it usually settles within ten."""


def medoids(distances: NDArray[np.floating[Any]], number: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """``[number]`` different rows, so placed that every row is near one of them.

    A greedy k-centre start from a row drawn at random, then by turns: every row joins its nearest medoid, and
    every medoid moves to the member with the least sum of distances to the others. Ties go to the first.

    Args:
        distances: ``[M, M]``, symmetric, 0 on the diagonal.
        number: At most M.
        rng: Draws the first row.
    """
    if not number:
        return np.zeros(0, np.int64)
    centres = _spread(distances, number, int(rng.integers(len(distances))))
    for _ in range(ROUNDS):
        nearest = np.argmin(distances[:, centres], axis=1)
        nearest[centres] = np.arange(number)  # a twin elsewhere must not leave a medoid without itself
        moved = np.empty_like(centres)
        for cluster in range(number):
            members = np.flatnonzero(nearest == cluster)
            moved[cluster] = members[np.argmin(distances[np.ix_(members, members)].sum(axis=1))]
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres


def _spread(distances: NDArray[np.floating[Any]], number: int, first: int) -> NDArray[np.int64]:
    """Rows each farthest from those before it (Gonzalez 1985)."""
    centres = np.full(number, first, np.int64)
    nearest = distances[first].copy()
    for place in range(1, number):
        nearest[centres[:place]] = -1
        centres[place] = np.argmax(nearest)
        np.minimum(nearest, distances[centres[place]], out=nearest)
    return centres

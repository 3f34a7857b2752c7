"""Groups of embeddings that lie close together, each around its best one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataengine.curate.neighbours import Index, one_thread

BLOCK = 8192
"""Vectors that are asked about at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Who repeats whom.

    Attributes:
        best: ``[N]`` int64, the vector that each one repeats; -1 for the ones kept.
        distance: ``[N]`` float64, cosine distance to that one; 0 for the ones kept.
    """

    best: NDArray[np.int64]
    distance: NDArray[np.float64]


def group(index: Index, order: NDArray[np.int64], advance: Callable[[int], None] = lambda _: None) -> Groups:
    """Keep the best of what lies close together.

    In the given order, a vector is kept unless one kept before is its neighbour; each of the others
    joins its nearest kept one. So every repeat is within the distance of what stands for it and no two
    kept ones are neighbours. (Joining neighbours of neighbours instead would chain a whole slow drive
    into one group.) The rule is that of FiftyOne's ``compute_near_duplicates``.

    Args:
        index: An empty index of the vectors.
        order: Rows, best first.
        advance: Called with how many were decided.
    """
    with one_thread():
        return _nearest(index, order, _repeats(index, order, advance))


def _repeats(index: Index, order: NDArray[np.int64], advance: Callable[[int], None]) -> NDArray[np.bool_]:
    """``[N]`` which vectors are not kept; the kept ones are in the index afterwards."""
    repeats = np.zeros(len(index.vectors), np.bool_)
    for begin in range(0, len(order), BLOCK):
        rows = order[begin : begin + BLOCK]
        for pairs in index.search(rows, any_one=True):
            repeats[pairs.query] = True
        fresh = rows[~repeats[rows]]
        kept = fresh[_kept(len(fresh), _places(index, fresh))]
        repeats[fresh] = True
        repeats[kept] = False
        index.add(kept)
        advance(len(rows))
    return repeats


def _places(index: Index, rows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Neighbours among ``rows`` as places in it, the first of each pair before the second."""
    place = np.empty(len(index.vectors), np.int64)
    place[rows] = np.arange(len(rows))
    for pairs in index.within(rows):
        yield place[pairs.query], place[pairs.found]


def _kept(number: int, pairs: Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> NDArray[np.bool_]:
    """Which of ``number`` are kept when each is dropped that has a kept neighbour before it."""
    kept = np.ones(number, np.bool_)
    for left, right in pairs:  # they come in the order of ``left``
        begins = np.flatnonzero(np.concatenate([[True], left[1:] != left[:-1]]))
        ends = np.append(begins[1:], len(left))
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            if kept[left[begin]]:
                kept[right[begin:end]] = False
    return kept


def _nearest(index: Index, order: NDArray[np.int64], repeats: NDArray[np.bool_]) -> Groups:
    """Each repeat with its nearest kept vector; of equally near ones the better one."""
    best = np.full(len(repeats), -1, np.int64)
    distance = np.zeros(len(repeats))
    distance[repeats] = np.inf
    rank = np.empty(len(repeats), np.int64)
    rank[order] = np.arange(len(order))
    lost = np.flatnonzero(repeats)
    lost = lost[np.argsort(index.cell[lost], kind="stable")]
    for begin in range(0, len(lost), BLOCK):
        for pairs in index.search(lost[begin : begin + BLOCK]):
            chosen = np.lexsort((rank[pairs.found], pairs.distance, pairs.query))
            query, first = np.unique(pairs.query[chosen], return_index=True)
            found, near = pairs.found[chosen][first], pairs.distance[chosen][first]
            held = best[query]
            better = (near < distance[query]) | (
                (near == distance[query]) & (rank[found] < rank[np.maximum(held, 0)])
            )
            best[query[better]], distance[query[better]] = found[better], near[better]
    return Groups(best=best, distance=distance)

"""Who belongs to whom: pairs within a group, and one-to-one matching, for many groups at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def pairs_within(first: Rows, second: Rows) -> tuple[Rows, Rows]:
    """All pairs of an element of ``first`` and one of ``second`` of the same group.

    Args:
        first: ``[N]`` group of each element, rising.
        second: ``[M]`` group of each element, rising.

    Returns:
        ``[P]`` number in ``first`` and ``[P]`` number in ``second``, in rising order.
    """
    begin = np.searchsorted(second, first, side="left")
    partners = np.searchsorted(second, first, side="right") - begin
    left = np.repeat(np.arange(len(first)), partners)
    before = np.repeat(np.cumsum(partners) - partners, partners)
    return left, np.repeat(begin, partners) + np.arange(len(left)) - before


def cheapest_first(first: Rows, second: Rows, cost: NDArray[np.float64]) -> Rows:
    """Match one to one, the cheapest pair first.

    In every round all pairs are taken that are the cheapest for both of their ends; what is taken is just
    what going through the pairs by rising cost would take, in a few rounds for any number of groups. Ties
    go to the smaller numbers. An optimal assignment of the sum of costs (the Hungarian method) connects
    tracks no better: see ``tests/benchmarks/test_tracking.py`` for the two side by side.

    Args:
        first: ``[P]`` one end of each allowed pair.
        second: ``[P]`` the other end.
        cost: ``[P]`` lower is better.

    Returns:
        Numbers of the pairs that are taken, in rising order.
    """
    order = np.lexsort((second, first, cost))
    taken: list[Rows] = []
    spans = int(first.max(initial=-1)) + 1, int(second.max(initial=-1)) + 1
    while len(order):
        ends = first[order], second[order]
        is_best = np.ones(len(order), np.bool_)
        for end, span in zip(ends, spans, strict=True):
            best = np.empty(span, np.int64)
            best[end[::-1]] = np.arange(len(order))[::-1]  # the last writer is the cheapest
            is_best &= best[end] == np.arange(len(order))
        taken.append(order[is_best])
        free = np.ones(len(order), np.bool_)
        for end, span in zip(ends, spans, strict=True):
            used = np.zeros(span, np.bool_)
            used[end[is_best]] = True
            free &= ~used[end]
        order = order[free]
    return np.sort(np.concatenate(taken)) if taken else np.zeros(0, np.int64)


def pair_iou(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.float64]:
    """``[P]`` overlap in 0..1 of box ``i`` of ``first`` with box ``i`` of ``second``, xyxy."""
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    sides = np.minimum(one[:, 2:], two[:, 2:]) - np.maximum(one[:, :2], two[:, :2])
    shared = np.prod(np.maximum(sides, 0), axis=1)
    areas = [np.prod(np.maximum(box[:, 2:] - box[:, :2], 0), axis=1) for box in (one, two)]
    whole = areas[0] + areas[1] - shared
    iou: NDArray[np.float64] = np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)
    return iou

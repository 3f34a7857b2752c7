"""COCO's average precision, re-accumulated for any weighting of the frames in one go.

Matching is per frame, so a bootstrap over drives changes only how often each frame counts. The
interpolated precision at a recall level depends on the predictions that are hits alone (between
two hits precision only falls), which keeps the arrays short. ``coco.average_precision`` is the
reference: tests hold the two together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.evaluate.judging import Judged

RECALL_LEVELS = np.linspace(0.0, 1.0, 101)
"""Where COCO reads the precision-recall curve."""

CELLS_PER_BLOCK = 8_000_000
"""Weights times predictions held at once: bounds the memory to some 100 MB."""


def average_precision(
    judged: Judged, unit: NDArray[np.int64], weights: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Average precision under many weightings.

    Args:
        judged: Matched predictions.
        unit: ``[F]`` number of the unit (a drive, say) that each frame belongs to.
        weights: ``[R, U]`` how often each unit counts in each weighting, >= 0.

    Returns:
        ``[R, T, K]`` float64 in 0..1; NaN where a class has no object under a weighting.
    """
    answer = np.full((len(weights), len(judged.hit), judged.num_classes), np.nan)
    for number in range(judged.num_classes):
        rows = np.flatnonzero(judged.class_id == number)
        labels = unit[judged.truth_frame[judged.truth_class == number]]
        objects = weights @ np.bincount(labels, minlength=weights.shape[1])
        owners = unit[judged.frame[rows]]
        step = max(1, CELLS_PER_BLOCK // max(1, len(rows)))
        for begin in range(0, len(weights), step):
            part = slice(begin, begin + step)
            answer[part, :, number] = _one_class(
                weights[part][:, owners], judged.hit[:, rows], judged.neutral[:, rows], objects[part]
            )
    return answer


def _one_class(
    counts: NDArray[np.int32],
    hit: NDArray[np.bool_],
    neutral: NDArray[np.bool_],
    objects: NDArray[np.int64],
) -> NDArray[np.float64]:
    """``[R, T]`` average precision of one class from ``counts`` ``[R, P]`` of its predictions."""
    seen = np.cumsum(counts, axis=1, dtype=np.int64)
    answer = np.zeros((len(counts), len(hit)))
    for level, (hits, skipped) in enumerate(zip(hit, neutral, strict=True)):
        where = np.flatnonzero(hits)
        dropped = np.flatnonzero(skipped)
        total = seen[:, where]
        if len(dropped):
            gone = np.cumsum(counts[:, dropped], axis=1, dtype=np.int64)
            before = np.searchsorted(dropped, where)
            total = total - np.where(before > 0, gone[:, np.maximum(before - 1, 0)], 0)
        found = np.cumsum(counts[:, where], axis=1, dtype=np.int64)
        answer[:, level] = _interpolated(found, total, objects)
    answer[objects == 0] = np.nan
    return answer


def _interpolated(
    found: NDArray[np.int64], total: NDArray[np.int64], objects: NDArray[np.int64]
) -> NDArray[np.float64]:
    """``[R]`` mean over the recall levels of the best precision at that recall or beyond.

    Args:
        found: ``[R, N]`` objects found up to and including each hit.
        total: ``[R, N]`` predictions made up to and including each hit.
        objects: ``[R]`` objects there are.
    """
    num_rows, num_hits = found.shape
    precision = found / np.maximum(total, 1)
    best = np.zeros((num_rows, num_hits + 1))
    best[:, :-1] = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    # One search for all rows: each is shifted beyond the reach of the one before, in exact integers.
    shift = np.arange(num_rows)[:, None] * (int(objects.max(initial=0)) + 2)
    wanted = needed(objects) + shift
    where = np.searchsorted((found + shift).ravel(), wanted.ravel(), side="left").reshape(wanted.shape)
    where -= np.arange(num_rows)[:, None] * num_hits
    answer: NDArray[np.float64] = np.take_along_axis(best, where, axis=1).mean(axis=1)
    return answer


def needed(objects: NDArray[np.int64]) -> NDArray[np.int64]:
    """``[R, 101]`` how many of ``objects`` have to be found until their share reaches each recall level.

    The share is compared in floating point, as COCO does, so the quotient decides and not the product.
    """
    total = np.maximum(objects, 1)[:, None].astype(np.float64)
    count = np.ceil(RECALL_LEVELS * total)
    count -= (count - 1) / total >= RECALL_LEVELS
    count += count / total < RECALL_LEVELS
    return count.astype(np.int64)

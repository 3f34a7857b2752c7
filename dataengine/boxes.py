"""Box maths in pure numpy: conversions, IoU, and greedy matching by score.

Boxes are ``xyxy`` in pixels unless a name says otherwise. A box without area (inverted, or with a
NaN) overlaps nothing. Overlap with an ignore region is measured as COCO does for crowds: the
intersection over the *predicted* box alone (IoF), so that a small detection inside a large region
counts as covered by it (pycocotools ``maskApi.c``, ``bbIou``).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dataengine.frameboxes import FrameBoxes

PAIRS_PER_BLOCK = 1_000_000
"""Pairs of boxes compared at once: bounds the memory to some 100 MB."""


def to_xywh(xyxy: ArrayLike) -> NDArray[np.float64]:
    """``[N, 4]`` left, top, width, height from corners."""
    boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def to_xyxy(xywh: ArrayLike) -> NDArray[np.float64]:
    """``[N, 4]`` corners from left, top, width, height."""
    boxes = np.asarray(xywh, np.float64).reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def clip(xyxy: ArrayLike, width: float, height: float) -> NDArray[np.float64]:
    """``[N, 4]`` boxes cut at the borders of an image; one that lies outside keeps no area."""
    limits = np.array([width, height, width, height], np.float64)
    return np.clip(np.asarray(xyxy, np.float64).reshape(-1, 4), 0.0, limits)


def area(xyxy: ArrayLike) -> NDArray[np.float64]:
    """``[N]`` area in square pixels; 0 for an inverted box or one with a NaN."""
    boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
    sides = boxes[:, 2:] - boxes[:, :2]
    return np.where((sides > 0).all(axis=1), sides[:, 0] * sides[:, 1], 0.0)


def pair_iou(first: ArrayLike, second: ArrayLike, over_first: ArrayLike = False) -> NDArray[np.float64]:
    """``[N]`` overlap in 0..1 of box ``i`` of ``first`` with box ``i`` of ``second``.

    Args:
        first: ``[N, 4]`` boxes.
        second: ``[N, 4]`` boxes.
        over_first: ``[N]`` bool: divide by the area of ``first`` (IoF) instead of by the union.
    """
    one, two = (np.asarray(boxes, np.float64).reshape(-1, 4) for boxes in (first, second))
    low, high = np.maximum(one[:, :2], two[:, :2]), np.minimum(one[:, 2:], two[:, 2:])
    shared = area(np.concatenate([low, high], axis=1))
    own = area(one)
    whole = np.where(np.asarray(over_first, np.bool_), own, own + area(two) - shared)
    return np.divide(shared, whole, out=np.zeros_like(shared), where=(shared > 0) & (whole > 0))


def iou_matrix(first: ArrayLike, second: ArrayLike, over_first: ArrayLike = False) -> NDArray[np.float64]:
    """``[N, M]`` overlap in 0..1 of every box of ``first`` with every box of ``second``.

    Args:
        first: ``[N, 4]`` boxes, the predicted ones where it matters.
        second: ``[M, 4]`` boxes.
        over_first: ``[M]`` bool: columns of ignore regions, for which IoF replaces IoU.
    """
    one, two = (np.asarray(boxes, np.float64).reshape(-1, 4) for boxes in (first, second))
    shape = (len(one), len(two))
    left, right = np.repeat(one, shape[1], axis=0), np.tile(two, (shape[0], 1))
    flags = np.broadcast_to(np.asarray(over_first, np.bool_), shape).ravel()
    return pair_iou(left, right, flags).reshape(shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlaps:
    """The pairs of one predicted and one true box of the same frame that overlap.

    Pairs stand in the order of the predicted box, then of the true box.

    Attributes:
        predicted: ``[N]`` int64 row of the predicted box.
        truth: ``[N]`` int64 row of the true box.
        iou: ``[N]`` float64 in 0..1; IoF where the true box is an ignore region.
    """

    predicted: NDArray[np.int64]
    truth: NDArray[np.int64]
    iou: NDArray[np.float64]

    def where(self, keep: NDArray[np.bool_]) -> Overlaps:
        """Only the pairs where ``keep`` ``[N]`` is true."""
        return Overlaps(predicted=self.predicted[keep], truth=self.truth[keep], iou=self.iou[keep])


def overlaps(predicted: FrameBoxes, truth: FrameBoxes, min_iou: float) -> Overlaps:
    """Every pair within a frame, of whatever classes, that overlaps by at least ``min_iou`` (> 0).

    Args:
        predicted: Predicted boxes.
        truth: True boxes and ignore regions of the same frames in the same order.
        min_iou: Least overlap of a pair that is kept.
    """
    per_frame = predicted.counts * truth.counts
    found = [
        _block_overlaps(predicted, truth, begin, end, min_iou)
        for begin, end in _runs(np.cumsum(per_frame) // PAIRS_PER_BLOCK)
    ]
    if not found:
        return Overlaps(predicted=np.zeros(0, np.int64), truth=np.zeros(0, np.int64), iou=np.zeros(0))
    return Overlaps(
        predicted=np.concatenate([pairs.predicted for pairs in found]),
        truth=np.concatenate([pairs.truth for pairs in found]),
        iou=np.concatenate([pairs.iou for pairs in found]),
    )


def _block_overlaps(
    predicted: FrameBoxes, truth: FrameBoxes, begin: int, end: int, min_iou: float
) -> Overlaps:
    """``overlaps`` of the frames ``begin`` to ``end``, all pairs held at once."""
    rows = np.arange(predicted.offsets[begin], predicted.offsets[end])
    frame = np.repeat(np.arange(begin, end), predicted.counts[begin:end])
    partners = truth.counts[frame]
    first = np.repeat(rows, partners)
    before = np.repeat(np.cumsum(partners) - partners, partners)
    second = np.repeat(truth.offsets[frame], partners) + np.arange(len(first)) - before
    iou = pair_iou(predicted.xyxy[first], truth.xyxy[second], truth.ignore[second])
    keep = iou >= min_iou
    return Overlaps(predicted=first[keep], truth=second[keep], iou=iou[keep])


def _runs(values: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Begin and end of every run of equal values."""
    edges = np.flatnonzero(np.diff(values)) + 1
    bounds = [0, *edges.tolist(), len(values)]
    return list(pairwise(bounds)) if len(values) else []


def score_ranks(group: NDArray[np.int64], score: NDArray[np.float32]) -> NDArray[np.int64]:
    """``[B]`` rank of each box within its group, 0 for the highest score; ties keep their order."""
    order = np.lexsort((-score.astype(np.float64), group))
    ordered = group[order]
    first = np.searchsorted(ordered, ordered, side="left")
    ranks = np.empty(len(group), np.int64)
    ranks[order] = np.arange(len(group)) - first
    return ranks


def greedy(
    pairs: Overlaps,
    ranks: NDArray[np.int64],
    thresholds: ArrayLike,
    *,
    ignored: NDArray[np.bool_],
    reusable: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Match predicted to true boxes as COCO does, for many frames and thresholds at once.

    Predicted boxes choose in the order of their rank. Each takes the free true box that it overlaps
    most, the later one on a tie; it falls back on ignored ones only where no other is free
    (pycocotools ``COCOeval.evaluateImg``).

    Args:
        pairs: Who may match whom; filter it by class beforehand.
        ranks: ``[P]`` turn of each predicted box. Boxes that share a partner need different ranks.
        thresholds: ``[T]`` least overlap of a match.
        ignored: ``[G]`` true boxes that count as neither hit nor miss.
        reusable: ``[G]`` true boxes that may be matched any number of times (ignore regions).

    Returns:
        ``[T, P]`` row of the matched true box, -1 where there is none.
    """
    limits = np.asarray(thresholds, np.float64).reshape(-1)
    matched = np.full((len(limits), len(ranks)), -1, np.int64)
    free = np.ones((len(limits), len(ignored)), np.bool_)
    turns = np.argsort(ranks[pairs.predicted], kind="stable")
    for begin, end in _runs(ranks[pairs.predicted][turns]):
        rows = turns[begin:end]
        predicted, truth, iou = pairs.predicted[rows], pairs.truth[rows], pairs.iou[rows]
        allowed = (iou >= limits[:, None]) & (free[:, truth] | reusable[truth])
        # A free true box beats any ignored one, whatever the overlap: IoU is at most 1.
        wish = np.where(allowed, iou + 2.0 * ~ignored[truth], -1.0)
        first = np.flatnonzero(np.diff(predicted, prepend=-1))
        best = np.maximum.reduceat(wish, first, axis=1)
        length = np.diff([*first, len(rows)])
        is_best = allowed & (wish == np.repeat(best, length, axis=1))
        chosen = np.maximum.reduceat(np.where(is_best, np.arange(len(rows)), -1), first, axis=1)
        level, column = np.nonzero(chosen >= 0)
        taken = truth[chosen[level, column]]
        matched[level, predicted[first[column]]] = taken
        free[level, taken] = False
    return matched


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The outcome of matching at one threshold.

    Attributes:
        truth_of: ``[P]`` row of the true box that each predicted box found, -1 for none.
        predicted_of: ``[G]`` row of the predicted box that found each true box, -1 for none; always
            -1 for ignore regions.
        neutral: ``[P]`` bool: covered by an ignore region, neither a hit nor a false alarm.
        num_hits: True boxes found.
        num_missed: True boxes not found, ignore regions left out.
        num_false_alarms: Predicted boxes that are neither hits nor neutral.
    """

    truth_of: NDArray[np.int64]
    predicted_of: NDArray[np.int64]
    neutral: NDArray[np.bool_]
    num_hits: int
    num_missed: int
    num_false_alarms: int


def match(predicted: FrameBoxes, truth: FrameBoxes, min_iou: float, pairs: Overlaps | None = None) -> Match:
    """Match boxes of the same frame and class greedily by score.

    Args:
        predicted: Predicted boxes.
        truth: True boxes of the same frames; an ignore region is neutral to every class.
        min_iou: Overlap from which two boxes are the same object.
        pairs: ``overlaps`` of the two where already known, from any lower threshold.
    """
    pairs = overlaps(predicted, truth, min_iou) if pairs is None else pairs
    kept = pairs.where(same_class(pairs, predicted, truth))
    ranks = score_ranks(group_of(predicted), predicted.score)
    found = greedy(kept, ranks, [min_iou], ignored=truth.ignore, reusable=truth.ignore)[0]
    neutral = (found >= 0) & truth.ignore[found] if truth.num_boxes else np.zeros(len(found), np.bool_)
    truth_of = np.where(neutral, -1, found)
    predicted_of = np.full(truth.num_boxes, -1, np.int64)
    hits = np.flatnonzero(truth_of >= 0)
    predicted_of[truth_of[hits]] = hits
    return Match(
        truth_of=truth_of,
        predicted_of=predicted_of,
        neutral=neutral,
        num_hits=len(hits),
        num_missed=int((~truth.ignore).sum()) - len(hits),
        num_false_alarms=int((~neutral).sum()) - len(hits),
    )


def same_class(pairs: Overlaps, predicted: FrameBoxes, truth: FrameBoxes) -> NDArray[np.bool_]:
    """``[N]`` pairs whose classes agree; an ignore region agrees with every class."""
    equal: NDArray[np.bool_] = predicted.class_id[pairs.predicted] == truth.class_id[pairs.truth]
    return equal | truth.ignore[pairs.truth]


def group_of(boxes: FrameBoxes) -> NDArray[np.int64]:
    """``[B]`` number that boxes of the same frame and class share."""
    span = 1 + (int(boxes.class_id.max()) if boxes.num_boxes else 0)
    return boxes.frame_index * span + boxes.class_id

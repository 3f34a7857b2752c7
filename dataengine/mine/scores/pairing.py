"""The boxes of one opinion beside those of another on the same frames."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dataengine.boxes import greedy, overlaps, score_ranks
from dataengine.frameboxes import FrameBoxes, Predictions

SAME = 0.5
"""Overlap from which two opinions mean the same object."""

TOUCHING = 1e-6
"""Overlap from which a box can be the counterpart of another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """The boxes of one prediction that count.

    Attributes:
        boxes: Of every frame, best score first; scores in 0..1.
        class_scores: ``[B, K]`` float64 in 0..1; a score that is not a number is 0.
    """

    boxes: FrameBoxes
    class_scores: NDArray[np.float64]

    @classmethod
    def of(cls, predictions: Predictions, min_score: float) -> Opinion:
        """Boxes of at least ``min_score``."""
        kept = predictions.boxes.score >= min_score
        scores = np.nan_to_num(predictions.class_scores[kept], nan=0.0, posinf=1.0, neginf=0.0)
        counted = predictions.boxes.filter(kept)
        return cls(
            boxes=replace(counted, score=np.clip(counted.score, 0, 1)),
            class_scores=np.clip(scores, 0, 1).astype(np.float64),
        )

    @classmethod
    def of_places(cls, predictions: Predictions, min_score: float) -> Opinion:
        """Boxes of at least ``min_score`` whose class is the likeliest in their place.

        A detector reports a place once for every class that it may hold, each time with all class scores;
        two opinions of the place are compared by those, once.
        """
        boxes, scores = predictions.boxes, predictions.class_scores
        if not boxes.num_boxes:
            return cls.of(predictions, min_score)
        own = scores[np.arange(len(scores)), boxes.class_id]
        unlikely = own < scores.max(axis=1)
        return cls.of(
            replace(predictions, boxes=replace(boxes, score=np.where(unlikely, np.nan, boxes.score))),
            min_score,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterparts:
    """For every box of one opinion, a box of the other, of whatever class.

    Attributes:
        row: ``[B]`` row in the other opinion, -1 where there is none.
        iou: ``[B]`` overlap in 0..1.
    """

    row: NDArray[np.int64]
    iou: NDArray[np.float64]

    def of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """``[B, ...]`` the counterparts' values; 0 for boxes without one."""
        if not len(values):
            return np.zeros((len(self.row), *values.shape[1:]))
        found: NDArray[np.float64] = values[self.row]
        found[self.row < 0] = 0
        return found


def paired(one: Opinion, other: Opinion) -> Counterparts:
    """Pair boxes one to one, the surest choosing first; partners overlap by at least ``SAME``.

    Boxes of one class find each other before those that are left look among the other classes. A detector
    reports doubles, faint ones and of other classes, about where its sure boxes are: if they could share a
    partner, or take it from the sure one, they would look like objects whose score has jumped.
    """
    pairs = overlaps(one.boxes, other.boxes, SAME)
    ranks = score_ranks(one.boxes.frame_index, one.boxes.score)
    nobody = np.zeros(other.boxes.num_boxes, np.bool_)
    row, free = np.full(len(ranks), -1, np.int64), ~nobody
    for of_one_class in (True, False):
        alike = one.boxes.class_id[pairs.predicted] == other.boxes.class_id[pairs.truth]
        open_ = (row[pairs.predicted] < 0) & free[pairs.truth]
        found = greedy(
            pairs.where(open_ & (alike == of_one_class)), ranks, [SAME], ignored=nobody, reusable=nobody
        )[0]
        row = np.maximum(row, found)
        free[found[found >= 0]] = False
    iou = np.zeros(len(row))
    met = pairs.truth == row[pairs.predicted]
    iou[pairs.predicted[met]] = pairs.iou[met]
    return Counterparts(row=row, iou=iou)


def most_overlapping(one: Opinion, other: Opinion) -> Counterparts:
    """Pair every box of ``one`` with the box of ``other`` that it overlaps most, the surest on a tie.

    Several boxes may share a partner, as in CALD.
    """
    pairs = overlaps(one.boxes, other.boxes, TOUCHING)
    row, iou = np.full(one.boxes.num_boxes, -1, np.int64), np.zeros(one.boxes.num_boxes)
    first = np.flatnonzero(np.diff(pairs.predicted, prepend=-1))
    if len(first):
        best = np.maximum.reduceat(pairs.iou, first)
        length = np.diff([*first, len(pairs.iou)])
        places = np.where(pairs.iou == np.repeat(best, length), np.arange(len(pairs.iou)), len(pairs.iou))
        chosen = np.minimum.reduceat(places, first)
        row[pairs.predicted[first]], iou[pairs.predicted[first]] = pairs.truth[chosen], best
    return Counterparts(row=row, iou=iou)

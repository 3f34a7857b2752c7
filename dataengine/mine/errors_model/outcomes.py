"""What became of every predicted box, where the truth may be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine import boxes
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.mine.candidates import Known

MATCH_IOU = 0.5
"""Overlap from which a predicted box has found an object."""

SURE_SCORE = 0.3
"""From this score on a box counts as said: it finds an object, or it is a false alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """The truth of predicted boxes.

    Attributes:
        is_object: ``[B, K]`` bool: box ``b`` is the one that shows a certain object of class ``k`` best.
            Every object has one such box at most, so a second box on it is no object. Boxes said to be of
            its class come first, then those with the higher score for it: a detector may say several
            classes of one place, each with a box of its own.
        neutral: ``[B]`` bool: on an ignore region, neither right nor wrong.
        is_wrong: ``[B]`` bool: a sure box that is no object of its class, and not neutral.
        num_unseen: ``[F, K]`` objects of each frame and class that no predicted box of any class overlaps.
        num_missed: ``[F]`` objects without a sure box of their class.
        num_wrong: ``[F]`` sure boxes that are no object of their class.
    """

    is_object: NDArray[np.bool_]
    neutral: NDArray[np.bool_]
    is_wrong: NDArray[np.bool_]
    num_unseen: NDArray[np.int64]
    num_missed: NDArray[np.int64]
    num_wrong: NDArray[np.int64]


def clean_scores(predictions: Predictions) -> NDArray[np.float32]:
    """``[B, K]`` class scores within 0..1; one that is not a number says nothing and counts as 0."""
    scores = np.nan_to_num(predictions.class_scores, nan=0.0, posinf=1.0, neginf=0.0)
    return np.clip(scores, 0.0, 1.0)


def outcomes(known: Known) -> Outcomes:
    """Match the predictions of frames with their truth, one box to one object."""
    predicted, truth = known.predictions.boxes, known.truth
    scores = clean_scores(known.predictions)
    num_classes = scores.shape[1]
    real = ~truth.ignore & (truth.class_id >= 0) & (truth.class_id < num_classes)
    pairs = boxes.overlaps(predicted, truth, MATCH_IOU)
    neutral = np.zeros(predicted.num_boxes, np.bool_)
    neutral[pairs.predicted[truth.ignore[pairs.truth]]] = True
    pairs = pairs.where(real[pairs.truth])
    kind = truth.class_id[pairs.truth].astype(np.int64)
    own = np.clip(predicted.class_id, 0, num_classes - 1).astype(np.int64)
    other = own[pairs.predicted] != kind
    order = np.lexsort((-pairs.iou, -scores[pairs.predicted, kind], other, pairs.truth))
    best = order[np.flatnonzero(np.diff(pairs.truth[order], prepend=-1))]
    is_object = np.zeros(scores.shape, np.bool_)
    is_object[pairs.predicted[best], kind[best]] = True
    sure = predicted.score >= SURE_SCORE
    said = best[sure[pairs.predicted[best]] & ~other[best]]
    right = is_object[np.arange(len(own)), own]
    neutral &= ~is_object.any(axis=1)
    wrong = sure & ~right & ~neutral
    seen, found = np.zeros(truth.num_boxes, np.bool_), np.zeros(truth.num_boxes, np.bool_)
    seen[pairs.truth], found[pairs.truth[said]] = True, True
    return Outcomes(
        is_object=is_object,
        neutral=neutral,
        is_wrong=wrong,
        num_unseen=_by_class(truth, real & ~seen, num_classes),
        num_missed=per_frame(truth.frame_index[real & ~found], truth.num_frames),
        num_wrong=per_frame(predicted.frame_index[wrong], predicted.num_frames),
    )


def _by_class(truth: FrameBoxes, kept: NDArray[np.bool_], num_classes: int) -> NDArray[np.int64]:
    place = truth.frame_index[kept] * num_classes + truth.class_id[kept]
    counts = np.bincount(place, minlength=truth.num_frames * num_classes)
    return counts.reshape(truth.num_frames, num_classes)


def per_frame(frame: NDArray[np.int64], num_frames: int) -> NDArray[np.int64]:
    """``[F]`` how often each frame is named."""
    return np.bincount(frame, minlength=num_frames)


def group_of(frames: pa.Table) -> NDArray[np.int64]:
    """``[F]`` number of the drive of each frame; of its clip where drives are not named."""
    for name in ("drive_id", "clip_id"):
        if name in frames.column_names:
            values: NDArray[Any] = frames[name].to_numpy(zero_copy_only=False).astype(str)
            numbers = np.unique(values, return_inverse=True)[1].reshape(-1)
            if len(values) and numbers.max() > 0:
                return numbers.astype(np.int64)
    return np.zeros(frames.num_rows, np.int64)

"""Which predictions are hits at which IoU threshold: computed once, then summed up for any slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataengine import boxes
from dataengine.evaluate.coco import AreaRange
from dataengine.frameboxes import FrameBoxes

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""COCO's ten thresholds; ``ap50`` reads the first, ``map50_95`` all."""

MAX_DETECTIONS = 100
"""Best predictions of one class in one frame that are judged, as in COCO."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Predictions of many frames after matching, best score first.

    Attributes:
        frame: ``[P]`` int64 frame number of each prediction.
        class_id: ``[P]`` int64.
        hit: ``[T, P]`` bool: found an object at this threshold.
        neutral: ``[T, P]`` bool: neither a hit nor a false alarm (ignore region, other size).
        truth_frame: ``[G]`` int64 frame number of each object that counts.
        truth_class: ``[G]`` int64.
        num_frames: F.
        num_classes: K.
    """

    frame: NDArray[np.int64]
    class_id: NDArray[np.int64]
    hit: NDArray[np.bool_]
    neutral: NDArray[np.bool_]
    truth_frame: NDArray[np.int64]
    truth_class: NDArray[np.int64]
    num_frames: int
    num_classes: int

    def within(self, frames: NDArray[np.bool_]) -> Judged:
        """The same judgement of only the frames where ``frames`` ``[F]`` is true; numbers stay."""
        kept, labels = frames[self.frame], frames[self.truth_frame]
        return Judged(
            frame=self.frame[kept],
            class_id=self.class_id[kept],
            hit=self.hit[:, kept],
            neutral=self.neutral[:, kept],
            truth_frame=self.truth_frame[labels],
            truth_class=self.truth_class[labels],
            num_frames=self.num_frames,
            num_classes=self.num_classes,
        )


def judge(
    truth: FrameBoxes,
    predictions: FrameBoxes,
    num_classes: int,
    pairs: boxes.Overlaps,
    area_range: AreaRange | None = None,
) -> Judged:
    """Match predictions to labels at every threshold, with COCO's treatment of sizes.

    Args:
        truth: Labels.
        predictions: Predicted boxes of the same frames, in the same order.
        num_classes: K.
        pairs: ``boxes.overlaps`` of the two, from 0.5 or lower.
        area_range: Only labels of this size count; ``None`` counts all.
    """
    ignored = truth.ignore
    outside = np.zeros(predictions.num_boxes, np.bool_)
    if area_range is not None:
        ignored = ignored | _outside(truth, area_range)
        outside = _outside(predictions, area_range)
    ranks = boxes.score_ranks(boxes.group_of(predictions), predictions.score)
    kept = pairs.where(
        boxes.same_class(pairs, predictions, truth) & (ranks[pairs.predicted] < MAX_DETECTIONS)
    )
    found = boxes.greedy(kept, ranks, IOU_THRESHOLDS, ignored=ignored, reusable=truth.ignore)
    matched = found >= 0
    on_ignored = matched & ignored[found] if truth.num_boxes else matched
    # Stable, so that equal scores stay in the order of their frames as in COCO's accumulation; within
    # a frame the rank decides, because predictions need not arrive sorted.
    order = np.lexsort((ranks, predictions.frame_index, -predictions.score.astype(np.float64)))
    order = order[ranks[order] < MAX_DETECTIONS]
    return Judged(
        frame=predictions.frame_index[order],
        class_id=predictions.class_id[order].astype(np.int64),
        hit=(matched & ~on_ignored)[:, order],
        neutral=(on_ignored | (~matched & outside))[:, order],
        truth_frame=truth.frame_index[~ignored],
        truth_class=truth.class_id[~ignored].astype(np.int64),
        num_frames=truth.num_frames,
        num_classes=num_classes,
    )


def _outside(labels: FrameBoxes, area_range: AreaRange) -> NDArray[np.bool_]:
    size = boxes.area(labels.xyxy)
    return (size < area_range[0]) | (size > area_range[1])

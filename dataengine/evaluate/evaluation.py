"""Everything that one evaluation of one split yields."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataengine import boxes
from dataengine.config import EvaluateConfig
from dataengine.evaluate.errors import NEAR_IOU, find_errors
from dataengine.evaluate.judging import judge
from dataengine.evaluate.sheet import Sheet
from dataengine.frameboxes import FrameBoxes
from dataengine.schema import Measure, Taxonomy


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a model is worth on one split.

    Attributes:
        split: Name of the split.
        measures: Every figure, slice by slice.
        errors: Table of schema ``FRAME_ERRORS``, one row a frame.
        mistakes: Table of schema ``MISTAKES``.
    """

    split: str
    measures: list[Measure]
    errors: pa.Table
    mistakes: pa.Table

    def value(self, slice_name: str, metric: str) -> float:
        """One figure; NaN where it was not measured."""
        for measure in self.measures:
            if (measure.slice, measure.metric) == (slice_name, metric):
                return measure.value
        return math.nan


def evaluate(
    truth: FrameBoxes,
    predictions: FrameBoxes,
    frames: pa.Table,
    *,
    taxonomy: Taxonomy,
    config: EvaluateConfig,
    split: str,
    rng: np.random.Generator,
) -> Evaluation:
    """Judge the predictions of one split.

    ``map50_95`` and ``ap50`` are COCO's average precision in 0..1. ``misses_per_frame`` counts labels
    that are no hits at ``error_score``, ``false_alarms_per_frame`` predictions that are neither hits
    nor in an ignore region; both divide by the ``num_frames`` of the slice. Ends of intervals carry
    ``_lower`` and ``_upper``; they are NaN where fewer than two drives hold the slice.

    Args:
        truth: Labels; ``ignore`` marks regions that are neutral to every class.
        predictions: Predicted boxes of the same frames in the same order, with low scores too.
        frames: Rows of schema ``FRAMES`` in the same order.
        taxonomy: Classes and the declared tail.
        config: Thresholds, sizes and the bootstrap.
        split: Name to file the figures under.
        rng: Stream of the bootstrap.

    Raises:
        ValueError: The three inputs do not hold the same frames in the same order.
    """
    _require_same_frames(truth, predictions, frames)
    pairs = boxes.overlaps(predictions, truth, min(NEAR_IOU, config.match_iou))
    errors = find_errors(truth, predictions, config, pairs)
    sheet = Sheet(
        truth=truth,
        predictions=predictions,
        frames=frames,
        judged=judge(truth, predictions, len(taxonomy), pairs),
        errors=errors,
        taxonomy=taxonomy,
        config=config,
    )
    measures = [
        Measure(split=split, slice=name, metric=metric, value=value)
        for name, metric, value in sheet.rows(rng)
    ]
    return Evaluation(split=split, measures=measures, errors=errors.frames, mistakes=errors.mistakes)


def _require_same_frames(truth: FrameBoxes, predictions: FrameBoxes, frames: pa.Table) -> None:
    wanted = frames["frame_id"].to_pylist()
    for name, boxes_of in (("truth", truth), ("predictions", predictions)):
        if boxes_of.frame_ids.tolist() != wanted:
            raise ValueError(f"{name} and frames must hold the same frames in the same order")

"""Everything that one evaluation of one split yields."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataengine import boxes
from dataengine.config import EvaluateConfig
from dataengine.evaluate.errors import NEAR_IOU, find_errors
from dataengine.evaluate.judging import judge
from dataengine.evaluate.sheet import Row, Sheet
from dataengine.frameboxes import FrameBoxes
from dataengine.schema import Measure, Taxonomy

REPLICATES = pa.schema(
    [
        ("split", pa.string()),
        ("slice", pa.string()),
        ("metric", pa.string()),
        ("values", pa.list_(pa.float32())),
    ]
)
"""One row for each figure that has an interval: its value on each resample of the drives, NaN where a
resample drew no object of the slice. Number ``b`` of every row of a split is from the same resample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a model is worth on one split.

    Attributes:
        split: Name of the split.
        measures: Every figure, slice by slice.
        errors: Table of schema ``FRAME_ERRORS``, one row a frame.
        mistakes: Table of schema ``MISTAKES``.
        replicates: Table of schema ``REPLICATES``: ``map50_95`` and ``ap50`` of ``all``, every class, the
            tail and the conditions declared rare, where more than one drive holds the slice.
    """

    split: str
    measures: list[Measure]
    errors: pa.Table
    mistakes: pa.Table
    replicates: pa.Table

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
        rng: Stream of the bootstrap; the same one draws the same drives for other predictions.

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
    rows = list(sheet.rows(rng))
    return Evaluation(
        split=split,
        measures=[Measure(split=split, slice=r.slice, metric=r.metric, value=r.value) for r in rows],
        errors=errors.frames,
        mistakes=errors.mistakes,
        replicates=_replicates(split, rows),
    )


def _replicates(split: str, rows: Sequence[Row]) -> pa.Table:
    known = [(row, row.replicates.astype(np.float32)) for row in rows if row.replicates is not None]
    columns = [
        [split] * len(known),
        [row.slice for row, _ in known],
        [row.metric for row, _ in known],
        [values for _, values in known],
    ]
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, REPLICATES, strict=True)],
        schema=REPLICATES,
    )


def _require_same_frames(truth: FrameBoxes, predictions: FrameBoxes, frames: pa.Table) -> None:
    wanted = frames["frame_id"].to_pylist()
    for name, boxes_of in (("truth", truth), ("predictions", predictions)):
        if boxes_of.frame_ids.tolist() != wanted:
            raise ValueError(f"{name} and frames must hold the same frames in the same order")

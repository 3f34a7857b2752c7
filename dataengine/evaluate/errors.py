"""What a model gets wrong, frame by frame and box by box, at one score and one IoU threshold.

The kinds are disjoint, in the spirit of TIDE (Bolya 2020, section 2.2) with cleanlab's names:

=================  ==========================================================================
``missed``         a label that no prediction found, not even wrongly
``swapped_class``  a prediction on a label of another class (IoU >= ``match_iou``)
``bad_location``   a prediction near a label of its class (0.1 <= IoU < ``match_iou``) that
                   nothing found; one prediction per label
``false_alarm``    every other prediction that is no hit; so also a second box on one object
=================  ==========================================================================

So ``hits + missed + labels found wrongly = labels`` and ``hits + swapped_class + bad_location +
false_alarm + predictions in ignore regions = predictions``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine import boxes
from dataengine.config import EvaluateConfig
from dataengine.frameboxes import FrameBoxes
from dataengine.schema import FRAME_ERRORS, MISTAKES

VOCABULARY = ("missed", "false_alarm", "swapped_class", "bad_location")
"""The kinds of mistakes, as in the columns of ``FRAME_ERRORS``."""

NEAR_IOU = 0.1
"""Overlap from which a prediction is about a label, if badly placed (TIDE's background threshold)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameErrors:
    """The mistakes of many frames.

    Attributes:
        frames: Table of schema ``FRAME_ERRORS``.
        mistakes: Table of schema ``MISTAKES``, by frame, then by kind, then by box. Where a box is
            missing its number and class are -1, the overlap 0 and the score NaN.
        unfound: ``[G]`` bool: labels that are no hits: missed, swapped or badly located.
        wrong: ``[P]`` bool: predictions from ``error_score`` on that are neither hits nor neutral.
    """

    frames: pa.Table
    mistakes: pa.Table
    unfound: NDArray[np.bool_]
    wrong: NDArray[np.bool_]


def find_errors(
    truth: FrameBoxes, predictions: FrameBoxes, config: EvaluateConfig, pairs: boxes.Overlaps
) -> FrameErrors:
    """Sort every miss and every wrong prediction into its kind.

    Args:
        truth: Labels.
        predictions: Predicted boxes of the same frames, in the same order.
        config: ``match_iou`` and ``error_score``.
        pairs: ``boxes.overlaps`` of the two, from 0.05 or lower.
    """
    shown = predictions.score >= config.error_score
    pairs = pairs.where(shown[pairs.predicted])
    match = boxes.match(predictions, truth, config.match_iou, pairs)
    wrong = shown & (match.truth_of < 0) & ~match.neutral
    unfound = ~truth.ignore & (match.predicted_of < 0)
    about = pairs.where(wrong[pairs.predicted] & ~truth.ignore[pairs.truth])
    swapped = _swapped(truth, predictions, about, unfound, config.match_iou)
    misplaced = _misplaced(
        truth, predictions, about.where(swapped[about.predicted] < 0), unfound, config.match_iou
    )
    missed = unfound.copy()
    missed[swapped[swapped >= 0]] = False
    missed[misplaced[misplaced >= 0]] = False
    lone = wrong & (swapped < 0) & (misplaced < 0)
    nothing = np.full(predictions.num_boxes, -1, np.int64)
    found = {  # kind -> rows of labels and rows of predictions, -1 where there is none
        "missed": (np.flatnonzero(missed), np.full(int(missed.sum()), -1, np.int64)),
        "false_alarm": (nothing[lone], np.flatnonzero(lone)),
        "swapped_class": (swapped[swapped >= 0], np.flatnonzero(swapped >= 0)),
        "bad_location": (misplaced[misplaced >= 0], np.flatnonzero(misplaced >= 0)),
    }
    return FrameErrors(
        frames=_frame_table(truth, predictions, match.truth_of >= 0, found),
        mistakes=_mistake_table(truth, predictions, found),
        unfound=unfound,
        wrong=wrong,
    )


def count_errors(truth: FrameBoxes, predictions: FrameBoxes, config: EvaluateConfig) -> NDArray[np.int64]:
    """``[F]`` labels that are no hits, plus predictions that are wrong; see ``find_errors``.

    One object that is called by another name, or badly placed, counts as both.
    """
    pairs = boxes.overlaps(predictions, truth, min(NEAR_IOU, config.match_iou))
    errors = find_errors(truth, predictions, config, pairs)
    unfound = np.bincount(truth.frame_index[errors.unfound], minlength=truth.num_frames)
    wrong = np.bincount(predictions.frame_index[errors.wrong], minlength=truth.num_frames)
    return unfound + wrong


def _swapped(
    truth: FrameBoxes,
    predictions: FrameBoxes,
    about: boxes.Overlaps,
    unfound: NDArray[np.bool_],
    match_iou: float,
) -> NDArray[np.int64]:
    """``[P]`` label of another class that each prediction sits on, unfound ones first; -1 for none."""
    other = predictions.class_id[about.predicted] != truth.class_id[about.truth]
    rivals = about.where(other & (about.iou >= match_iou))
    order = np.lexsort((-rivals.iou, ~unfound[rivals.truth], rivals.predicted))
    answer = np.full(predictions.num_boxes, -1, np.int64)
    # Assigned from the worst to the best, so that the best one stays.
    answer[rivals.predicted[order][::-1]] = rivals.truth[order][::-1]
    return answer


def _misplaced(
    truth: FrameBoxes,
    predictions: FrameBoxes,
    about: boxes.Overlaps,
    unfound: NDArray[np.bool_],
    match_iou: float,
) -> NDArray[np.int64]:
    """``[P]`` unfound label of its own class that each prediction lies near, one to one; -1 for none."""
    equal = predictions.class_id[about.predicted] == truth.class_id[about.truth]
    near = about.where(equal & unfound[about.truth] & (about.iou >= NEAR_IOU) & (about.iou < match_iou))
    nobody = np.zeros(truth.num_boxes, np.bool_)
    ranks = boxes.score_ranks(boxes.group_of(predictions), predictions.score)
    answer: NDArray[np.int64] = boxes.greedy(near, ranks, [NEAR_IOU], ignored=nobody, reusable=nobody)[0]
    return answer


Found = dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]


def _frame_table(
    truth: FrameBoxes, predictions: FrameBoxes, hit: NDArray[np.bool_], found: Found
) -> pa.Table:
    def per_frame(rows: NDArray[np.int64], owner: FrameBoxes) -> pa.Array:
        counts = np.bincount(owner.frame_index[rows], minlength=truth.num_frames)
        return pa.array(counts.astype(np.int32))

    columns = [pa.array(truth.frame_ids, pa.string()), per_frame(np.flatnonzero(hit), predictions)]
    for kind in VOCABULARY:
        labels, predicted = found[kind]
        columns.append(per_frame(labels, truth) if kind == "missed" else per_frame(predicted, predictions))
    return pa.Table.from_arrays(columns, schema=FRAME_ERRORS)


def _mistake_table(truth: FrameBoxes, predictions: FrameBoxes, found: Found) -> pa.Table:
    labels = np.concatenate([found[kind][0] for kind in VOCABULARY])
    predicted = np.concatenate([found[kind][1] for kind in VOCABULARY])
    kinds = np.repeat(np.arange(len(VOCABULARY)), [len(found[kind][0]) for kind in VOCABULARY])
    frame = np.where(
        labels >= 0, _value(truth.frame_index, labels), _value(predictions.frame_index, predicted)
    )
    order = np.lexsort((predicted, labels, kinds, frame))
    labels, predicted, kinds, frame = labels[order], predicted[order], kinds[order], frame[order]
    both = (labels >= 0) & (predicted >= 0)
    iou = np.zeros(len(order), np.float32)
    iou[both] = boxes.pair_iou(predictions.xyxy[predicted[both]], truth.xyxy[labels[both]])
    columns = [
        pa.array(truth.frame_ids[frame], pa.string()),
        pa.array(np.array(VOCABULARY, object)[kinds], pa.string()),
        pa.array(np.where(labels >= 0, labels - truth.offsets[frame], -1).astype(np.int32)),
        pa.array(np.where(predicted >= 0, predicted - predictions.offsets[frame], -1).astype(np.int32)),
        pa.array(_value(truth.class_id, labels).astype(np.int16)),
        pa.array(_value(predictions.class_id, predicted).astype(np.int16)),
        pa.array(np.where(predicted >= 0, _value(predictions.score, predicted), np.nan).astype(np.float32)),
        pa.array(iou),
    ]
    return pa.Table.from_arrays(columns, schema=MISTAKES)


def _value(column: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
    """``column[rows]``, with -1 where a row is -1."""
    answer = np.full(len(rows), -1, column.dtype)
    answer[rows >= 0] = column[rows[rows >= 0]]
    return answer

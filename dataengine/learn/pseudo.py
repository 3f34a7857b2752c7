"""Pseudo-labels: what an earlier model is sure to see in frames that nobody labelled.

One round of self-training, as in STAC (Sohn 2020): the teacher is the finished model of the cycle before and
stays as it is. Unbiased Teacher (Liu 2021) updates its teacher at every step, takes boxes of every class from
score 0.7 on, learns no sides from them and weighs their loss by 4. Here the score is set class by class so
that nine of ten boxes are right on val, which rare classes need; less sure boxes are ignore regions instead
of background; pseudo-labels are learned as labels are; and the number of steps does not change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dataengine import boxes
from dataengine.config import TrainConfig
from dataengine.frameboxes import FrameBoxes

MIN_SCORE = 0.3
"""No label has a lower score, whatever val says: its rare objects may all be in one easy clip."""
MIN_SEEN = 10
"""Least number of predictions of a class on val from which its score is set."""
MATCH_IOU = 0.5
"""Overlap from which a prediction on val is right, and two sure boxes of different classes are one object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PseudoFrames:
    """Frames with pseudo-labels.

    Attributes:
        images: One path a frame.
        labels: Their boxes.
    """

    images: Sequence[Path]
    labels: FrameBoxes


def thresholds(
    predicted: FrameBoxes | None, truth: FrameBoxes | None, num_classes: int, train: TrainConfig
) -> NDArray[np.float64]:
    """Score from which a prediction of each class counts as a label.

    The lowest score at which ``train.pseudo_precision`` of the predictions on val from it on are right; where
    there is none, or fewer than ``MIN_SEEN`` predictions to say so, ``train.pseudo_score``.

    Args:
        predicted: Predictions on val; None without val.
        truth: Labels of the same frames.
        num_classes: K.
        train: The settings.

    Returns:
        ``[K]`` in 0..1.
    """
    found = np.full(num_classes, train.pseudo_score)
    if predicted is None or truth is None or train.pseudo_precision == 0:
        return found
    match = boxes.match(predicted, truth, MATCH_IOU)
    for class_id in range(num_classes):
        own = np.flatnonzero((predicted.class_id == class_id) & ~match.neutral)
        order = own[np.argsort(-predicted.score[own], kind="stable")]
        precision = np.cumsum(match.truth_of[order] >= 0) / np.arange(1, len(order) + 1)
        last_of_score = (
            np.diff(predicted.score[order], append=-1.0) < 0
        )  # a score is taken whole or not at all
        enough = np.flatnonzero((precision >= train.pseudo_precision) & last_of_score)
        if len(enough) and enough[-1] + 1 >= MIN_SEEN:
            found[class_id] = max(float(predicted.score[order[enough[-1]]]), MIN_SCORE)
    return found


def pseudo_labels(predicted: FrameBoxes, sure_from: NDArray[np.float64], train: TrainConfig) -> FrameBoxes:
    """Predictions turned into labels.

    Args:
        predicted: Of frames that nobody labelled.
        sure_from: ``[K]`` score from which a prediction of each class is a label.
        train: ``pseudo_ignore`` is the score from which the others are ignore regions.

    Returns:
        The frames that have a sure box, with their sure boxes and ignore regions. Of sure boxes of different
        classes on one object, the one with the best score is the label.
    """
    least = np.minimum(sure_from, train.pseudo_ignore)
    kept = predicted.filter(predicted.score >= least[predicted.class_id])
    kept_sure = kept.score >= sure_from[kept.class_id]
    pairs = boxes.overlaps(kept, kept, MATCH_IOU)
    both = kept_sure[pairs.predicted] & kept_sure[pairs.truth]
    other = both & (kept.class_id[pairs.predicted] != kept.class_id[pairs.truth])
    better = _before(kept, pairs.truth, pairs.predicted)
    ignore = ~kept_sure
    ignore[pairs.predicted[other & better]] = True
    labelled = FrameBoxes.build(
        kept.frame_ids, kept.counts, kept.xyxy, kept.class_id, score=kept.score, ignore=ignore
    )
    return labelled.take(np.unique(labelled.frame_index[~ignore]))


def _before(kept: FrameBoxes, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
    """``[N]`` whether ``first`` has the better score; of equal ones the earlier row has."""
    higher = kept.score[first] > kept.score[second]
    earlier: NDArray[np.bool_] = (kept.score[first] == kept.score[second]) & (first < second)
    return higher | earlier

"""Scores made honest by a temperature: ``s' = sigmoid(logit(s) / T)``, fitted on val.

A temperature above 1 draws scores towards 0.5, one below 1 pushes them away; the order within a class stays
(Guo 2017, arXiv 1706.04599). It cannot move a score of 0.5, so a detector that is right less often than it
says at every score keeps part of its error: ``measure`` tells how much. It does change which frames look
uncertain, for entropy is highest at 0.5 and calibration moves what is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine import boxes
from dataengine.mine.candidates import Known
from dataengine.mine.odds import chance_of, log_odds

Array = NDArray[np.float64]

MIN_IOU = 0.5
"""Overlap from which a detection is right, as in AP50."""

LEAST_BOXES = 30
"""Right and wrong detections, of each so many, from which a class has a temperature of its own; below that
one temperature serves all."""

RANGE = (0.1, 10.0)
"""Temperatures looked at; beyond them the scores say nothing, or one is fitting a handful of boxes."""

LEAST = 1e-6
"""Scores are kept so far from 0 and 1 before their logit is taken."""

_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Temperatures of the classes.

    Attributes:
        temperature: ``[K]``, positive; 1 changes nothing.
    """

    temperature: Array

    def __call__(self, class_scores: NDArray[np.floating[Any]]) -> Array:
        """``[B, K]`` calibrated scores in 0..1, in the same order within each class."""
        if np.all(self.temperature == 1):
            return class_scores.astype(np.float64)
        return chance_of(log_odds(class_scores, LEAST) / self.temperature)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Which detections were right.

    Attributes:
        score: ``[B]`` score of the detection's class.
        class_id: ``[B]``.
        hit: ``[B]`` bool: matched a true box of its class; what lies in an ignore region is left out.
        clip: ``[B]`` number of the clip.
    """

    score: Array
    class_id: NDArray[np.int64]
    hit: NDArray[np.bool_]
    clip: NDArray[np.int64]

    def where(self, keep: NDArray[np.bool_]) -> Outcomes:
        """Only the detections where ``keep`` ``[B]`` is true."""
        return Outcomes(
            score=self.score[keep], class_id=self.class_id[keep], hit=self.hit[keep], clip=self.clip[keep]
        )


def outcomes(known: Known, min_score: float) -> Outcomes:
    """Detections of at least ``min_score`` matched with the truth, greedily by score as in evaluation."""
    kept = known.predictions.boxes.score >= min_score
    predicted = known.predictions.boxes.filter(kept)
    found = boxes.match(predicted, known.truth, MIN_IOU)
    clip = known.frames["clip_id"].combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    judged = ~found.neutral
    return Outcomes(
        score=predicted.score[judged].astype(np.float64),
        class_id=predicted.class_id[judged].astype(np.int64),
        hit=found.truth_of[judged] >= 0,
        clip=clip.astype(np.int64)[predicted.frame_index[judged]],
    )


def fit(known: Known | None, num_classes: int, min_score: float) -> Calibration:
    """Temperatures from frames that the detector did not learn from; 1 where there is nothing to fit.

    Args:
        known: Val; ``None`` where nobody labelled it.
        num_classes: K.
        min_score: Detections below it are left out.
    """
    if known is None:
        return Calibration(temperature=np.ones(num_classes))
    return _fitted(outcomes(known, min_score), num_classes)


def _fitted(found: Outcomes, num_classes: int) -> Calibration:
    shared = _temperature(found) if _enough(found, 1) else 1.0
    temperature = np.full(num_classes, shared)
    for kind in range(num_classes):
        own = found.where(found.class_id == kind)
        if _enough(own, LEAST_BOXES):
            temperature[kind] = _temperature(own)
    return Calibration(temperature=temperature)


def _enough(found: Outcomes, least: int) -> bool:
    hits = int(found.hit.sum())
    return min(hits, len(found.hit) - hits) >= least


def _temperature(found: Outcomes) -> float:
    """The temperature of the lowest cross-entropy, by golden section on its logarithm.

    The cross-entropy is convex in 1 / T, so it has one valley on any monotone scale.
    """
    logit, hit = log_odds(found.score, LEAST), found.hit

    def loss(log_temperature: float) -> float:
        scaled = logit / np.exp(log_temperature)
        return float(np.mean(np.logaddexp(0, np.where(hit, -scaled, scaled))))

    low, high = np.log(RANGE)
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    while high - low > 1e-4:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = loss(right)
    return float(np.exp((low + high) / 2))


def detection_ece(score: Array, hit: NDArray[np.bool_], num_bins: int = 10) -> float:
    """Expected calibration error of detections in 0..1, 0 is perfect; NaN without detections.

    ``sum_j n_j / n * |mean score_j - precision_j|`` over bins of equal width of the score (D-ECE of Kueppers
    2020, arXiv 2004.13546, by score alone).
    """
    if not len(score):
        return float("nan")
    bins = np.minimum((score * num_bins).astype(np.int64), num_bins - 1)
    gap = np.bincount(bins, weights=score - hit, minlength=num_bins)
    return float(np.abs(gap).sum() / len(score))


def measure(known: Known, num_classes: int, min_score: float) -> tuple[float, float]:
    """``detection_ece`` before and after calibration, the second on clips that it was not fitted on.

    Two halves by clip are each calibrated with the other's temperatures.
    """
    found = outcomes(known, min_score)
    after = found.score.copy()
    for half in (0, 1):
        here = found.clip % 2 == half
        calibrate = _fitted(found.where(~here), num_classes)
        scores = np.repeat(found.score[here][:, None], num_classes, axis=1)
        after[here] = calibrate(scores)[np.arange(len(scores)), found.class_id[here]]
    return detection_ece(found.score, found.hit), detection_ece(after, found.hit)

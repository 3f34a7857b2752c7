"""How likely a predicted box is right: scores calibrated on frames whose truth is known.

The chance of a box is a logistic function of its score, of the best other class in the same place and of
what the other frames of its clip show. It matters: a detector trained on a few hundred frames reports dozens
of boxes at a score of 0.1 for one that is right, and adding up raw scores would spend a budget on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine import boxes
from dataengine.frameboxes import Predictions
from dataengine.mine.candidates import Candidates, Known
from dataengine.mine.odds import chance_of, log_odds

Array = NDArray[np.float64]

CHANCE_IOU = 0.4
"""Overlap from which a prediction is of the same object as a label."""

PRIOR = np.array([-1.0, 1.5, 0.0, 0.3])
"""Where the fit starts, and where it stays without known frames: a score of 0.5 is right a little less
often than not for a detector that is still learning."""

SHARED_PRECISION = 1.0
"""Weight of ``PRIOR`` against the known boxes of all classes together."""

CLASS_PRECISION = np.array([1.0, 1e3, 1e3, 1e3])
"""Weight of the shared fit against the known boxes of one class: an offset of its own is had after a few
boxes, another slope only after thousands. A rare class's boxes come from one or two clips."""


LEAST_SUPPORT = 0.01
"""A clip without any sign of a class is no stronger evidence than this."""

STEPS = 50
"""Newton steps at most; a dozen are enough unless the classes are separable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Frames of one kind: the pool, the labelled ones, or val.

    Attributes:
        clip_id: ``[F]`` strings.
        predictions: Of the same frames.
        known: Their truth, if it may be looked at.
    """

    clip_id: pa.Array
    predictions: Predictions
    known: Known | None = None


def expected_counts(candidates: Candidates) -> Array:
    """``[N, K]`` how many objects of each class a frame is expected to hold."""
    num_classes = len(candidates.classes)
    predicted = candidates.predictions.boxes
    place = predicted.frame_index * num_classes + predicted.class_id.astype(np.int64)
    chances = own_chances(candidates)
    counts = np.bincount(place, weights=chances, minlength=len(candidates) * num_classes)
    return counts.astype(np.float64).reshape(len(candidates), num_classes)


def own_chances(candidates: Candidates) -> Array:
    """``[B]`` chance in 0..1 that each predicted box is an object of its class."""
    parts = [_Part(clip_id=_strings(candidates.frames), predictions=candidates.predictions)]
    for known in (candidates.labelled, candidates.val):
        if known is not None:
            parts.append(_Part(clip_id=_strings(known.frames), predictions=known.predictions, known=known))
    support = _support(parts, len(candidates.classes))
    slopes = _fit(parts[1:], support[1:], len(candidates.classes))
    signs = _signs(candidates.predictions, support[0])
    return chance_of(np.einsum("bi,bi->b", signs, slopes[candidates.predictions.boxes.class_id]))


def share_found(candidates: Candidates) -> float:
    """How much of what is known to be there the model finds, in 0..1.

    On val, or where there is none on the labelled frames: the right detections, each weighted by its
    chance, over the number of labelled objects. 0 where nothing is known.
    """
    known = candidates.val or candidates.labelled
    if known is None:
        return 0.0
    objects = int(np.count_nonzero(~known.truth.ignore))
    parts = [_Part(clip_id=_strings(known.frames), predictions=known.predictions, known=known)]
    support = _support(parts, len(candidates.classes))
    slopes = _fit(parts, support, len(candidates.classes))
    signs = _signs(known.predictions, support[0])
    chance = chance_of(np.einsum("bi,bi->b", signs, slopes[known.predictions.boxes.class_id]))
    _, right = _judged(known)
    return min(1.0, float(chance @ right) / objects) if objects else 0.0


def _strings(frames: pa.Table) -> pa.Array:
    return frames["clip_id"].combine_chunks().cast(pa.string())


def _support(parts: Sequence[_Part], num_classes: int) -> list[Array]:
    """For each part ``[F, K]``: mean over the *other* frames of the clip of the class's highest score."""
    clip = pa.concat_arrays([part.clip_id for part in parts]).dictionary_encode()
    codes = clip.indices.to_numpy(zero_copy_only=False)
    highest = np.concatenate([_highest(part.predictions, num_classes) for part in parts])
    size = np.bincount(codes)
    total = np.stack([np.bincount(codes, column) for column in highest.T], axis=1)
    company = size[codes][:, None] - 1
    # A frame that is alone in its clip speaks for itself: neither for nor against.
    others = np.where(company > 0, (total[codes] - highest) / np.maximum(company, 1), highest)
    ends = np.cumsum([len(part.clip_id) for part in parts])
    return np.split(others, ends[:-1])


def _highest(predictions: Predictions, num_classes: int) -> Array:
    """``[F, K]`` highest score of each class in each frame, 0 where there is no box."""
    highest = np.zeros((predictions.boxes.num_frames, num_classes))
    frame = predictions.boxes.frame_index
    first = np.flatnonzero(np.diff(frame, prepend=-1))
    if len(first):
        highest[frame[first]] = np.maximum.reduceat(_sound(predictions), first, axis=0)
    return highest


def _sound(predictions: Predictions) -> Array:
    """``[B, K]`` scores in 0..1; one that is not a number says nothing."""
    scores = predictions.class_scores.astype(np.float64)
    return np.clip(np.nan_to_num(scores, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)


def _signs(predictions: Predictions, support: Array) -> Array:
    """``[B, 4]``: one, the logit of the own score, of the best other class, and of the clip's support."""
    scores = _sound(predictions)
    rows, own = np.arange(len(scores)), predictions.boxes.class_id.astype(np.int64)
    others = scores.copy()
    others[rows, own] = 0
    return np.column_stack(
        [
            np.ones(len(scores)),
            log_odds(scores[rows, own]),
            log_odds(others.max(axis=1, initial=0.0)),
            log_odds(np.maximum(support[predictions.boxes.frame_index, own], LEAST_SUPPORT)),
        ]
    )


def _fit(parts: Sequence[_Part], support: Sequence[Array], num_classes: int) -> Array:
    """``[K, 4]`` coefficients of each class, from boxes of which it is known whether they are right."""
    signs, right, class_id = [np.zeros((0, len(PRIOR)))], [np.zeros(0)], [np.zeros(0, np.int64)]
    for part, other_frames in zip(parts, support, strict=True):
        assert part.known is not None
        counts, is_right = _judged(part.known)
        signs.append(_signs(part.predictions, other_frames)[counts])
        right.append(is_right[counts])
        class_id.append(part.predictions.boxes.class_id[counts].astype(np.int64))
    every, answers, kinds = np.concatenate(signs), np.concatenate(right), np.concatenate(class_id)
    shared = logistic(every, answers, PRIOR, np.full(len(PRIOR), SHARED_PRECISION))
    own = (
        logistic(every[kinds == k], answers[kinds == k], shared, CLASS_PRECISION) for k in range(num_classes)
    )
    return np.stack(list(own))


def _judged(known: Known) -> tuple[NDArray[np.bool_], Array]:
    """Which predicted boxes count (not in an ignore region alone), and 1 for those that are right."""
    predicted, truth = known.predictions.boxes, known.truth
    pairs = boxes.overlaps(predicted, truth, CHANCE_IOU)
    on_ignored = np.zeros(predicted.num_boxes, np.bool_)
    on_ignored[pairs.predicted[truth.ignore[pairs.truth]]] = True
    same = boxes.same_class(pairs, predicted, truth) & ~truth.ignore[pairs.truth]
    right = np.zeros(predicted.num_boxes)
    right[pairs.predicted[same]] = 1
    return ~on_ignored | (right > 0), right


def logistic(signs: Array, right: Array, prior: Array, precision: Array) -> Array:
    """Coefficients of a logistic regression with a Gaussian prior, by Newton's method.

    Args:
        signs: ``[B, P]``.
        right: ``[B]`` 0 or 1.
        prior: ``[P]`` mean of the prior, and the answer without examples.
        precision: ``[P]`` its precision, > 0.
    """
    slopes = prior.astype(np.float64)
    for _ in range(STEPS):
        chance = chance_of(signs @ slopes)
        gradient = signs.T @ (chance - right) + precision * (slopes - prior)
        curvature = (signs * (chance * (1 - chance))[:, None]).T @ signs + np.diag(precision)
        step = np.linalg.solve(curvature, gradient)
        slopes = slopes - step / max(
            1.0, float(np.abs(step).max())
        )  # damped: far from the optimum it overshoots
        if np.abs(step).max() < 1e-8:
            break
    return slopes

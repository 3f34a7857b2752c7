"""Frames of which the model says other things when it sees them mirrored or smaller.

* ``flip_consistency``: the largest symmetric divergence between the class scores of a box and of its
  counterpart in the mirrored image (AL-SSL, Elezi 2022, arXiv 2106.11921). There both are softmax outputs of
  one anchor; here the scores of K classes are independent, so their divergences add up, and a box
  without counterpart is compared with the least score that a detector reports.
* ``consistency``: what CALD (Yu 2022, arXiv 2103.10374, published code) ranks by. Of a box with class
  scores p and its counterpart with q: ``c = |IoU + (1 - JS(p, q)) (max p + max q) / 2 - 1.3|``. The lowest c
  of a frame's boxes counts, 1 at most, averaged over the views, and low is wanted: not the boxes that
  change most, which are hopeless, but those that change *moderately*. Two of CALD's four augmentations
  (mirrored, 0.8 of the size) are used. A place that a detector reports for several classes counts once.
  CALD's frames without boxes score 0 and so come first; here they come last.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.scores.pairing import Opinion, most_overlapping, paired
from dataengine.mine.strategy import FrameScores, Need, Score, Task

Array = NDArray[np.float64]

MODERATE = 1.3
"""The sum of overlap and agreement that is wanted most: 2 is full consistency (CALD's base point)."""

LEAST = 0.01
"""Scores are kept so far from 0 and 1 before they are compared, or one sure box would outweigh all."""

VIEWS = (Need.flip, Need.scale)


def symmetric_divergence(p: Array, q: Array) -> Array:
    """``[B]`` ``KL(p || q) + KL(q || p)`` of ``[B, K]`` independent chances, in nats; at least 0."""
    p, q = np.clip(p, LEAST, 1 - LEAST), np.clip(q, LEAST, 1 - LEAST)
    answer: Array = ((p - q) * (np.log(p / (1 - p)) - np.log(q / (1 - q)))).sum(axis=1)
    return answer


def jensen_shannon(p: Array, q: Array) -> Array:
    """``[B]`` divergence in nats, 0..ln 2, of ``[B, K]`` scores, each scaled to add up to 1."""
    p, q = _distribution(p), _distribution(q)
    middle = (p + q) / 2
    mean = (_kl(p, middle) + _kl(q, middle)) / 2
    answer: Array = np.maximum(mean, 0)
    return answer


def _distribution(scores: Array) -> Array:
    answer: Array = scores / np.maximum(scores.sum(axis=1, keepdims=True), 1e-12)
    return answer


def _kl(p: Array, q: Array) -> Array:
    ratio = np.divide(p, q, out=np.ones_like(p), where=(p > 0) & (q > 0))
    answer: Array = (p * np.log(ratio)).sum(axis=1)
    return answer


def cald_consistency(plain: Opinion, views: list[Opinion]) -> Array:
    """``[N]`` CALD's metric of each frame in 0..1, *lower* is more wanted; NaN where the frame has no box."""
    frame, num_frames = plain.boxes.frame_index, plain.boxes.num_frames
    total = np.zeros(num_frames)
    for view in views:
        found = most_overlapping(plain, view)
        partner = found.of(view.class_scores)
        # The highest overlap of nothing is with the first, surest box: so the published code has it.
        some = view.boxes.counts[frame] > 0
        lone = (found.row < 0) & some
        partner[lone] = view.class_scores[view.boxes.offsets[frame[lone]]]
        agreement = (1 - jensen_shannon(plain.class_scores, partner)) * (
            plain.class_scores.max(axis=1, initial=0) + partner.max(axis=1, initial=0)
        )
        value = np.abs(found.iou + agreement / 2 - MODERATE)
        value[~some] = 0  # a view without any box is as inconsistent as is wanted, as published
        lowest = np.ones(num_frames)
        np.minimum.at(lowest, frame, value)
        total += lowest
    mean = total / max(len(views), 1)
    return np.where(plain.boxes.counts > 0, mean, np.nan)


def _flip(task: Task) -> FrameScores:
    candidates, least = task.candidates, task.config.min_score
    plain = Opinion.of_places(candidates.predictions, least)
    mirrored = Opinion.of_places(candidates.view(Need.flip.value), least)
    divergence = symmetric_divergence(plain.class_scores, paired(plain, mirrored).of(mirrored.class_scores))
    values = np.zeros(len(candidates))
    np.maximum.at(values, plain.boxes.frame_index, divergence)

    def reason(number: int) -> str:
        return f"divergence {values[number]:.2f} between a box and its place in the mirrored image"

    return FrameScores(values=values, reason=reason)


def _consistency(task: Task) -> FrameScores:
    candidates, least = task.candidates, task.config.min_score
    plain = Opinion.of_places(candidates.predictions, least)
    metric = cald_consistency(plain, [Opinion.of_places(candidates.view(v.value), least) for v in VIEWS])
    values = np.where(np.isnan(metric), 0, 1 - metric)

    def reason(number: int) -> str:
        if np.isnan(metric[number]):
            return "no predicted boxes, so nothing to be inconsistent about"
        return f"consistency between views within {metric[number]:.2f} of what CALD looks for"

    return FrameScores(values=values, reason=reason)


FLIP_CONSISTENCY = Score(
    name="flip_consistency",
    summary="frames with a box whose classes change when the image is mirrored",
    span="0 (nothing changes, or no boxes) to 9 for each class",
    needs=frozenset({Need.predictions, Need.flip}),
    source="AL-SSL, arXiv 2106.11921, without its shortlist by entropy; costs one more pass",
    compute=_flip,
)

CONSISTENCY = Score(
    name="consistency",
    summary="frames whose boxes change moderately when the image is mirrored or shown smaller",
    span="0 (everything stays, everything changes, or no boxes) to 1 (a box in each view changes as wanted)",
    needs=frozenset({Need.predictions, *VIEWS}),
    source="CALD, arXiv 2103.10374, its first stage; costs 1.64 more passes",
    compute=_consistency,
)

"""Frames on whose boxes the model wavers.

Every predicted box gets an uncertainty in 0..1 from its class scores ``s``, which may be independent
(sigmoid) or add up to one (softmax); 1 is the least certain:

* ``entropy``: the largest binary entropy over the classes, ``max_c h2(s_c)`` in bits, as the entropy
  baseline of TALISMAN (Kothawade 2022, arXiv 2112.00166, published code). Highest at a score of 0.5.
* ``margin``: ``1 - (a - b)``, where ``a`` and ``b`` are the two largest among the class scores and
  "nothing there", ``1 - max(s)``. Highest where two classes, or a class and nothing, are level.

A frame's score is the ``max`` of its boxes (0..1, chases outliers), the ``mean`` of its ten highest
(0..1, the default), or their ``sum`` (unbounded, chases crowds). Two things may be added: scores
calibrated on val (``mine.calibrate``), and a weight for what is labelled little
(``mine.class_weighted``). A frame without boxes scores 0: what the model overlooks entirely, this arm
cannot find.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine.config import MineConfig
from dataengine.mine.candidates import PredictedBoxes
from dataengine.mine.scores import calibration
from dataengine.mine.scores.aggregation import per_frame, rarity_weights
from dataengine.mine.strategy import FrameScores, Need, Score, Task

Scores = NDArray[np.floating[Any]]
"""Of whatever precision the model's are."""


def entropy(class_scores: Scores) -> Scores:
    """``[B]`` uncertainty in 0..1 from ``[B, K]`` scores: the largest binary entropy, in bits."""
    bits = _surprise(class_scores) + _surprise(1 - class_scores)
    answer: Scores = bits.max(axis=1, initial=0.0)
    return answer


def _surprise(chance: Scores) -> Scores:
    """``-p log2 p``, 0 at 0."""
    answer: Scores = -chance * np.log2(np.where(chance > 0, chance, 1))
    return answer


def margin(class_scores: Scores) -> Scores:
    """``[B]`` uncertainty in 0..1 from ``[B, K]`` scores: one minus the lead of the best answer."""
    nothing = 1 - class_scores.max(axis=1, initial=0.0)
    top = np.sort(np.column_stack([class_scores, nothing]), axis=1)[:, -2:]
    answer: Scores = 1 - (top[:, -1] - top[:, 0])
    return answer


def frame_scores(
    boxes: PredictedBoxes,
    num_frames: int,
    config: MineConfig,
    class_weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """``[N]`` uncertainty of each frame; higher is more wanted, 0 where there are no boxes.

    Args:
        boxes: The predicted boxes that count.
        num_frames: N.
        config: ``uncertainty`` and ``aggregate``.
        class_weights: ``[K]`` factor of a box by its best class; all 1 by default.
    """
    values = (entropy if config.uncertainty == "entropy" else margin)(boxes.class_scores)
    if class_weights is not None:
        values = values * class_weights[boxes.class_scores.argmax(axis=1)]
    return per_frame(values, boxes.frame, num_frames, config.aggregate)


def compute(task: Task) -> FrameScores:
    """The score of every candidate, and in words where it comes from."""
    candidates, config = task.candidates, task.config
    boxes = candidates.boxes
    if config.calibrate:
        calibrated = calibration.fit(candidates.val, len(candidates.classes), config.min_score)
        boxes = replace(boxes, class_scores=calibrated(boxes.class_scores).astype(np.float32))
    weights = rarity_weights(candidates.labelled_class_counts) if config.class_weighted else None
    values = frame_scores(boxes, len(candidates), config, weights)
    num_boxes = np.bincount(boxes.frame, minlength=len(candidates))
    what = " ".join(
        ["calibrated"] * config.calibrate + ["weighted"] * config.class_weighted + [config.uncertainty]
    )

    def reason(number: int) -> str:
        if not num_boxes[number]:
            return "no predicted boxes, so nothing to be uncertain about; the surer frames ran out"
        return f"{config.aggregate} {what} {values[number]:.2f}; predicted boxes: {num_boxes[number]}"

    return FrameScores(values=values, reason=reason)


UNCERTAINTY = Score(
    name="uncertainty",
    summary="frames on whose boxes the model wavers",
    span="0 (sure, or no boxes) to 1 per box (level chances); with sum or class weights unbounded",
    needs=frozenset({Need.predictions, Need.val}),
    source="entropy: TALISMAN's baseline, arXiv 2112.00166; margin and class weights: arXiv 1809.09875",
    compute=compute,
)

"""Frames on whose boxes the model wavers.

Every predicted box gets an uncertainty in 0..1 from its class scores ``s``, which may be independent
(sigmoid) or add up to one (softmax); 1 is the least certain:

* ``entropy``: the largest binary entropy over the classes, ``max_c h2(s_c)`` in bits, as the entropy
  baseline of TALISMAN (Kothawade 2022, arXiv 2112.00166, published code). Highest at a score of 0.5.
* ``margin``: ``1 - (a - b)``, where ``a`` and ``b`` are the two largest among the class scores and
  "nothing there", ``1 - max(s)``. Highest where two classes, or a class and nothing, are level.

A frame's score is the ``max`` of its boxes (0..1, chases outliers), the ``mean`` of its ten highest
(0..1, the default), or their ``sum`` (unbounded, chases crowds). A frame without boxes scores 0: what
the model overlooks entirely, this arm cannot find.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine.config import MineConfig
from dataengine.mine.basket import Basket
from dataengine.mine.candidates import PredictedBoxes
from dataengine.mine.strategy import Arm, Need, Task

Scores = NDArray[np.floating[Any]]
"""Of whatever precision the model's are."""

MEAN_OF = 10
"""Boxes of a frame that ``mean`` looks at."""


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


def frame_scores(boxes: PredictedBoxes, num_frames: int, config: MineConfig) -> NDArray[np.float64]:
    """``[N]`` uncertainty of each frame; higher is more wanted, 0 where there are no boxes."""
    values = (entropy if config.uncertainty == "entropy" else margin)(boxes.class_scores)
    order = np.lexsort((-values, boxes.frame))
    frame, values = boxes.frame[order], values[order]
    first = np.searchsorted(frame, frame, side="left")
    within = {"max": 1, "mean": MEAN_OF, "sum": len(frame)}[config.aggregate]
    kept = np.arange(len(frame)) - first < within
    total = np.bincount(frame[kept], weights=values[kept], minlength=num_frames).astype(np.float64)
    if config.aggregate == "mean":
        total = total / np.maximum(np.bincount(frame[kept], minlength=num_frames), 1)
    return total


def fill_uncertainty(task: Task, basket: Basket) -> None:
    """Frames by falling score; ties by frame id."""
    candidates, config = task.candidates, task.config
    scores = frame_scores(candidates.boxes, len(candidates), config)
    num_boxes = np.bincount(candidates.boxes.frame, minlength=len(candidates))
    for number in np.argsort(-scores, kind="stable").tolist():
        if basket.exhausted:
            return
        if basket.eligible[number]:
            value = f"{config.aggregate} {config.uncertainty} {scores[number]:.2f}"
            reason = f"{value}; predicted boxes: {num_boxes[number]}"
            if not num_boxes[number]:
                reason = "no predicted boxes, so nothing to be uncertain about; the surer frames ran out"
            basket.add(number, scores[number], "uncertainty", reason)


UNCERTAINTY = Arm(
    name="uncertainty",
    summary="frames on whose boxes the model wavers",
    needs=frozenset({Need.predictions}),
    fill=fill_uncertainty,
)

"""FiftyOne Brain's rankings, by which its users sort frames before they label: own code, published rules.

* ``uniqueness``: 0.6, 0.3 and 0.1 of the distances to the three nearest other frames.
* ``hardness``: the entropy of a prediction. Brain defines it for a classification with logits; a frame of a
  detector is the mean over its boxes, whose class scores and "nothing there" stand for the softmax.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.strategy import FrameScores, Need, Score, Task

WEIGHTS = np.array([0.6, 0.3, 0.1])
"""Of the nearest, the second and the third neighbour (fiftyone-brain, ``internal/core/uniqueness.py``)."""

EXACT_TO = 50_000
"""Frames up to which every pair is compared; a larger pool is compared with fewer of its frames, evenly
taken, so that the number of pairs, and the time, stays the same."""

BLOCK = 1024

Array = NDArray[np.float64]


def uniqueness(embeddings: NDArray[np.float32]) -> Array:
    """``[N]`` 0..1: the weighted mean distance to the three nearest others, divided by the largest.

    Up to three frames are all 1, as in Brain. Frames whose embedding is not finite are 0.

    Args:
        embeddings: ``[N, D]``; distances are Euclidean, of the embeddings as they are.
    """
    total = len(embeddings)
    sound = np.isfinite(embeddings).all(axis=1) & (np.abs(embeddings).max(axis=1, initial=0) < 1e15)
    if total <= len(WEIGHTS):
        return np.ones(total)
    values = np.zeros(total)
    rows = np.flatnonzero(sound)
    if len(rows) > len(WEIGHTS):
        values[rows] = _neighbour_distances(embeddings[rows]) @ WEIGHTS / len(WEIGHTS)
    highest = float(values.max())
    return values / highest if highest > 0 else np.where(sound, 1.0, 0.0)


def _neighbour_distances(rows: NDArray[np.float32]) -> Array:
    """``[N, 3]`` distances to the three nearest other rows, rising."""
    total, nearest = len(rows), len(WEIGHTS)
    most = max(nearest + 1, min(total, EXACT_TO * EXACT_TO // total))
    among = np.unique(np.linspace(0, total - 1, most).astype(np.int64))
    centred = rows - rows.mean(axis=0, dtype=np.float64).astype(np.float32)  # keeps digits in the products
    others = centred[among]
    squared = np.einsum("nd,nd->n", others, others)
    found = np.empty((total, nearest))
    for begin in range(0, total, BLOCK):
        block = np.arange(begin, min(begin + BLOCK, total))
        near = squared - 2 * (centred[block] @ others.T)
        place = np.minimum(np.searchsorted(among, block), len(among) - 1)
        itself = among[place] == block
        near[np.flatnonzero(itself), place[itself]] = np.inf
        best = np.argpartition(near, nearest - 1, axis=1)[:, :nearest]
        # of the few that matter, the difference itself: products lose the digits of near copies
        gaps = (centred[block][:, None, :] - others[best]).astype(np.float64)
        found[block] = np.sort(np.sqrt(np.einsum("nkd,nkd->nk", gaps, gaps)), axis=1)
    return found


def entropy_of_prediction(class_scores: NDArray[np.floating[Any]]) -> Array:
    """``[B]`` entropy in nats, 0 .. ln(K + 1), of the classes and "nothing there", scaled to add up to 1."""
    nothing = np.clip(1.0 - class_scores.sum(axis=1, keepdims=True, dtype=np.float64), 0.0, 1.0)
    chance = np.concatenate([class_scores.astype(np.float64), nothing], axis=1)
    chance /= np.maximum(chance.sum(axis=1, keepdims=True), 1e-300)
    answer: Array = -(chance * np.log(np.where(chance > 0, chance, 1))).sum(axis=1)
    return np.maximum(answer, 0.0)


def _uniqueness(task: Task) -> FrameScores:
    values = uniqueness(task.candidates.predictions.embeddings)
    return FrameScores(
        values=values,
        reason=lambda number: (
            f"{values[number]:.2f} of the largest distance to the nearest others of the pool"
        ),
    )


def _hardness(task: Task) -> FrameScores:
    boxes, total = task.candidates.boxes, len(task.candidates)
    counts = np.bincount(boxes.frame, minlength=total)
    summed = np.bincount(boxes.frame, weights=entropy_of_prediction(boxes.class_scores), minlength=total)
    values = summed / np.maximum(counts, 1)
    return FrameScores(
        values=values,
        reason=lambda number: f"mean entropy {values[number]:.2f} of its predicted boxes: {counts[number]}",
    )


UNIQUENESS = Score(
    name="uniqueness",
    summary="far from its three nearest neighbours in the pool (FiftyOne Brain)",
    span="0 (has three copies) .. 1 (the most alone of the pool)",
    needs=frozenset({Need.predictions}),
    source="fiftyone-brain, compute_uniqueness",
    compute=_uniqueness,
)
HARDNESS = Score(
    name="hardness",
    summary="mean entropy of what is predicted for its boxes (FiftyOne Brain)",
    span="0 (certain, or no boxes) .. ln(classes + 1)",
    needs=frozenset({Need.predictions}),
    source="fiftyone-brain, compute_hardness; mean over boxes: own",
    compute=_hardness,
)
SCORES = (UNIQUENESS, HARDNESS)

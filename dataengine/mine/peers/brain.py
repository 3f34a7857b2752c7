"""FiftyOne Brain's rankings, by which its users sort frames before they label: own code, published rules.

* ``uniqueness``: embeddings are centred and compared by direction; a frame's value is 0.6, 0.3 and 0.1 of the
  distances to three neighbours, divided by the largest of the pool. As Brain leaves the frame itself out
  twice, the neighbours are the second to the fourth; up to 15,000 frames the distance is the cosine distance,
  above the chord of the unit sphere (``brain/internal/core/uniqueness.py`` and ``sklearn.py`` of fiftyone
  1.x). Both are kept: this is what a user gets.
* ``hardness``: the entropy of a prediction. Brain defines it for a classification with logits; a frame of a
  detector is the mean over its boxes, whose class scores and "nothing there" stand for the softmax.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.diversity.coverage import unit_rows
from dataengine.mine.strategy import FrameScores, Need, Score, Task

WEIGHTS = np.array([0.6, 0.3, 0.1])
"""Of the three neighbours, the nearest first."""

PRECOMPUTED_TO = 15_000
"""Frames up to which Brain computes all distances at once, by cosine."""

EXACT_TO = 30_000
"""Frames up to which every pair is compared; a larger pool is compared with fewer of its frames, evenly
taken, so that the number of pairs, and the time, stays the same."""

BLOCK = 1024
"""Frames compared with all others at once."""

Array = NDArray[np.float64]


def uniqueness(embeddings: NDArray[np.float32]) -> Array:
    """``[N]`` 0..1, 1 for the most unique; all 1 for up to four frames; 0 for a broken embedding.

    Args:
        embeddings: ``[N, D]``.
    """
    total = len(embeddings)
    if total <= len(WEIGHTS) + 1:
        return np.ones(total)
    rows = np.flatnonzero((np.abs(embeddings) < 1e15).all(axis=1))
    values = np.zeros(total)
    if len(rows) > len(WEIGHTS) + 1:
        centred = embeddings[rows] - embeddings[rows].mean(axis=0, dtype=np.float64)
        squared = _squared_chords(unit_rows(centred.astype(np.float32))[0])
        distance = squared / 2 if total <= PRECOMPUTED_TO else np.sqrt(squared)
        values[rows] = distance[:, 1:] @ WEIGHTS
    highest = float(values.max())
    if highest > 0:
        return values / highest
    values[rows] = 1.0
    return values


def _squared_chords(rows: NDArray[np.float32]) -> Array:
    """``[N, 4]`` squared distances to the four nearest other rows, rising; for rows of length 1 or 0."""
    total, wanted = len(rows), len(WEIGHTS) + 1
    most = max(wanted + 1, min(total, EXACT_TO * EXACT_TO // total))
    among = np.unique(np.linspace(0, total - 1, most).astype(np.int64))
    others = rows[among]
    found = np.empty((total, wanted))
    for begin in range(0, total, BLOCK):
        block = np.arange(begin, min(begin + BLOCK, total))
        similarity = rows[block] @ others.T
        place = np.minimum(np.searchsorted(among, block), len(among) - 1)
        itself = among[place] == block
        similarity[np.flatnonzero(itself), place[itself]] = -np.inf
        best = np.argpartition(-similarity, wanted - 1, axis=1)[:, :wanted]
        # of the few that matter, the difference itself: products lose the digits of near copies
        gaps = (rows[block][:, None, :] - others[best]).astype(np.float64)
        exact = np.einsum("nkd,nkd->nk", gaps, gaps)
        pointing = np.any(rows[block], axis=1, keepdims=True) & np.any(others[best], axis=2)
        exact[np.logical_not(pointing)] = 2.0  # a row without a direction is at a right angle to all
        found[block] = np.sort(exact, axis=1)
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
    summary="far from its nearest neighbours in the pool (FiftyOne Brain)",
    span="0 (has four copies) .. 1 (the most alone of the pool)",
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

"""Frames on which an earlier moment of the same training says something else.

The two models are an ensemble that costs no second training (snapshot ensembles: Huang 2017, arXiv
1704.00109, with restarts of the learning rate, which we do not make). Of a box with scores p, and q of its
counterpart: the mutual information between answer and model, ``h((p + q) / 2) - (h(p) + h(q)) / 2`` in bits,
the largest over the classes (BALD, Houlsby 2011; for boxes as in Haussmann 2020, arXiv 2004.04699). A box
that only one of the two models reports is compared with 0, whichever of them it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.scores.aggregation import per_frame, rarity_weights
from dataengine.mine.scores.pairing import Opinion, paired
from dataengine.mine.strategy import FrameScores, Need, Score, Task

Array = NDArray[np.float64]


def mutual_information(p: Array, q: Array) -> Array:
    """``[B]`` bits in 0..1 of ``[B, K]`` scores of two models: the largest of the classes."""
    bits: Array = _entropy((p + q) / 2) - (_entropy(p) + _entropy(q)) / 2
    largest: Array = bits.max(axis=1, initial=0.0)
    return largest


def _entropy(chance: Array) -> Array:
    rest = 1 - chance
    answer: Array = -chance * np.log2(np.where(chance > 0, chance, 1)) - rest * np.log2(
        np.where(rest > 0, rest, 1)
    )
    return answer


def box_disagreement(one: Opinion, other: Opinion) -> tuple[Array, NDArray[np.int64], NDArray[np.int16]]:
    """Bits in 0..1 of each box, its frame and its class; boxes that ``other`` alone has got stand last."""
    found = paired(one, other)
    own = mutual_information(one.class_scores, found.of(other.class_scores))
    lone = np.ones(other.boxes.num_boxes, np.bool_)
    lone[found.row[found.row >= 0]] = False
    missing = other.class_scores[lone]
    values = np.concatenate([own, mutual_information(missing, np.zeros_like(missing))])
    frame = np.concatenate([one.boxes.frame_index, other.boxes.frame_index[lone]])
    return values, frame, np.concatenate([one.boxes.class_id, other.boxes.class_id[lone]])


def compute(task: Task) -> FrameScores:
    """The score of every candidate."""
    candidates, config = task.candidates, task.config
    final, earlier = (
        Opinion.of_places(found, config.min_score)
        for found in (candidates.predictions, candidates.view(Need.snapshot.value))
    )
    bits, frame, kind = box_disagreement(final, earlier)
    if config.class_weighted:
        bits = bits * rarity_weights(candidates.labelled_class_counts)[kind]
    values = per_frame(bits, frame, len(candidates), config.aggregate)
    num_boxes = np.bincount(frame, minlength=len(candidates))
    what = "weighted disagreement" if config.class_weighted else "disagreement"

    def reason(number: int) -> str:
        return (
            f"{config.aggregate} {what} {values[number]:.3f} bits with an earlier model "
            f"on {num_boxes[number]} boxes"
        )

    return FrameScores(values=values, reason=reason)


SNAPSHOT = Score(
    name="snapshot",
    summary="frames on which an earlier moment of the same training says something else",
    span="0 (the same boxes and scores, or no boxes) to 1 bit per box; unbounded with sum or class weights",
    needs=frozenset({Need.predictions, Need.snapshot}),
    source="mutual information of two snapshots, arXiv 2004.04699; costs one more pass",
    compute=compute,
)

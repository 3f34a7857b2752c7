"""CALD: moderate inconsistency between views, then classes that the labels lack (Yu 2022, arXiv 2103.10374).

After the published code. A shortlist of 1.2 times the batch is taken by consistency (``scores.consistency``:
what is the same there and what is not). Of it, those frames are bought whose classes differ most from the
labelled ones: the Jensen-Shannon divergence between the softmax of the mean number of labelled boxes of each
class in a frame and the softmax of the frame's highest score of each class, averaged over all looks at it.
Ours: frames without boxes come last instead of first, and limits per clip hold as for every arm; where
they close frames of the shortlist, another is drawn up for the room that is left.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.basket import Basket
from dataengine.mine.scores.consistency import CONSISTENCY, VIEWS, jensen_shannon
from dataengine.mine.scores.pairing import Opinion
from dataengine.mine.strategy import Arm, Task

Array = NDArray[np.float64]

SHORTLIST = 1.2
"""Frames looked at in the second stage for each that is bought."""


def class_evidence(opinions: list[Opinion], num_classes: int) -> Array:
    """``[N, K]`` highest score of a frame's boxes of each class, the mean over the opinions."""
    num_frames = opinions[0].boxes.num_frames
    total = np.zeros((num_frames, num_classes))
    for opinion in opinions:
        highest = np.zeros_like(total)
        np.maximum.at(highest, (opinion.boxes.frame_index, opinion.boxes.class_id), opinion.boxes.score)
        total += highest
    return total / len(opinions)


def novelty(evidence: Array, labelled_per_frame: Array) -> Array:
    """``[N]`` divergence in 0..ln 2 of a frame's classes from the labelled ones; higher is more wanted.

    Args:
        evidence: ``[N, K]`` as ``class_evidence`` returns it.
        labelled_per_frame: ``[K]`` mean number of labelled boxes in a labelled frame.
    """
    known = np.broadcast_to(softmax(labelled_per_frame[None]), evidence.shape)
    return jensen_shannon(known, softmax(evidence))


def softmax(rows: Array) -> Array:
    """``[N, K]`` rows that add up to 1."""
    powers = np.exp(rows - rows.max(axis=1, keepdims=True, initial=-np.inf))
    answer: Array = powers / np.maximum(powers.sum(axis=1, keepdims=True), 1e-300)
    return answer


def fill_cald(task: Task, basket: Basket) -> None:
    """The most novel of a shortlist of the moderately inconsistent, until the basket is full."""
    candidates, config = task.candidates, task.config
    first = CONSISTENCY.compute(task)
    predictions = [candidates.predictions, *(candidates.view(view.value) for view in VIEWS)]
    looks = [Opinion.of(one, config.min_score) for one in predictions]
    evidence, blank = class_evidence(looks, len(candidates.classes)), looks[0].boxes.counts == 0
    labelled = candidates.labelled_class_counts / max(1, len(candidates.labelled_embeddings))
    second = novelty(evidence, labelled.astype(np.float64))
    order = np.argsort(-first.values, kind="stable")
    while not basket.exhausted:
        shortlist = order[basket.eligible[order]][: math.ceil(SHORTLIST * basket.room)]
        # By id among equals, so that the pool's order cannot decide.
        for number in shortlist[np.lexsort((shortlist, -second[shortlist], blank[shortlist]))].tolist():
            if basket.room and basket.eligible[number]:
                reason = f"{first.reason(number)}; classes differ by {second[number]:.3f} from the labelled"
                basket.add(number, float(second[number]), "cald", reason)


CALD = Arm(
    name="cald",
    summary="moderate inconsistency between views, then classes that the labels lack",
    fill=fill_cald,
    needs=CONSISTENCY.needs,
    source="CALD, arXiv 2103.10374; costs 1.64 more passes",
)

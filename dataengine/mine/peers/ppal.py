"""PPAL: uncertain boxes of difficult classes, then frames unlike each other (Yang 2024, arXiv 2211.11612).

After the published code. First stage: a frame is worth the entropy of its boxes, each weighted by the
difficulty of its class, and the four batches that are worth most stay. Second stage: k-medoids among those,
under a distance between frames that compares boxes of one class by their features (``box_similarity``); the
medoids are bought.

One thing is ours for want of the original: PPAL tracks the quality of each class while it trains. Here it
is measured afterwards, on the labelled frames: of each true box, the best ``p^0.6 IoU^0.4`` of the
predictions of its class, and 0 where there is none. On frames that were learned from, that is kinder than
the running average. A class without labels is as difficult as can be. Limits per clip hold as for every
arm; where they close medoids, another round is made for the room that is left.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dataengine import boxes
from dataengine.mine.basket import Basket
from dataengine.mine.candidates import Known
from dataengine.mine.peers.box_similarity import frame_distances
from dataengine.mine.peers.medoids import medoids
from dataengine.mine.scores.pairing import TOUCHING, Opinion
from dataengine.mine.strategy import Arm, Need, Task

Array = NDArray[np.float64]

SHORTLIST = 4
"""Frames looked at in the second stage for each that is bought."""

SCORE_POWER = 0.6
"""Weight of the score in a box's quality; the rest is that of the overlap."""

SLOPE, MOST = 0.3, 0.2
"""Difficulty weights: ``alpha``, how early they rise, and ``beta``, how far above 1 they end."""


def class_quality(labelled: Known | None, num_classes: int) -> Array:
    """``[K]`` how well the model knows the labelled boxes of each class, in 0..1; 0 without any."""
    if labelled is None:
        return np.zeros(num_classes)
    truth, predicted = labelled.truth, labelled.predictions.boxes
    pairs = boxes.overlaps(predicted, truth, TOUCHING)
    pairs = pairs.where(predicted.class_id[pairs.predicted] == truth.class_id[pairs.truth])
    score = np.nan_to_num(predicted.score[pairs.predicted].astype(np.float64))
    best = np.zeros(truth.num_boxes)
    np.maximum.at(best, pairs.truth, score**SCORE_POWER * pairs.iou ** (1 - SCORE_POWER))
    counted = ~truth.ignore
    kinds = truth.class_id[counted]
    total = np.bincount(kinds, weights=best[counted], minlength=num_classes)
    quality: Array = total / np.maximum(np.bincount(kinds, minlength=num_classes), 1)
    return quality


def difficulty_weights(quality: Array) -> Array:
    """``[K]`` weight of each class: 1 at quality 1, rising to ``1 + MOST`` at quality 0."""
    weights: Array = 1 + SLOPE * MOST * np.log((math.exp(1 / SLOPE) - 1) * (1 - quality) + 1)
    return weights


def weighted_entropy(opinion: Opinion, weights: Array) -> Array:
    """``[N]`` sum of the entropies of a frame's boxes in nats, by class weight; unbounded, chases crowds."""
    score = np.clip(opinion.boxes.score.astype(np.float64), 1e-12, 1 - 1e-12)
    entropy = -score * np.log(score) - (1 - score) * np.log1p(-score)
    return np.bincount(
        opinion.boxes.frame_index,
        weights=entropy * weights[opinion.boxes.class_id],
        minlength=opinion.boxes.num_frames,
    ).astype(np.float64)


def fill_ppal(task: Task, basket: Basket) -> None:
    """Medoids of the most uncertain frames, the most uncertain first, until the basket is full."""
    candidates, config = task.candidates, task.config
    opinion = Opinion.of(candidates.predictions, config.min_score)
    features = candidates.predictions.features[candidates.predictions.boxes.score >= config.min_score]
    weights = difficulty_weights(class_quality(candidates.labelled, len(candidates.classes)))
    worth = weighted_entropy(opinion, weights)
    order = np.argsort(-worth, kind="stable")
    while not basket.exhausted:
        shortlist = order[basket.eligible[order]][: SHORTLIST * basket.room]
        distances = frame_distances(opinion.boxes, features, shortlist)
        chosen = medoids(distances, min(basket.room, len(shortlist)), task.rng)
        for place in np.sort(chosen).tolist():
            number = int(shortlist[place])
            if basket.eligible[number]:
                reason = (
                    f"entropy {worth[number]:.2f} by difficulty of class, number {place + 1} of "
                    f"{len(shortlist)}; stands for frames like it"
                )
                basket.add(number, float(worth[number]), "ppal", reason)


PPAL = Arm(
    name="ppal",
    summary="uncertain boxes of difficult classes, then frames unlike each other",
    fill=fill_ppal,
    needs=frozenset({Need.predictions, Need.labelled}),
    source="PPAL, arXiv 2211.11612",
)

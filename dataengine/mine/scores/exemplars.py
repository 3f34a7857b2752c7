"""Exemplars of what to look for: objects that were missed, objects that are rare.

An object without a box has no features of its own: those of the box that overlaps it most, of whatever class
and score, stand for it. Where none does, the embedding of its frame does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine import boxes
from dataengine.mine.candidates import Known
from dataengine.mine.errors_model.outcomes import MATCH_IOU, SURE_SCORE, outcomes
from dataengine.mine.errors_model.said import Said

MOST_EXEMPLARS = 96
"""Exemplars at most: classes take turns, and those of one class are evenly spaced over its frames."""

MOST_PER_RARE_CLASS = 24
"""Labelled objects of one class that are exemplars at most."""

RARE_SHARE = 0.5
"""Classes labelled less than this share of an even one are rare; the rarest one always is."""

LEAST_OVERLAP = 0.1
"""Overlap from which a box may stand for an object that was missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplars:
    """What to look for.

    Attributes:
        vectors: ``[Q, E]`` features of boxes, or embeddings of frames.
        kind: ``[Q]`` class of each.
        of_frames: Whether they are embeddings of frames.
    """

    vectors: NDArray[np.float32]
    kind: NDArray[np.int64]
    of_frames: bool


def missed_objects(val: Known, num_classes: int) -> tuple[Exemplars, Exemplars]:
    """The objects of val that were missed: those that some box overlaps, and those that none does."""
    predicted, truth = val.predictions.boxes, val.truth
    real = ~truth.ignore & (truth.class_id >= 0) & (truth.class_id < num_classes)
    pairs = boxes.overlaps(predicted, truth, LEAST_OVERLAP)
    pairs = pairs.where(real[pairs.truth])
    found = np.zeros(truth.num_boxes, np.bool_)
    same = predicted.class_id[pairs.predicted] == truth.class_id[pairs.truth]
    found[pairs.truth[same & (pairs.iou >= MATCH_IOU) & (predicted.score[pairs.predicted] >= SURE_SCORE)]] = (
        True
    )
    order = np.lexsort((pairs.predicted, -pairs.iou, pairs.truth))
    best = order[np.flatnonzero(np.diff(pairs.truth[order], prepend=-1))]
    stand_in = np.full(truth.num_boxes, -1)
    stand_in[pairs.truth[best]] = pairs.predicted[best]
    has_features = val.predictions.features.shape[1] > 0
    missed = np.flatnonzero(real & ~found)
    near = missed[(stand_in[missed] >= 0) & has_features]
    alone = np.setdiff1d(missed, near)
    return (
        _limited(val.predictions.features[stand_in[near]], truth.class_id[near], of_frames=False),
        _limited(val.predictions.embeddings[truth.frame_index[alone]], truth.class_id[alone], of_frames=True),
    )


def rare_labelled(labelled: Known, counts: NDArray[np.int64]) -> tuple[Exemplars, Exemplars]:
    """Found objects of the classes that are labelled least; their frames where boxes have no features.

    Args:
        labelled: The frames bought so far.
        counts: ``[K]`` labelled boxes of each class.
    """
    num_classes = len(counts)
    even = counts.sum() / max(1, num_classes)
    least = counts.min() if num_classes else 0
    rare = np.flatnonzero((counts < RARE_SHARE * even) | (counts == least))
    said = Said.of_known(labelled, 0.0)
    shown = outcomes(labelled).is_object[said.rows, said.own] & np.isin(said.own, rare)
    by_class = [np.flatnonzero(shown & (said.own == number)) for number in rare.tolist()]
    rows = np.concatenate(
        [np.zeros(0, np.int64), *(_evenly(found, MOST_PER_RARE_CLASS) for found in by_class)]
    )
    if not labelled.predictions.features.shape[1]:
        return none_known(), _limited(
            labelled.predictions.embeddings[said.frame[rows]], said.own[rows], of_frames=True
        )
    dim = labelled.predictions.embeddings.shape[1]
    features = labelled.predictions.features[said.rows[rows]]
    return _limited(features, said.own[rows], of_frames=False), none_known(dim, of_frames=True)


def none_known(dim: int = 0, *, of_frames: bool = False) -> Exemplars:
    """No exemplar at all."""
    return Exemplars(vectors=np.zeros((0, dim), np.float32), kind=np.zeros(0, np.int64), of_frames=of_frames)


def _limited(vectors: NDArray[Any], kind: NDArray[Any], *, of_frames: bool) -> Exemplars:
    """At most ``MOST_EXEMPLARS``: classes take turns."""
    turn = np.zeros(len(kind), np.int64)
    for number in np.unique(kind):
        members = _evenly(np.flatnonzero(kind == number), len(kind))
        turn[members] = np.arange(len(members))
    kept = np.lexsort((kind, turn))[:MOST_EXEMPLARS]
    return Exemplars(
        vectors=vectors[kept].astype(np.float32), kind=kind[kept].astype(np.int64), of_frames=of_frames
    )


def _evenly(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most so many rows, in an order of which any beginning is spread over all of them."""
    if len(rows) <= 2:
        return rows[:most]
    # multiples of the golden ratio fall evenly, wherever one stops
    place = np.argsort((np.arange(len(rows)) * 0.6180339887) % 1.0, kind="stable")
    return rows[place][:most]

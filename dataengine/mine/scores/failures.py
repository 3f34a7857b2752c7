"""Frames like those in which the detector failed, and frames like those that hold something rare.

Targeted selection as TALISMAN (Kothawade 2022, arXiv 2112.00166): exemplars ``Q`` are given, and frames ``A``
are picked greedily for the mutual information ``FL2MI(A) = sum_q max_{i in A} S(q, i) + sum_{i in A} max_q
S(q, i)``: the first term wants every exemplar to have something like it among the picks, the second wants
every pick to be like some exemplar. ``S`` is the highest cosine, at least 0, of the exemplar's features with
those of the frame's predicted boxes.

* ``failures``: exemplars are the objects of val that no sure box found. An object without a box has no
  features of its own: those of the box that overlaps it most, of whatever class and score, stand for it.
  Where none does, the embedding of its frame does, and is compared with embeddings of frames.
* ``rare_lookalikes``: exemplars are labelled objects, as many of each class; classes that are labelled least
  come first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine import boxes
from dataengine.mine.basket import Basket
from dataengine.mine.candidates import Candidates, Known
from dataengine.mine.errors_model.outcomes import SURE_SCORE, outcomes
from dataengine.mine.errors_model.projection import Projection
from dataengine.mine.errors_model.said import Said
from dataengine.mine.strategy import Arm, Need, Task

MOST_EXEMPLARS = 96
"""Exemplars at most: classes take turns, and those of one class are evenly spaced over its frames."""

MOST_PER_RARE_CLASS = 24
"""Labelled objects of one class that are exemplars at most."""

RARE_SHARE = 0.5
"""Classes labelled less than this share of an even one are rare; the rarest one always is."""

LEAST_OVERLAP = 0.1
"""Overlap from which a box may stand for an object that was missed."""

SHORTLIST = 20_000
"""Frames that the greedy pick looks at: those most like any exemplar."""

DIRECTIONS = 24
"""Principal components that likeness is measured in."""

BOXES_PER_BLOCK = 100_000
"""Boxes compared at once: bounds the memory to some 40 MB."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplars:
    """What to look for.

    Attributes:
        vectors: ``[Q, E]`` features of boxes, or embeddings of frames.
        kind: ``[Q]`` class of each.
        of_frames: Whether they are embeddings of frames.
    """

    vectors: Vectors
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
    found[pairs.truth[same & (pairs.iou >= 0.5) & (predicted.score[pairs.predicted] >= SURE_SCORE)]] = True
    order = np.lexsort((pairs.predicted, -pairs.iou, pairs.truth))
    best = order[np.flatnonzero(np.diff(pairs.truth[order], prepend=-1))]
    stand_in = np.full(truth.num_boxes, -1)
    stand_in[pairs.truth[best]] = pairs.predicted[best]
    has_features = val.predictions.features.shape[1] > 0
    missed = np.flatnonzero(real & ~found)
    near = missed[(stand_in[missed] >= 0) & has_features]
    alone = np.setdiff1d(missed, near)
    return (
        _exemplars(val.predictions.features[stand_in[near]], truth.class_id[near], of_frames=False),
        _exemplars(
            val.predictions.embeddings[truth.frame_index[alone]], truth.class_id[alone], of_frames=True
        ),
    )


def rare_objects(labelled: Known, counts: NDArray[np.int64]) -> tuple[Exemplars, Exemplars]:
    """Objects of the classes that are labelled least; frames that hold one where boxes have no features."""
    num_classes = len(counts)
    even = counts.sum() / max(1, num_classes)
    rare = np.flatnonzero((counts < RARE_SHARE * even) | (counts == counts.min(initial=0)))
    said = Said.of_known(labelled, 0.0)
    shown = outcomes(labelled).is_object[said.rows, said.own] & np.isin(said.own, rare)
    by_class = [np.flatnonzero(shown & (said.own == number)) for number in rare.tolist()]
    none = np.zeros(0, np.int64)
    rows = np.concatenate([none, *(_evenly(found, MOST_PER_RARE_CLASS) for found in by_class)])
    if not labelled.predictions.features.shape[1]:
        return _none(0), _exemplars(
            labelled.predictions.embeddings[said.frame[rows]], said.own[rows], of_frames=True
        )
    dim = labelled.predictions.embeddings.shape[1]
    features = labelled.predictions.features[said.rows[rows]]
    return _exemplars(features, said.own[rows], of_frames=False), _none(dim, of_frames=True)


def _none(dim: int, *, of_frames: bool = False) -> Exemplars:
    return Exemplars(vectors=np.zeros((0, dim), np.float32), kind=np.zeros(0, np.int64), of_frames=of_frames)


def _exemplars(vectors: NDArray[Any], kind: NDArray[Any], *, of_frames: bool) -> Exemplars:
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


def likeness(candidates: Candidates, exemplars: Exemplars, min_score: float) -> NDArray[np.float32]:
    """``[N, Q]`` highest cosine of each frame, or its boxes, with each exemplar; at least 0."""
    answer = np.zeros((len(candidates), len(exemplars.kind)), np.float32)
    predictions = candidates.predictions
    if not len(exemplars.kind):
        return answer
    if exemplars.of_frames:
        projection = Projection.of(predictions.embeddings, DIRECTIONS)
        cosine = _unit(projection(predictions.embeddings)) @ _unit(projection(exemplars.vectors)).T
        np.maximum(cosine, 0, out=answer)
        return answer
    said = Said.of_pool(candidates, min_score)
    projection = Projection.of(predictions.features[said.rows], DIRECTIONS)
    wanted = _unit(projection(exemplars.vectors)).T
    for begin in range(0, len(said.rows), BOXES_PER_BLOCK):
        rows = slice(begin, begin + BOXES_PER_BLOCK)
        cosine = _unit(projection(predictions.features[said.rows[rows]])) @ wanted
        frame = said.frame[rows]
        first = np.flatnonzero(np.diff(frame, prepend=-1))
        best = np.maximum.reduceat(cosine, first, axis=0)
        answer[frame[first]] = np.maximum(answer[frame[first]], best)
    return answer


def _unit(rows: Vectors) -> Vectors:
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None]
    answer: Vectors = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-9)
    return answer


def fill_targeted(
    task: Task, basket: Basket, wanted: tuple[Exemplars, Exemplars], what: str, trigger: str
) -> None:
    """Greedily by the gain in ``FL2MI``; ties by frame id.

    Args:
        task: What to work from.
        basket: Receives the picks.
        wanted: Exemplars of boxes, and of frames.
        what: What an exemplar is, in words; the class comes after it.
        trigger: Of the picks.
    """
    candidates = task.candidates
    alike = np.concatenate([likeness(candidates, part, task.config.min_score) for part in wanted], axis=1)
    kinds = np.concatenate([part.kind for part in wanted])
    nearest = alike.max(axis=1, initial=0.0)
    covered = alike[basket.picks].max(axis=0, initial=0.0)
    while not basket.exhausted:
        # of a huge pool only the frames most like an exemplar, as long as any of them may join
        listed = np.flatnonzero(basket.eligible)
        if len(listed) > SHORTLIST:
            listed = np.sort(listed[np.argsort(-nearest[listed], kind="stable")[:SHORTLIST]])
        rows = alike[listed]
        while not basket.exhausted and basket.eligible[listed].any():
            gain = np.maximum(rows - covered, 0).sum(axis=1, dtype=np.float64) + nearest[listed]
            gain[~basket.eligible[listed]] = -np.inf
            place = int(np.argmax(gain))
            number = int(listed[place])
            if len(kinds):
                closest = int(np.argmax(rows[place]))
                reason = (
                    f"likeness {rows[place, closest]:.2f} to {what} {candidates.classes[kinds[closest]]}; "
                    f"{len(kinds)} exemplars"
                )
            else:
                reason = f"no exemplar of {what} object is known; the first frames by id"
            basket.add(number, gain[place], trigger, reason)
            covered = np.maximum(covered, rows[place])


def fill_failures(task: Task, basket: Basket) -> None:
    """Frames like the objects of val that were missed."""
    candidates, val = task.candidates, task.candidates.val
    wanted = missed_objects(val, len(candidates.classes)) if val is not None else (_none(0), _none(0))
    fill_targeted(task, basket, wanted, "a missed", "failures")


def fill_rare_lookalikes(task: Task, basket: Basket) -> None:
    """Frames like the labelled objects of rare classes."""
    candidates, known = task.candidates, task.candidates.labelled
    wanted = (_none(0), _none(0))
    if known is not None:
        wanted = rare_objects(known, candidates.labelled_class_counts)
    fill_targeted(task, basket, wanted, "a labelled", "rare_lookalikes")


FAILURES = Arm(
    name="failures",
    summary="frames like those objects of val that the detector missed",
    fill=fill_failures,
    needs=frozenset({Need.predictions, Need.val}),
    source="FL2MI of TALISMAN, arXiv 2112.00166; missed objects as exemplars: own",
)

RARE_LOOKALIKES = Arm(
    name="rare_lookalikes",
    summary="frames like the labelled objects of rare classes",
    fill=fill_rare_lookalikes,
    needs=frozenset({Need.predictions, Need.labelled}),
    source="FL2MI of TALISMAN, arXiv 2112.00166",
)

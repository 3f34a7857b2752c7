"""Frames like those in which the detector failed, and frames like those that hold something rare.

Targeted selection as TALISMAN (Kothawade 2022, arXiv 2112.00166): exemplars ``Q`` are given, and frames ``A``
are picked greedily for the mutual information ``FL2MI(A) = sum_q max_{i in A} S(q, i) + sum_{i in A} max_q
S(q, i)``: the first term wants every exemplar to have something like it among the picks, the second wants
every pick to be like some exemplar. ``S`` is the highest cosine, at least 0, of the exemplar's features with
those of the frame's predicted boxes.

* ``failures``: exemplars are the objects of val that no sure box found.
* ``rare_lookalikes``: exemplars are labelled objects, as many of each class; classes that are labelled least
  come first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.basket import Basket
from dataengine.mine.candidates import Candidates
from dataengine.mine.errors_model.projection import Projection
from dataengine.mine.errors_model.said import Said
from dataengine.mine.scores.exemplars import Exemplars, missed_objects, none_known, rare_labelled
from dataengine.mine.strategy import Arm, Need, Task

SHORTLIST = 20_000
"""Frames that the greedy pick looks at: those most like any exemplar."""

DIRECTIONS = 24
"""Principal components that likeness is measured in."""

BOXES_PER_BLOCK = 100_000
"""Boxes compared at once: bounds the memory to some 40 MB."""

Vectors = NDArray[np.float32]


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
    wanted = missed_objects(val, len(candidates.classes)) if val is not None else (none_known(), none_known())
    fill_targeted(task, basket, wanted, "a missed", "failures")


def fill_rare_lookalikes(task: Task, basket: Basket) -> None:
    """Frames like the labelled objects of rare classes."""
    candidates, known = task.candidates, task.candidates.labelled
    wanted = (none_known(), none_known())
    if known is not None:
        wanted = rare_labelled(known, candidates.labelled_class_counts)
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

"""Frames in which the detector is expected to be wrong most often: missed objects and false alarms.

Not how unsure it is, but how many mistakes of it a light model expects that was fitted on those it made on
val (``dataengine.mine.errors_model.expectation``). With ``mine.class_weighted`` a mistake on a class that is
labelled little counts for more.
"""

from __future__ import annotations

import numpy as np

from dataengine.mine.errors_model.expectation import Expectation, expect
from dataengine.mine.scores.aggregation import rarity_weights
from dataengine.mine.strategy import FrameScores, Need, Score, Task


def compute(task: Task) -> FrameScores:
    """Expected errors of every candidate."""
    candidates = task.candidates
    expected = expect(candidates, task.config.min_score)
    weights = None
    if task.config.class_weighted:
        # even classes weigh 1 each
        weights = rarity_weights(candidates.labelled_class_counts) / max(1, len(candidates.classes))
    return FrameScores(
        values=expected.total(weights), reason=lambda number: reason(expected, candidates.classes, number)
    )


def reason(expected: Expectation, classes: tuple[str, ...], number: int) -> str:
    """What is expected of one frame, and how far that can be trusted."""
    parts = []
    missed = expected.faint + expected.unseen
    for name, errors in (("missed", missed), ("false alarms", expected.false_alarms)):
        if errors.shape[1]:
            kind = int(np.argmax(errors[number]))
            total = float(errors[number].sum())
            most = f" (most of all {classes[kind]}: {errors[number, kind]:.1f})" if total >= 0.1 else ""
            parts.append(f"{total:.1f} {name}{most}")
    return f"expected {', '.join(parts)}; {expected.note}"


EXPECTED_ERRORS = Score(
    name="expected_errors",
    summary="frames with the most mistakes expected, by a model of the detector's mistakes on val",
    span="0 (none expected) upwards, in mistakes; with class weights those of rare classes count for more",
    needs=frozenset({Need.predictions, Need.labelled, Need.val}),
    source="own; chance of a missed object from features: arXiv 1707.00051",
    compute=compute,
)

"""What became of every object of val, and what the model said where nothing was: one table an arm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine import boxes
from dataengine.report.data import Arm, Gathered
from dataengine.report.html import Markup, el
from dataengine.report.judged import Mistakes
from dataengine.report.numbers import NOTHING, count, plural
from dataengine.report.purchases import class_name
from dataengine.report.summary import Comparison
from dataengine.report.tables import Column, heat, table

MAX_CLASSES = 25

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Counts over the objects of val; ``matrix`` row + ``misplaced`` + ``missed`` add up to ``objects``.

    Attributes:
        matrix: ``[K, K]`` true class by the class that was said; the diagonal was found.
        misplaced: ``[K]`` objects with only a badly placed box.
        missed: ``[K]`` objects with no box at all.
        objects: ``[K]`` objects, ignore regions left out.
        false_alarms: ``[K]`` boxes on nothing, by the class that was said.
        second_answers: ``[K]`` boxes of a wrong class on an object that was found all the same.
    """

    matrix: Counts
    misplaced: Counts
    missed: Counts
    objects: Counts
    false_alarms: Counts
    second_answers: Counts


def outcomes(mine: Mistakes, num_classes: int) -> Outcomes:
    """Give every object one outcome: found, else a wrong class, else badly placed, else missed.

    Of several wrong classes said of one object, the one with the best score counts.
    """
    truth = mine.truth
    judged = ~truth.ignore
    found = _found(mine)
    zeros = np.zeros(num_classes, np.int64)
    result = Outcomes(
        matrix=np.diag(np.bincount(truth.class_id[found & judged], minlength=num_classes)),
        misplaced=zeros.copy(),
        missed=zeros.copy(),
        objects=np.bincount(truth.class_id[judged], minlength=num_classes),
        false_alarms=zeros.copy(),
        second_answers=zeros.copy(),
    )
    settled = found.copy()
    for row in sorted(mine.rows, key=_precedence):
        if row["kind"] == "false_alarm":
            result.false_alarms[row["predicted_class"]] += 1
            continue
        number = int(truth.offsets[mine.place[row["frame_id"]]]) + int(row["truth_box"])
        _settle(result, row, settled, number)
    return result


def _settle(result: Outcomes, row: dict[str, Any], settled: NDArray[np.bool_], number: int) -> None:
    swapped = row["kind"] == "swapped_class"
    if settled[number]:
        if swapped:
            result.second_answers[row["predicted_class"]] += 1
        return
    settled[number] = True
    if swapped:
        result.matrix[row["truth_class"], row["predicted_class"]] += 1
    elif row["kind"] == "bad_location":
        result.misplaced[row["truth_class"]] += 1
    else:
        result.missed[row["truth_class"]] += 1


def _precedence(row: dict[str, Any]) -> tuple[int, float, str, int]:
    kinds = ("swapped_class", "bad_location", "missed", "false_alarm")
    score = -float(row["score"]) if row["score"] is not None and math.isfinite(row["score"]) else 0.0
    return kinds.index(row["kind"]), score, row["frame_id"], int(row["truth_box"])


def _found(mine: Mistakes) -> NDArray[np.bool_]:
    """``[G]`` labels that a prediction of their class found; without predictions, those in no mistake."""
    truth = mine.truth
    if mine.predicted is None:
        found = np.ones(truth.num_boxes, np.bool_)
        for row in mine.rows:
            if row["truth_box"] >= 0:
                found[int(truth.offsets[mine.place[row["frame_id"]]]) + int(row["truth_box"])] = False
        return found
    settings = mine.record.settings.get("evaluate") or {}
    shown = mine.predicted.filter(mine.predicted.score >= float(settings.get("error_score", 0.3)))
    return boxes.match(shown, truth, float(settings.get("match_iou", 0.5))).predicted_of >= 0


def confusions(
    gathered: Gathered, comparison: Comparison, known: Sequence[tuple[Arm, Mistakes]]
) -> list[Markup]:
    """An introduction and a table for each arm."""
    introduction = el(
        "p",
        f"Every object of val after cycle {comparison.cycle}, by what became of it. Rows are what is there, "
        "columns what the model said; a darker cell is a larger share of its row. A bad location is the "
        "right class in the wrong place, a false alarm has nothing below it, and a second answer is a wrong "
        "class on an object that was found all the same.",
    )
    number = len(gathered.taxonomy)
    return [introduction, *(_table(gathered, arm, outcomes(mine, number)) for arm, mine in known)]


def _table(gathered: Gathered, arm: Arm, what: Outcomes) -> Markup:
    classes = gathered.taxonomy.classes
    busy = what.objects + what.matrix.sum(0) + what.false_alarms
    order = sorted(sorted(range(len(classes)), key=lambda k: (-int(busy[k]), k))[:MAX_CLASSES])
    rows = [_row(gathered, k, order, what) for k in order]
    for name, counts in (("false alarm", what.false_alarms), ("second answer", what.second_answers)):
        rows.append([el("i", name), *(heat(int(counts[k]), 0.0) for k in order), "", "", ""])
    columns = [
        Column("There is"),
        *(Column(classes[k], "The model says") for k in order),
        *(Column(name) for name in ("Bad location", "Missed", "Objects")),
    ]
    over = len(classes) - len(order)
    line = f"{plural(over, 'class')} with fewer boxes left out here." if over else ""
    return table(f"{arm.name}: what is there against what was said, on val", columns, rows, left_out=line)


def _row(gathered: Gathered, k: int, order: Sequence[int], what: Outcomes) -> list[Any]:
    total = max(int(what.objects[k]), 1)
    cells = [int(what.matrix[k, other]) for other in order] + [int(what.misplaced[k]), int(what.missed[k])]
    objects = count(int(what.objects[k])) if what.objects[k] else el("span", NOTHING, class_="none")
    return [class_name(gathered, k), *(heat(value, value / total) for value in cells), objects]

"""Every object gets one outcome, and the outcomes add up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dataengine.frameboxes import FrameBoxes
from dataengine.report.confusion import outcomes
from dataengine.report.data import gather
from dataengine.report.judged import Mistakes, load
from dataengine.workspace import Workspace

BOX = [0.0, 0.0, 10.0, 10.0]


def mistakes(classes: list[int], rows: list[tuple[str, int, int, int, int, float]]) -> Mistakes:
    """One frame of objects side by side; rows: kind, truth and predicted box, their classes, score."""
    xyxy = np.array([BOX] * len(classes)) + 20 * np.arange(len(classes))[:, None] * [1, 0, 1, 0]
    names = ("kind", "truth_box", "predicted_box", "truth_class", "predicted_class", "score")
    record: Any = SimpleNamespace(settings={})
    return Mistakes(
        record=record,
        rows=[{"frame_id": "f", **dict(zip(names, row, strict=True))} for row in rows],
        truth=FrameBoxes.build(["f"], [len(classes)], xyxy, classes),
        predicted=None,
    )


@pytest.mark.parametrize(
    ("rows", "matrix", "misplaced", "missed", "second"),
    [
        # nothing wrong: both objects found
        ([], [[1, 0], [0, 1]], [0, 0], [0, 0], [0, 0]),
        ([("missed", 0, -1, 0, -1, float("nan"))], [[0, 0], [0, 1]], [0, 0], [1, 0], [0, 0]),
        ([("bad_location", 1, 0, 1, 1, 0.5)], [[1, 0], [0, 0]], [0, 1], [0, 0], [0, 0]),
        ([("swapped_class", 0, 0, 0, 1, 0.5)], [[0, 1], [0, 1]], [0, 0], [0, 0], [0, 0]),
        # two wrong answers about one object: it is still one object
        (
            [("swapped_class", 0, 0, 0, 1, 0.5), ("bad_location", 0, 1, 0, 0, 0.9)],
            [[0, 1], [0, 1]],
            [0, 0],
            [0, 0],
            [0, 0],
        ),
    ],
)
def test_one_outcome_an_object(
    rows: list[Any], matrix: list[list[int]], misplaced: list[int], missed: list[int], second: list[int]
) -> None:
    found = outcomes(mistakes([0, 1], rows), 2)
    assert found.matrix.tolist() == matrix
    assert (found.misplaced.tolist(), found.missed.tolist()) == (misplaced, missed)
    assert found.second_answers.tolist() == second


def test_false_alarms_are_counted_by_the_class_that_was_said() -> None:
    found = outcomes(mistakes([0], [("false_alarm", -1, 3, -1, 1, 0.8)]), 2)
    assert found.false_alarms.tolist() == [0, 1]
    assert found.matrix.tolist() == [[1, 0], [0, 0]]


def test_a_wrong_answer_on_a_found_object_is_a_second_answer() -> None:
    mine = mistakes([0], [("swapped_class", 0, 1, 0, 1, 0.7)])
    predicted = FrameBoxes.build(["f"], [2], [BOX, BOX], [0, 1], score=[0.9, 0.7])
    found = outcomes(Mistakes(record=mine.record, rows=mine.rows, truth=mine.truth, predicted=predicted), 2)
    assert found.matrix.tolist() == [[1, 0], [0, 0]]
    assert found.second_answers.tolist() == [0, 1]


def test_rows_add_up_to_the_objects(finished: Workspace) -> None:
    gathered = gather(finished)
    mine = load(gathered, gathered.arms[0].runs[0], 2)
    assert mine is not None
    assert mine.predicted is not None
    found = outcomes(mine, 5)
    total = found.matrix.sum(1) + found.misplaced + found.missed
    assert total.tolist() == found.objects.tolist()
    assert found.objects.sum() == mine.truth.num_boxes
    assert found.missed.sum() == sum(row["kind"] == "missed" for row in mine.rows)

"""The oracle."""

from __future__ import annotations

from pathlib import Path

from dataengine.frameboxes import FrameBoxes
from dataengine.label import Oracle
from dataengine.lake import Lake


def test_answers_in_the_order_of_the_question(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    boxes = [[0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 3, 3]]
    lake.append("oracle", FrameBoxes.build(["a", "b", "c"], [1, 1, 1], boxes, [0, 1, 2]).to_table())
    answer = Oracle(lake).label(["c", "a", "never labelled"])
    assert answer.frame_ids.tolist() == ["c", "a"]
    assert answer.class_id.tolist() == [2, 0]
    assert answer.xyxy[:, 2].tolist() == [3, 1]


def test_a_frame_without_objects_is_an_answer(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.append("oracle", FrameBoxes.build(["a"], [0], [], []).to_table())
    answer = Oracle(lake).label(["a"])
    assert (answer.num_frames, answer.num_boxes) == (1, 0)

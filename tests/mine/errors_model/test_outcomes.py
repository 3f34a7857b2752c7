"""What became of every predicted box."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dataengine.frameboxes import FrameBoxes
from dataengine.mine.errors_model.outcomes import group_of, outcomes
from tests.mine.errors_model.judged import CAR, CYCLIST, PEDESTRIAN, known, place
from tests.mine.pools import frame_rows


def test_a_frame_by_hand() -> None:
    said = [(0, CAR, 0.9), (1, CAR, 0.8), (2, PEDESTRIAN, 0.7), (3, CYCLIST, 0.1)]
    there = [(0, CAR), (2, CYCLIST), (3, CYCLIST), (4, PEDESTRIAN)]
    found = outcomes(known([("a/0", said, there), ("b/0", [], [(0, CAR)])]))
    assert found.is_object.tolist() == [
        [True, False, False],  # the car
        [False, False, False],  # nothing there
        [False, False, True],  # it is a cyclist, whatever is said of it
        [False, False, True],  # faint, but right
    ]
    assert found.num_missed.tolist() == [3, 1]  # both cyclists (one called a pedestrian) and the pedestrian
    assert found.num_unseen.tolist() == [[0, 1, 0], [1, 0, 0]]
    assert found.num_wrong.tolist() == [2, 0]  # the car of nothing, the pedestrian that rides


def test_an_object_has_one_box() -> None:
    frame = known([("a/0", [(0, CAR, 0.6), (0, CAR, 0.9)], [(0, CAR)])])
    found = outcomes(frame)
    assert found.is_object[:, CAR].tolist() == [True, False]  # by falling score
    assert found.num_wrong.tolist() == [1]


def test_a_box_said_to_be_of_the_class_comes_first() -> None:
    """Two classes are said of one place, each with a box that has the scores of both."""
    frame = known([("a/0", [(0, CAR, 0.8), (0, PEDESTRIAN, 0.3)], [(0, PEDESTRIAN)])])
    both = np.array([[0.8, 0.3, 0.0]] * 2, np.float32)
    found = outcomes(replace(frame, predictions=replace(frame.predictions, class_scores=both)))
    assert found.is_object[:, PEDESTRIAN].tolist() == [False, True]
    assert found.num_missed.tolist() == [0]


def test_a_box_on_an_ignore_region_is_neither_right_nor_wrong() -> None:
    frame = known([("a/0", [(0, CAR, 0.9)], [])])
    region = FrameBoxes.build(["a/0"], [1], [place(0)], [CAR], ignore=[True])
    found = outcomes(replace(frame, truth=region))
    assert found.neutral.tolist() == [True]
    assert (found.num_wrong[0], found.num_missed[0]) == (0, 0)


def test_objects_of_another_taxonomy_are_left_aside() -> None:
    found = outcomes(known([("a/0", [(0, CAR, 0.9)], [(0, 7), (1, -1)])]))
    assert not found.is_object.any()
    assert found.num_missed.tolist() == [0]


def test_nothing_at_all() -> None:
    found = outcomes(known([]))
    assert found.is_object.shape == (0, 3)
    assert len(found.num_missed) == 0


def test_frames_go_by_drive_and_by_clip_where_there_is_one_drive() -> None:
    frames = frame_rows(["a/0", "a/1", "b/0"])
    assert group_of(frames).tolist() == [0, 0, 1]
    nameless = frames.set_column(frames.column_names.index("drive_id"), "drive_id", [["", "", ""]])
    assert group_of(nameless).tolist() == [0, 0, 1]
    assert np.array_equal(group_of(frame_rows([])), [])

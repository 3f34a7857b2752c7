"""Frame boxes: ragged by frame, and the same after a trip through a table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.schema import FRAME_BOXES


def boxes_of(counts: list[int]) -> FrameBoxes:
    number = sum(counts)
    xyxy = np.arange(number * 4, dtype=np.float32).reshape(-1, 4)
    return FrameBoxes.build(
        [f"f{index}" for index in range(len(counts))],
        counts,
        xyxy,
        np.arange(number) % 7,
        track_id=np.arange(number),
    )


@given(st.lists(st.integers(0, 4), max_size=8))
def test_table_round_trip_keeps_every_box_and_every_empty_frame(counts: list[int]) -> None:
    boxes = boxes_of(counts)
    table = boxes.to_table()
    again = FrameBoxes.from_table(table)
    assert table.schema == FRAME_BOXES
    assert list(again.frame_ids) == list(boxes.frame_ids)
    np.testing.assert_array_equal(again.counts, counts)
    np.testing.assert_array_equal(again.xyxy, boxes.xyxy)
    np.testing.assert_array_equal(again.track_id, boxes.track_id)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=8), st.data())
def test_take_gathers_the_rows_of_each_frame(counts: list[int], data: st.DataObject) -> None:
    boxes = boxes_of(counts)
    frames = data.draw(st.lists(st.integers(0, len(counts) - 1), max_size=6))
    taken = boxes.take(frames)
    expected = [box for frame in frames for box in range(boxes.offsets[frame], boxes.offsets[frame + 1])]
    np.testing.assert_array_equal(taken.track_id, expected)
    assert list(taken.frame_ids) == [f"f{frame}" for frame in frames]


def test_filter_keeps_frames_that_lose_all_their_boxes() -> None:
    boxes = boxes_of([2, 0, 1])
    kept = boxes.filter(np.array([False, False, True]))
    np.testing.assert_array_equal(kept.counts, [0, 0, 1])


def test_select_of_an_unknown_frame_is_an_error() -> None:
    with pytest.raises(KeyError):
        boxes_of([1]).select(["nobody"])


def test_build_refuses_counts_that_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="counts add up to 2"):
        FrameBoxes.build(["a"], [2], [[0, 0, 1, 1]], [0])


def test_predictions_round_trip_and_select() -> None:
    boxes = boxes_of([1, 0, 2])
    predictions = Predictions(
        boxes=boxes,
        class_scores=np.arange(9, dtype=np.float32).reshape(3, 3),
        embeddings=np.arange(6, dtype=np.float32).reshape(3, 2),
    )
    again = Predictions.from_table(predictions.to_table(), 3).select(["f2", "f1"])
    np.testing.assert_array_equal(again.class_scores, [[3, 4, 5], [6, 7, 8]])
    np.testing.assert_array_equal(again.embeddings, [[4, 5], [2, 3]])
    assert Predictions.from_table(predictions.to_table().slice(0, 0), 3).boxes.num_frames == 0


def test_class_counts_leave_ignore_regions_out() -> None:
    boxes = FrameBoxes.build(
        ["a", "b", "c"],
        [3, 0, 1],
        np.tile([0, 0, 1, 1], (4, 1)),
        [0, 2, -1, 1],
        ignore=[False, False, True, False],
    )
    assert boxes.class_counts(3).tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]

"""Scalabel's labels: boxes, flags, tracks and conditions by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from dataengine.adapters.scalabel.columns import Box, LabelTable, boxes_of, conditions_of, image_name
from dataengine.errors import InputError


def label(**changes: Any) -> dict[str, Any]:
    box = {"x1": 10, "y1": 20.5, "x2": 29, "y2": 39.5}
    return {"id": "7", "category": "car", "attributes": {}, "box2d": box, **changes}


def test_the_last_pixel_of_a_box_belongs_to_it():
    (box,) = boxes_of([label()])
    assert box == Box((10, 20.5, 30, 40.5), "car", False, pytest.approx(math.nan, nan_ok=True), "7")


FLAGS = [
    # attributes                                     visibility, ignored
    ({"occluded": False, "truncated": False}, 1.0, False),
    ({"occluded": True, "truncated": False, "crowd": False}, 0.5, False),
    ({"Occluded": False, "Truncated": True, "Crowd": True}, 0.5, True),
    ({"OCCLUDED": 1, "truncated": "true"}, 0.25, False),
    ({"occluded": False}, 1.0, False),
    ({"occluded": None, "ignored": True}, math.nan, True),
    ({"trafficLightColor": "G"}, math.nan, False),
    (None, math.nan, False),
    ("damaged", math.nan, False),
]


@pytest.mark.parametrize(("attributes", "visibility", "ignored"), FLAGS)
def test_flags_are_read_in_any_case(attributes, visibility, ignored):
    (box,) = boxes_of([label(attributes=attributes)])
    assert (box.visibility, box.ignore) == (pytest.approx(visibility, nan_ok=True), ignored)


def test_labels_without_a_2d_box_are_passed_over():
    lane = {"category": "lane", "poly2d": [{"vertices": [[0, 1], [2, 3]], "types": "LL", "closed": False}]}
    assert [box.name for box in boxes_of([lane, label(), label(box2d=None)])] == ["car"]


BROKEN = [
    (label(category=None), "label 0 has no category"),
    (label(category=""), "label 0 has no category"),
    (label(box2d={"x1": 1, "y1": 2, "x2": 3}), r"label 0 \(car\) has no box2d of four numbers"),
    (label(box2d=[1, 2, 3, 4]), "no box2d of four numbers"),
    (label(box2d={"x1": 1, "y1": 2, "x2": 3, "y2": None}), "no box2d of four numbers"),
    (label(box2d={"x1": 1, "y1": 2, "x2": 3, "y2": "low"}), "no box2d of four numbers"),
    (label(box2d={"x1": 10**400, "y1": 2, "x2": 3, "y2": 4}), "no box2d of four numbers"),
]


@pytest.mark.parametrize(("broken", "message"), BROKEN)
def test_a_label_that_is_none_is_named(broken, message):
    with pytest.raises(InputError, match=message):
        list(boxes_of([broken]))


def test_conditions_are_put_into_this_engines_words_and_undefined_ones_dropped():
    attributes = {"weather": "rainy", "scene": "city street", "timeofday": "dawn/dusk"}
    assert conditions_of(attributes) == {"weather": "rain", "scene": "city street", "time_of_day": "dusk"}
    assert conditions_of({"Weather": "undefined", "TimeOfDay": "daytime", "scene": 3}) == {
        "time_of_day": "day"
    }
    assert conditions_of(None) == conditions_of([]) == {}


def test_a_table_gives_back_each_frame_and_numbers_tracks_within_their_video():
    table = LabelTable()
    box = Box((1, 2, 3, 4), "car", False, 0.5, "z")
    rider = Box((5, 6, 7, 8), "rider", True, math.nan, "a")
    table.add("v-1", [box, rider], "v")
    table.add("w-1", [box], "w")
    table.add("v-2", [rider, Box((1, 1, 2, 2), "car", False, 1.0, None)], "v")
    table.add("v-3", [], "v")
    found = table.labels("v-2")
    assert found is not None
    assert (found.names, found.track_id.tolist()) == (("rider", "car"), [1, -1])
    assert found.xyxy.tolist() == [[5, 6, 7, 8], [1, 1, 2, 2]]
    assert found.ignore.tolist() == [True, False]
    np.testing.assert_allclose(found.visibility, [np.nan, 1.0])
    first, other, empty = (table.labels(name) for name in ("v-1", "w-1", "v-3"))
    assert first is not None
    assert other is not None
    assert empty is not None
    assert (first.track_id.tolist(), other.track_id.tolist()) == ([0, 1], [2])
    assert empty.xyxy.shape == (0, 4)
    assert table.labels("v-4") is None


def test_key_frames_have_no_tracks():
    table = LabelTable()
    table.add("a", [Box((1, 2, 3, 4), "car", False, 1.0, "7")], "")
    found = table.labels("a")
    assert found is not None
    assert found.track_id.tolist() == [-1]


def test_a_number_beyond_float32_is_left_for_the_check_of_boxes():
    table = LabelTable()
    table.add("a", [Box((1e300, math.nan, 3, 4), "car", False, 1.0, None)], "")
    found = table.labels("a")
    assert found is not None
    assert not np.isfinite(found.xyxy[0, :2]).any()


@pytest.mark.parametrize(
    ("text", "name"),
    [("a.jpg", "a"), ("x/y/a.PNG", "a"), ("a", "a"), ("a.b", "a.b"), ("v-0000001.jpg", "v-0000001")],
)
def test_images_are_matched_by_their_name_alone(text, name):
    assert image_name(text) == name

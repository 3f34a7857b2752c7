from __future__ import annotations

import numpy as np
import pytest

from dataengine.cockpit import documents
from dataengine.frameboxes import FrameBoxes

SIZES = np.array([[100.0, 50.0], [100.0, 50.0]])


def boxes() -> FrameBoxes:
    return FrameBoxes.build(
        ["a", "b"],
        [2, 0],
        [[10, 5, 30, 25], [0, 0, 100, 50]],
        [1, -1],
        score=[0.5, 1],
        ignore=[False, True],
        visibility=[0.5, np.nan],
        track_id=[7, -1],
    )


def test_boxes_are_relative_to_the_image_and_a_frame_without_boxes_stays() -> None:
    first, second = documents.detections(boxes(), SIZES, ("car", "truck"))
    one, two = first["detections"]
    assert one["bounding_box"] == pytest.approx([0.1, 0.1, 0.2, 0.4])
    assert (one["label"], one["index"], one["visibility"]) == ("truck", 7, 0.5)
    assert (two["label"], two["ignore"]) == ("ignore", True)
    assert not {"ignore", "confidence"} & set(one)
    assert not {"index", "visibility"} & set(two)
    assert second == {"_cls": "Detections", "detections": []}


def test_predictions_carry_confidence_and_the_given_attributes() -> None:
    found = documents.detections(
        boxes(), SIZES, ("car", "truck"), attributes={"mistake": ["hit", None]}, predicted=True
    )
    one, two = found[0]["detections"]
    assert (one["confidence"], one["mistake"]) == (0.5, "hit")
    assert "mistake" not in two
    assert "visibility" not in one


def test_every_label_has_an_identity_of_its_own() -> None:
    many = FrameBoxes.build(["a"], [1000], np.tile([0, 0, 1, 1], (1000, 1)), [0] * 1000)
    found = documents.detections(many, SIZES[:1], ("car",))[0]["detections"]
    assert len({box["_id"] for box in found}) == 1000


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"tags": ["checked"]}, True),  # a tag is no correction
        ({"mistake_random": "missed"}, True),
        ({"bounding_box": [0.1, 0.1, 0.2, 0.400001]}, True),  # a hundredth of a pixel
        ({"bounding_box": [0.1, 0.1, 0.2, 0.41]}, False),  # half a pixel
        ({"label": "car"}, False),
        ({"ignore": True}, False),
    ],
)
def test_digest_sees_corrections_and_nothing_else(change: dict[str, object], same: bool) -> None:
    one = {"label": "truck", "bounding_box": [0.1, 0.1, 0.2, 0.4]}
    two = {"label": "car", "bounding_box": [0.0, 0.0, 1.0, 1.0]}
    before = documents.truth_digest([one, two], 100, 50)
    assert (documents.truth_digest([two, {**one, **change}], 100, 50) == before) is same


def test_digest_of_fewer_boxes_differs() -> None:
    one = {"label": "truck", "bounding_box": [0.1, 0.1, 0.2, 0.4]}
    digests = {documents.truth_digest([one] * number, 100, 50) for number in range(3)}
    assert len(digests) == 3

"""Where heads and plates are looked for in a box."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.privacy import rules

# class, box (x1, y1, x2, y2), the band's y1 and y2; worked out by hand
BANDS = [
    ("pedestrian", (10, 100, 50, 200), 95, 125),  # upright: the top quarter, and 5 above
    ("Person", (10, 100, 110, 200), 95, 150),  # as wide as tall: half of the width
    ("person sitting", (0, 0, 300, 100), -5, 100),  # lying: never below the box
    ("Cyclist", (10, 100, 110, 200), 95, 130),  # the bicycle's width does not count
    ("car", (0, 0, 200, 100), 35, 90),
    ("Van", (0, 0, 40, 100), 35, 90),  # as narrow as a plate can be read
    ("truck", (0, 100, 100, 300), 210, 300),
    ("motobike", (0, 0, 20, 100), 30, 90),
]


@pytest.mark.parametrize(("name", "box", "top", "bottom"), BANDS)
def test_the_band_of_a_box(name: str, box: tuple[float, ...], top: float, bottom: float):
    found = rules.regions(np.array([box], np.float32), [name])
    assert found.tolist() == [[box[0], pytest.approx(top), box[2], pytest.approx(bottom)]]


def test_vehicles_too_narrow_for_a_readable_plate_and_other_classes_have_no_band():
    boxes = np.array([(0, 0, 39, 30), (0, 0, 200, 100), (0, 0, 90, 90), (0, 0, 19, 30)], np.float32)
    found = rules.regions(boxes, ["car", "traffic_light", "tram", "motorcycle"])
    assert found.shape == (0, 4)


def test_classes_are_people_or_carry_plates_by_name():
    classes = ["Car", "Pedestrian", "tree", "Person_sitting", "other vehicle", "Tram", "rider"]
    assert rules.heads(classes) == ["Pedestrian", "Person_sitting", "rider"]
    assert rules.plates(classes) == ["Car", "other vehicle"]

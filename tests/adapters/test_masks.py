"""Masks: components become boxes that hold exactly their pixels."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dataengine.adapters.masks import colours_to_values, components


def mask_of(*rows: str) -> np.ndarray:
    return np.array([[int(value) for value in row] for row in rows], np.uint8)


def test_each_component_is_a_box_by_class_and_touching_corners_are_one():
    mask = mask_of(
        "1100020",
        "1100002",
        "0000000",
        "1000000",
    )
    found = components(mask, {1: "car", 2: "person"}, 2)
    assert found.xyxy.tolist() == [[0, 0, 2, 2], [0, 3, 1, 4], [5, 0, 7, 2]]
    assert found.names == ("car", "car", "person")
    assert found.ignore.tolist() == [False, True, False]  # the single pixel is below 2 square pixels


def test_a_mask_without_objects_has_no_boxes():
    assert components(np.zeros((4, 4), np.uint8), {1: "car"}, 0).xyxy.shape == (0, 4)


@given(st.integers(0, 2**32 - 1))
def test_boxes_hold_every_pixel_of_their_class_and_nothing_is_boxed_elsewhere(seed):
    mask = np.random.default_rng(seed).integers(0, 3, (9, 11)).astype(np.uint8)
    boxed = np.zeros(mask.shape, np.bool_)
    for x1, y1, x2, y2 in components(mask, {2: "car"}, 0).xyxy.astype(int):
        assert (mask[y1:y2, x1:x2] == 2).any(0).any()
        boxed[y1:y2, x1:x2] = True
    assert boxed[mask == 2].all()


def test_colours_become_values_and_others_255():
    colours = np.array([[[64, 0, 128], [128, 0, 64]], [[0, 0, 0], [1, 2, 3]]], np.uint8)
    assert colours_to_values(colours, {(64, 0, 128): 4, (0, 0, 0): 0}).tolist() == [[4, 255], [0, 255]]

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine.config import TrainConfig
from dataengine.learn.augment import GREY, Augmentation, apply, draw

NO_BOXES = np.zeros((0, 4), np.float32), np.zeros(0, bool)
BOX = np.array([[10, 20, 30, 40]], np.float32)


def blank() -> np.ndarray:
    return np.full((64, 96, 3), 50, np.uint8)


def with_box() -> np.ndarray:
    image = blank()
    image[20:40, 10:30] = 200
    return image


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Augmentation(), (10, 20, 30, 40)),
        (Augmentation(flip=True), (66, 20, 86, 40)),
        (Augmentation(shift=(0.125, 0)), (22, 20, 42, 40)),  # 12 of 96 pixels to the right
        (Augmentation(zoom=0.5), (29, 26, 39, 36)),  # about the middle (48, 32)
        (Augmentation(flip=True, zoom=0.5, shift=(0, 0.25)), (57, 42, 67, 52)),
    ],
)
def test_boxes_move_with_their_pixels(change: Augmentation, expected: tuple[float, ...]) -> None:
    image, xyxy, ignore, shown = apply(change, with_box(), BOX, np.zeros(1, bool))
    assert xyxy.tolist() == [list(map(float, expected))]
    assert (ignore.tolist(), shown.tolist()) == ([False], [True])
    x1, y1, x2, y2 = (int(v) for v in expected)
    assert (image[y1 + 1 : y2 - 1, x1 + 1 : x2 - 1] > 190).all()
    outside = np.ones(image.shape[:2], bool)
    outside[y1 - 1 : y2 + 1, x1 - 1 : x2 + 1] = False
    assert (image[outside] <= GREY).all()


@pytest.mark.parametrize(
    ("box", "shift", "ignore", "shown"),
    [
        ((0, 20, 20, 40), (-0.0625, 0), False, True),  # 14 of 20 pixels still show: a label
        ((0, 20, 20, 40), (-0.15625, 0), True, True),  # 5 of 20: an ignore region
        ((0, 20, 20, 40), (-0.25, 0), True, False),  # gone
        ((0, 20, 1.5, 40), (0, 0), True, True),  # thinner than MIN_SIDE
    ],
)
def test_boxes_that_leave_the_image(
    box: tuple[float, ...], shift: tuple[float, float], ignore: bool, shown: bool
) -> None:
    result = apply(Augmentation(shift=shift), blank(), np.array([box], np.float32), np.zeros(1, bool))
    assert (result[2].tolist(), result[3].tolist()) == ([ignore], [shown])


def test_no_boxes() -> None:
    _, xyxy, ignore, shown = apply(Augmentation(flip=True, zoom=1.2), blank(), *NO_BOXES)
    assert xyxy.shape == (0, 4)
    assert ignore.shape == shown.shape == (0,)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Augmentation(gain=1.5), (150, 75, 225)),
        (Augmentation(gain=4.0), (255, 200, 255)),  # saturates
        (Augmentation(saturation=0.0), (76, 76, 76)),  # 0.299 * 100 + 0.587 * 50 + 0.114 * 150 = 76.35
        (Augmentation(contrast=0.0), (100, 100, 100)),  # the mean of all channels
    ],
)
def test_colours(change: Augmentation, expected: tuple[int, ...]) -> None:
    image = np.full((4, 4, 3), (100, 50, 150), np.uint8)
    assert apply(change, image, *NO_BOXES)[0][0, 0].tolist() == list(expected)


def test_the_source_image_is_left_alone() -> None:
    image = with_box()
    before = image.copy()
    apply(Augmentation(flip=True, zoom=1.1, gain=1.3), image, BOX, np.zeros(1, bool))
    np.testing.assert_array_equal(image, before)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_drawn_boxes_stay_inside_and_upright(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 60, (5, 2))
    xyxy = np.concatenate([low, low + rng.uniform(3, 30, (5, 2))], 1).astype(np.float32)
    (change,) = draw(TrainConfig(scale=0.5, translate=0.4, colour=0.5), 1, rng)
    _, moved, _, shown = apply(change, blank(), xyxy, np.zeros(5, bool))
    assert (moved >= 0).all()
    assert (moved <= (96, 64, 96, 64)).all()
    assert (moved[shown, 2:] > moved[shown, :2]).all()


def test_everything_off_changes_nothing() -> None:
    off = TrainConfig(flip=0, scale=0, translate=0, colour=0)
    assert set(draw(off, 8, np.random.default_rng(0))) == {Augmentation()}

"""What is left of a region: nothing of its detail; what is left of the rest: every pixel."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.privacy.blurring import CELLS, blur


def noise(height: int = 120, width: int = 160, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def ellipse(height: int, width: int, region: list[float]) -> np.ndarray:
    """Pixels whose centre lies in the ellipse through a region's corners, worked out pixel by pixel."""
    x1, y1, x2, y2 = region
    inside = np.zeros((height, width), bool)
    for row in range(height):
        for column in range(width):
            x = (column + 0.5 - (x1 + x2) / 2) / ((x2 - x1) / 2)
            y = (row + 0.5 - (y1 + y2) / 2) / ((y2 - y1) / 2)
            inside[row, column] = x * x + y * y <= 2
    return inside


def as_regions(*regions: list[float]) -> np.ndarray:
    return np.array(regions, np.float32).reshape(-1, 4)


REGIONS = [
    [40, 30, 100, 90],  # square
    [20, 50, 140, 60],  # flat, as a plate is
    [70.25, 20.5, 76.75, 100.5],  # tall, between pixels
    [50, 50, 53, 53],  # three pixels
    [-30, -30, 40, 40],  # over a corner
    [100, 60, 500, 400],  # over the opposite corner
]


@pytest.mark.parametrize("region", REGIONS)
def test_pixels_outside_of_the_ellipse_are_untouched_and_its_area_is_told(region: list[float]):
    image = noise()
    blurred, number, area = blur(image, as_regions(region))
    inside = ellipse(120, 160, region)
    assert (blurred[~inside] == image[~inside]).all()
    assert (blurred[inside] != image[inside]).any(-1).mean() > 0.9
    assert number == 1
    assert area == pytest.approx(inside.mean())


@pytest.mark.parametrize("side", [12, 40, 200, 600])
def test_the_detail_inside_is_gone_at_any_size(side: int):
    # a checkerboard with an eighth of the region a square: features as large as an eye in a face
    size = 2 * side
    square = max(side // 8, 1)
    rows, columns = np.indices((size, size)) // square
    image = np.repeat(((rows + columns) % 2 * 255).astype(np.uint8)[..., None], 3, 2)
    region = [side / 2, side / 2, side * 1.5, side * 1.5]
    core = np.s_[side // 2 : side * 3 // 2, side // 2 : side * 3 // 2]
    blurred = blur(image, as_regions(region))[0]
    assert image[core].std() > 120
    assert blurred[core].std() < 12
    assert np.abs(np.diff(blurred[core].astype(int), axis=1)).max() < 30


def test_a_region_of_a_few_pixels_is_no_smaller_grid_of_them():
    # 5 pixels in an ellipse of 7: three cells a side would be two pixels wide
    image = np.zeros((20, 20, 3), np.uint8)
    image[::2] = 255
    blurred = blur(image, as_regions([7, 7, 12, 12]))[0][7:12, 7:12].astype(int)
    assert np.abs(np.diff(blurred, axis=0)).max() < 20


def test_what_is_left_is_a_function_of_few_averages():
    # two pictures that differ in every pixel but agree in the mean of every cell look the same
    image = np.full((90, 90, 3), 128, np.uint8)
    other = image.copy()
    other[::2, ::2], other[1::2, 1::2] = 255, 1
    other[::2, 1::2], other[1::2, ::2] = 255, 1
    region = as_regions([20, 20, 70, 70])
    inside = ellipse(90, 90, [20, 20, 70, 70])
    difference = np.abs(blur(image, region)[0].astype(int) - blur(other, region)[0])[inside]
    assert np.abs(image.astype(int) - other)[inside].min() == 127
    assert difference.max() <= 3
    assert CELLS <= 4


def test_overlaps_count_once_and_regions_outside_not_at_all():
    image = noise()
    one = blur(image, as_regions([40, 30, 100, 90]))
    twice = blur(image, as_regions([40, 30, 100, 90], [40, 30, 100, 90]))
    assert (twice[1], twice[2]) == (2, one[2])
    outside = blur(image, as_regions([500, 500, 520, 520], [-90, 10, -40, 40]))
    assert (outside[1], outside[2]) == (0, 0.0)
    assert (outside[0] == image).all()
    # the ellipse's bounding box reaches the first pixel, the ellipse does not
    assert blur(image, as_regions([-10, -10, -1, -1]))[1:] == (0, 0.0)


def test_no_region_returns_a_copy_and_the_input_is_kept():
    image = noise()
    before = image.copy()
    blurred, number, area = blur(image, as_regions())
    assert (number, area) == (0, 0.0)
    assert (blurred == image).all()
    assert blurred is not image
    blur(image, as_regions([10, 10, 60, 60]))
    assert (image == before).all()


def test_the_same_input_gives_the_same_bytes():
    regions = as_regions(*REGIONS)
    assert blur(noise(), regions)[0].tobytes() == blur(noise(), regions)[0].tobytes()

"""The pinhole, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dataengine.simulator.camera import NEAR_M, Camera


def camera(pitch: float = 0.0) -> Camera:
    return Camera(width=320, height=192, focal=300.0, height_m=1.5, pitch=pitch)


def test_points_by_hand():
    points = np.array(
        [
            [0, 1.5, 10],  # straight ahead of the lens: the middle
            [2, 1.5, 10],  # 300 * 2 / 10 = 60 px to the right
            [0, 0, 10],  # the road, 300 * 1.5 / 10 = 45 px below
            [0, 4.5, 30],  # 300 * 3 / 30 = 30 px above
        ],
        np.float32,
    )
    pixels, depth = camera().project(points)
    np.testing.assert_allclose(pixels, [[160, 96], [220, 96], [160, 141], [160, 66]], rtol=1e-6)
    np.testing.assert_allclose(depth, [10, 10, 10, 30], rtol=1e-6)


def test_looking_down_moves_the_horizon_up():
    assert camera().horizon == 96
    assert camera(0.1).horizon == pytest.approx(96 - 300 * math.tan(0.1))
    far = np.array([[0, 0, 1e6]], np.float32)
    assert camera(0.1).project(far)[0][0, 1] == pytest.approx(camera(0.1).horizon, abs=0.01)


def test_points_behind_the_camera_stay_on_the_near_plane():
    pixels, depth = camera().project(np.array([[1, 1, -5]], np.float32))
    assert depth[0] == np.float32(NEAR_M)
    assert pixels[0, 0] > 320


@pytest.mark.parametrize("pitch", [0.0, 0.03, 0.2])
def test_ground_rows_are_where_the_road_projects_to(pitch):
    view = camera(pitch)
    first, ahead, depth = view.ground_rows()
    near = ahead < 399  # farther rows are cut
    road = np.stack([np.zeros_like(ahead), np.zeros_like(ahead), ahead], axis=1)[near]
    pixels, projected = view.project(road)
    rows = first + np.flatnonzero(near) + 0.5
    np.testing.assert_allclose(pixels[:, 1], rows, atol=0.01)
    np.testing.assert_allclose(projected, depth[near], rtol=1e-4)
    assert len(ahead) == 192 - first

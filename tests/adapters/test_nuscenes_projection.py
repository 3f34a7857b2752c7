"""Cuboids into images: by hand, against another algorithm, and as properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine.adapters.nuscenes.projection import NEAR_M, Camera, corners, project
from dataengine.adapters.rigid import rotations
from tests.adapters.nuscenes_world import AHEAD, BEHIND, UNTURNED

K = np.array([[100.0, 0, 320], [0, 100.0, 240], [0, 0, 1]])
CANVAS = (480, 640)
LEFT_TURN = [np.sqrt(0.5), 0, 0, np.sqrt(0.5)]
"""A quarter turn to the left about the upward axis."""


def camera(**changes) -> Camera:
    values = {
        "ego_position": [0, 0, 0],
        "ego_quaternion": UNTURNED,
        "position": [0, 0, 0],
        "quaternion": AHEAD,
    }
    values |= changes
    return Camera(**{key: np.array(value, float) for key, value in values.items()}, intrinsic=K)


def box(seen_by: Camera, centre, size, quaternion=UNTURNED) -> list[float] | None:
    cuboid = corners(np.array([centre], float), np.array([size], float), np.array([quaternion], float))
    xyxy, shown = project(seen_by.from_global(cuboid), K, CANVAS)
    return xyxy[0].tolist() if shown[0] else None


# width 2, length 4, height 1.5, centre 10 m ahead: the near face stands at 8 m and hides the far one
STRAIGHT_AHEAD = [320 - 100 / 8, 240 - 75 / 8, 320 + 100 / 8, 240 + 75 / 8]


def test_a_box_straight_ahead_is_as_large_as_its_near_face():
    assert box(camera(), [10, 0, 0], [2, 4, 1.5]) == pytest.approx(STRAIGHT_AHEAD)


def test_every_pose_on_the_way_counts():
    # the car stands at (3, 5, 0) and faces along y; the camera looks backwards from 1 m behind and 2 m up
    seen_by = camera(ego_position=[3, 5, 0], ego_quaternion=LEFT_TURN, position=[-1, 0, 2], quaternion=BEHIND)
    # 10 m behind the camera, in the global frame, and turned as the car is
    assert box(seen_by, [3, 5 - 1 - 10, 2], [2, 4, 1.5], LEFT_TURN) == pytest.approx(STRAIGHT_AHEAD)


def test_width_length_and_height_lie_along_y_x_and_z_of_the_box():
    # turned by a quarter the length of 4 m lies across, and the near face stands at 9 m
    expected = [320 - 200 / 9, 240 - 75 / 9, 320 + 200 / 9, 240 + 75 / 9]
    assert box(camera(), [10, 0, 0], [2, 4, 1.5], LEFT_TURN) == pytest.approx(expected)


def test_a_box_that_reaches_behind_the_camera_keeps_what_is_ahead():
    # a wall to the right, 2 to 3 m aside and 2 m high, from 5 m behind to 5 m ahead: its near side enters
    # at 5 m at x = 320 + 100 * 2 / 5, and leaves the canvas at x = 640 at a depth of 0.625 m, where
    # 1 m up are 160 pixels. Without its corners behind the camera only 340..360 would remain
    assert box(camera(), [0, -2.5, 0], [1, 10, 2]) == pytest.approx([360, 80, 640, 400])


def test_a_box_around_the_camera_fills_the_image():
    assert box(camera(), [0, 0, 0], [4, 4, 4]) == pytest.approx([0, 0, 640, 480])


OUT_OF_SIGHT = {
    "behind": [-10, 0, 0],
    "above": [10, 0, 60],
    "to the left": [10, 60, 0],
    # the rectangle around its corners overlaps the canvas's corner, the cuboid itself does not
    "past a corner": [10, 40, 28],
    "nearer than the near plane": [NEAR_M / 2 - 2, 0, 0],
}


@pytest.mark.parametrize("where", OUT_OF_SIGHT)
def test_a_box_out_of_sight_is_not_shown(where):
    assert box(camera(), OUT_OF_SIGHT[where], [2, 4, 1.5]) is None


def test_a_hull_is_cut_at_the_canvas_before_its_box_is_taken():
    # a plate turned by 45 degrees about the view axis: the square's corner points right, and its sides meet
    # the canvas's right border at x = 640 above and below the middle
    tilt = [np.cos(np.pi / 8), np.sin(np.pi / 8), 0, 0]
    # at 10 m a side of 40 m has a half diagonal of 28.28 m, 282.8 pixels, from x = 600: 40 of them inside to
    # the right, and above and below as far as 242.8 pixels at x = 640 - but the canvas ends at 240
    found = box(camera(), [10.0005, -28, 0], [40, 0.001, 40], tilt)
    assert found == pytest.approx([600 - 282.84, 0, 640, 480], abs=0.1)
    # lower, its upper corner lies left of x = 640 and reaches the full height of the slanted side there
    found = box(camera(), [10.0005, -50, 0], [40, 0.001, 40], tilt)
    # the corner that points left is at 820 - 282.84; at x = 640 the sides are 102.84 above and below
    assert found == pytest.approx([537.16, 240 - 102.84, 640, 240 + 102.84], abs=0.1)


def clipped_faces(points: np.ndarray) -> np.ndarray:
    """xyxy of a cuboid's six faces, each cut at the near plane and at the canvas's four sides."""
    inward = np.array([[K[0, 0], 0, K[0, 2]], [-K[0, 0], 0, CANVAS[1] - K[0, 2]], [0, K[1, 1], K[1, 2]],
                       [0, -K[1, 1], CANVAS[0] - K[1, 2]]])  # fmt: skip
    pixels = [np.zeros((0, 2))]
    for bit in (1, 2, 4):
        for side in (0, bit):
            one, other = (flag for flag in (1, 2, 4) if flag != bit)
            polygon = [points[side + corner] for corner in (0, one, one + other, other)]
            polygon = cut(polygon, np.array([0, 0, 1.0]), NEAR_M)
            for normal in inward:
                polygon = cut(polygon, normal, 0.0)
            if polygon:
                seen = np.array(polygon) @ K.T
                pixels.append(seen[:, :2] / seen[:, 2:])
    found = np.concatenate(pixels)
    return np.concatenate([found.min(0), found.max(0)]) if len(found) else np.full(4, np.nan)


def cut(polygon: list[np.ndarray], normal: np.ndarray, least: float) -> list[np.ndarray]:
    """Sutherland and Hodgman: the part of a polygon where ``normal @ p >= least``."""
    kept = []
    for first, second in zip(polygon, [*polygon[1:], *polygon[:1]], strict=True):
        before, after = normal @ first - least, normal @ second - least
        if before >= 0:
            kept.append(first)
        if (before >= 0) != (after >= 0):
            kept.append(first + before / (before - after) * (second - first))
    return kept


def floats(low: float, high: float):
    return st.floats(low, high, allow_nan=False, width=32)


@settings(deadline=None, max_examples=150)
@given(
    centre=st.tuples(floats(-30, 30), floats(-30, 30), floats(-5, 5)),
    size=st.tuples(floats(0.25, 12), floats(0.25, 12), floats(0.25, 12)),
    yaw=floats(-4, 4),
    roll=floats(-1, 1),
)
def test_boxes_agree_with_faces_cut_one_by_one_and_hold_every_visible_point(centre, size, yaw, roll):
    (cy, sy), (cr, sr) = ((np.cos(angle / 2), np.sin(angle / 2)) for angle in (yaw, roll))
    quaternion = np.array([[cy * cr, cy * sr, sy * sr, sy * cr]])
    cuboid = corners(np.array([centre]), np.array([size]), quaternion)
    points = camera().from_global(cuboid)
    xyxy, shown = project(points, K, CANVAS)
    expected = clipped_faces(points[0])
    # a camera inside of a cuboid sees its faces all around, or none where the near plane swallows them
    if np.isnan(expected).all() or (expected[2:] - expected[:2] < 1e-6).any():
        assert not shown[0] or (xyxy[0, 2:] - xyxy[0, :2]).min() < 1e-3 or inside(cuboid[0], np.zeros(3))
    else:
        assert shown[0]
        assert xyxy[0] == pytest.approx(expected, abs=1e-6) or inside(cuboid[0], np.zeros(3))
    share = np.random.default_rng(0).uniform(-0.5, 0.5, (200, 3))
    extent = np.array(size)[[1, 0, 2]]
    within = (share * extent) @ rotations(quaternion)[0].T + np.array(centre)
    seen = camera().from_global(within)
    ahead = seen[seen[:, 2] > NEAR_M] @ K.T
    pixels = ahead[:, :2] / ahead[:, 2:]
    pixels = pixels[((pixels >= 0) & (pixels <= [CANVAS[1], CANVAS[0]])).all(1)]
    assert len(pixels) == 0 or shown[0]
    assert (pixels >= xyxy[0, :2] - 1e-6).all()
    assert (pixels <= xyxy[0, 2:] + 1e-6).all()


def inside(cuboid: np.ndarray, point: np.ndarray) -> bool:
    axes = np.array([cuboid[4] - cuboid[0], cuboid[2] - cuboid[0], cuboid[1] - cuboid[0]])
    share = (point - cuboid[0]) @ axes.T / (axes**2).sum(1)
    return bool(((share > -0.2) & (share < 1.2)).all())

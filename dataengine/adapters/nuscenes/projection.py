"""Boxes of nuScenes from the world into the image.

A box is a cuboid in the global frame. It goes through the ego pose *of the camera's own image* (the
lidar's was taken up to 50 ms elsewhere) into the camera's frame, x right, y down, z ahead. What lies
nearer than ``NEAR_M`` is cut off there: dropping corners behind the camera instead, as the devkit's
export script does, shrinks boxes that reach past the image plane. The 2D box holds what the image shows
of the cuboid's convex hull. It is loose, as every box around a projected cuboid is, and says nothing of
what stands in front (export_2d_annotations_as_json.py of the devkit has the same two caveats).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataengine.adapters.rigid import Array, rotations

NEAR_M = 0.1
"""Nothing nearer to the camera's centre than this is seen: it would be inside the car's own body."""

_CORNERS = np.array([[x, y, z] for x in (0.5, -0.5) for y in (0.5, -0.5) for z in (0.5, -0.5)])
_EDGES = np.array([[a, b] for a in range(8) for b in range(a + 1, 8) if (a ^ b) in {1, 2, 4}])
_POINTS = len(_CORNERS) + len(_EDGES)
_PAIRS = np.array([[a, b] for a in range(_POINTS) for b in range(a + 1, _POINTS)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """One camera at one moment.

    Attributes:
        ego_position: ``[3]`` metres, of the vehicle in the global frame.
        ego_quaternion: ``[4]`` w, x, y, z: from the vehicle's frame to the global one.
        position: ``[3]`` metres, of the camera in the vehicle's frame.
        quaternion: ``[4]`` from the camera's frame to the vehicle's.
        intrinsic: ``[3, 3]`` pixels.
    """

    ego_position: Array
    ego_quaternion: Array
    position: Array
    quaternion: Array
    intrinsic: Array

    def from_global(self, points: Array) -> Array:
        """``[..., 3]`` points of the global frame in the camera's; NaN for a broken pose."""
        ego, own = rotations(np.stack([self.ego_quaternion, self.quaternion]))
        # a row vector times R is R transposed, which is its inverse, times the column
        return np.asarray(((points - self.ego_position) @ ego - self.position) @ own)


def corners(centre: Array, size: Array, quaternion: Array) -> Array:
    """``[B, 8, 3]`` corners in the global frame.

    Args:
        centre: ``[B, 3]`` metres.
        size: ``[B, 3]`` width, length, height in metres; length lies along the box's x axis.
        quaternion: ``[B, 4]`` from the box's frame (x ahead, y left, z up) to the global one.
    """
    extent = size[:, [1, 0, 2]]
    local = _CORNERS[None] * extent[:, None]
    return local @ rotations(quaternion).transpose(0, 2, 1) + centre[:, None]


def project(points: Array, intrinsic: Array, canvas: tuple[int, int]) -> tuple[Array, NDArray[np.bool_]]:
    """The boxes around what an image shows of some cuboids.

    Args:
        points: ``[B, 8, 3]`` corners in the camera's frame, in the order of ``corners``.
        intrinsic: ``[3, 3]`` pixels.
        canvas: Height and width of the image in pixels.

    Returns:
        ``[B, 4]`` xyxy in pixels within the canvas, and ``[B]`` whether the image shows any of it (the
        box of one that it does not show has no meaning).
    """
    ahead, known = _cut_near(points)
    pixels = ahead @ intrinsic.T
    x, y = pixels[..., 0] / pixels[..., 2], pixels[..., 1] / pixels[..., 2]
    height, width = canvas
    left, right = _extent(x, y, known, height)
    top, bottom = _extent(y, x, known, width)
    xyxy = np.stack([left, top, right, bottom], -1)
    xyxy = xyxy.clip(0, [width, height, width, height])
    return xyxy, (xyxy[:, 2] > xyxy[:, 0]) & (xyxy[:, 3] > xyxy[:, 1])


def _cut_near(points: Array) -> tuple[Array, NDArray[np.bool_]]:
    """``[B, 20, 3]`` corners and crossings of edges with the near plane, and which of them exist.

    Those that do are the corners of what remains of each cuboid.
    """
    first, second = points[:, _EDGES[:, 0]], points[:, _EDGES[:, 1]]
    before, after = first[..., 2] - NEAR_M, second[..., 2] - NEAR_M
    crosses = (before >= 0) != (after >= 0)
    share = before / np.where(crosses, before - after, 1.0)
    crossings = first + share[..., None] * (second - first)
    known = np.concatenate([points[..., 2] >= NEAR_M, crosses], 1)
    # points that do not exist are put ahead, so that dividing by their depth is no trouble
    found = np.where(known[..., None], np.concatenate([points, crossings], 1), [0.0, 0.0, 1.0])
    return found, known


def _extent(along: Array, across: Array, known: NDArray[np.bool_], limit: float) -> tuple[Array, Array]:
    """The range of one coordinate over the part of a convex hull whose other one lies in 0..limit.

    That part is a convex polygon whose corners are points of the hull within the strip, or places
    where an edge of the hull crosses the strip's border. Every pair of points is tried, since those that
    are no edge of the hull lie inside it. Where nothing lies in the strip the range is inverted.
    """
    inside = known & (across >= 0) & (across <= limit)
    low = np.where(inside, along, np.inf).min(1)
    high = np.where(inside, along, -np.inf).max(1)
    one, other = _PAIRS.T
    for border in (0.0, limit):
        before, after = across[:, one] - border, across[:, other] - border
        crosses = known[:, one] & known[:, other] & ((before >= 0) != (after >= 0))
        share = before / np.where(crosses, before - after, 1.0)
        reached = along[:, one] + share * (along[:, other] - along[:, one])
        low = np.minimum(low, np.where(crosses, reached, np.inf).min(1))
        high = np.maximum(high, np.where(crosses, reached, -np.inf).max(1))
    return low, high

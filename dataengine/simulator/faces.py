"""Faces of props and actors on the picture: projected, shaded, and only those that can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataengine.simulator.batch import Batch
from dataengine.simulator.camera import NEAR_M, Camera
from dataengine.simulator.light import Light
from dataengine.simulator.mesh import Floats, Ints
from dataengine.simulator.stage import Placed

SHIFT = 4
"""Fractional bits of the polygons' coordinates."""
MIN_FACE_PX, MIN_DECAL_PX = 4.0, 11.0
"""Faces whose bounds hold fewer square pixels are left out..."""
MIN_FACE_SIDE = 0.3
"""... and so are those whose bounds are thinner than this in pixels."""
SHINING = 0.7
"""Faces that glow more than this have a halo."""
ROUND_SHADE = 0.6
"""Balls and leaves have no normal: they take this share of the sun."""
_ANGLES = (np.arange(14) + 0.5) * 2 * np.pi / 14
_CIRCLE = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)]).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faces:
    """Faces to be painted.

    Attributes:
        pixels: ``[N, 2]`` corners in fixed point.
        first: ``[F]`` a face's first row in ``pixels``.
        last: ``[F]`` one past its last.
        bounds: ``[F, 4]`` xyxy in pixels.
        colours: ``[F, 3]`` RGB.
        actor: ``[F]`` number of the actor, -1 for props.
        flat: ``[F]`` lies on another face of its object, which marks the pixels.
        shining: ``[F]`` has a halo in the dark.
        object_key: ``[F]`` distance of its object; the farthest is painted first.
        part_key: ``[F]`` distance of its part, which orders parts within the object.
    """

    pixels: NDArray[np.int32]
    first: Ints
    last: Ints
    bounds: Floats
    colours: NDArray[np.uint8]
    actor: Ints
    flat: NDArray[np.bool_]
    shining: NDArray[np.bool_]
    object_key: Floats
    part_key: Floats

    @classmethod
    def join(cls, groups: Sequence[Faces]) -> Faces:
        """Several sets as one, in the order of painting."""
        base = np.cumsum([0, *(len(group.pixels) for group in groups)])[:-1]
        whole = {name: np.concatenate([getattr(group, name) for group in groups]) for name in cls.__slots__}
        moved = np.repeat(base, [len(group.first) for group in groups])
        whole["first"], whole["last"] = whole["first"] + moved, whole["last"] + moved
        order = np.lexsort((-whole["part_key"], -whole["object_key"]))
        pixels = whole.pop("pixels")
        return cls(pixels=pixels, **{name: values[order] for name, values in whole.items()})


def project(
    placed: Placed, shown: NDArray[np.bool_], camera: Camera, light: Light, sun: Floats, *, actors: bool
) -> Faces:
    """Project the faces of a batch that turn to the camera, and keep those that can be seen.

    Args:
        placed: The batch in this frame.
        shown: ``[O]`` objects that are drawn at all.
        camera: The camera.
        light: The clip's light.
        sun: Unit vector towards the sun in camera coordinates.
        actors: Whether the objects are labelled; otherwise they are props.
    """
    batch = placed.batch
    lens = placed.to_local(0, camera.height_m, 0)
    towards = np.einsum("ij,ij->i", batch.normals, lens[batch.face_object]) >= batch.plane
    chosen = np.flatnonzero(towards & shown[batch.face_object])
    rows, first, last = _gather(batch.starts[chosen], batch.ends[chosen])
    points = placed.vertices(rows)
    pixels, depth = camera.project(points)
    bounds, far = _bounds(pixels, depth, first)
    radius = batch.radius[chosen] * np.float32(camera.focal) / far
    bounds += radius[:, None] * np.array([-1, -1, 1, 1], np.float32)
    kept = np.flatnonzero(_worthwhile(bounds, batch.decal[chosen], camera) & (far > NEAR_M))
    face, first, last, far = chosen[kept], first[kept], last[kept], far[kept]
    corners, begin, end = _round(pixels, first, last, radius[kept])
    owner = batch.face_object[face]
    object_key, part_key = _distances(placed)
    colours = _colours(placed, face, points[first], far, light, sun)
    return Faces(
        pixels=fixed(corners),
        first=begin,
        last=end,
        bounds=bounds[kept],
        colours=colours,
        actor=owner if actors else np.full(len(face), -1),
        flat=batch.decal[face],
        shining=batch.glow[face] > SHINING,
        object_key=object_key[owner],
        part_key=part_key[batch.part[face]],
    )


def _worthwhile(bounds: Floats, decal: NDArray[np.bool_], camera: Camera) -> NDArray[np.bool_]:
    """Faces whose bounds meet the picture and are large enough to matter."""
    x0, y0, x1, y1 = bounds.T
    inside = (x1 > 0) & (x0 < camera.width) & (y1 > 0) & (y0 < camera.height)
    wide, high = x1 - x0, y1 - y0
    least = np.where(decal, np.float32(MIN_DECAL_PX), np.float32(MIN_FACE_PX))
    return np.asarray(inside & (wide * high > least) & (np.minimum(wide, high) > MIN_FACE_SIDE))


def _distances(placed: Placed) -> tuple[Floats, Floats]:
    """Distances that order the painting: of objects ``[O]`` and of parts ``[P]``.

    An object counts by its nearest corner, a wall by its farthest: whatever stands beside a house stands
    in front of it.
    """
    batch: Batch = placed.batch
    corners = np.hypot(placed.feet[..., 0], placed.feet[..., 2])
    nearest, farthest = corners.min(1, initial=1e9), corners.max(1, initial=0)
    parts = placed.to_camera(batch.part_centres, batch.part_object)
    return np.where(placed.walls, farthest, nearest), np.hypot(parts[:, 0], parts[:, 2])


def _colours(
    placed: Placed, face: Ints, positions: Floats, far: Floats, light: Light, sun: Floats
) -> NDArray[np.uint8]:
    batch = placed.batch
    normals = batch.normals[face]
    local_sun = placed.to_local(*sun.tolist(), direction=True)[batch.face_object[face]]
    facing = np.einsum("ij,ij->i", normals, local_sun)
    facing[batch.both_sides[face]] = ROUND_SHADE
    return light.shade(batch.colours[face], facing, normals[:, 1], batch.glow[face], positions, far)


def _gather(starts: Ints, ends: Ints) -> tuple[Ints, Ints, Ints]:
    """Rows of the vertices of chosen faces side by side, and each face's new first and last row."""
    counts = ends - starts
    last = np.cumsum(counts)
    first = last - counts
    return np.repeat(starts - first, counts) + np.arange(int(counts.sum())), first, last


def _bounds(pixels: Floats, depth: Floats, first: Ints) -> tuple[Floats, Floats]:
    """Bounds xyxy ``[F, 4]`` and greatest depth ``[F]`` of faces that begin at rows ``first``."""
    if not len(first):
        return np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    low, high = np.minimum.reduceat(pixels, first), np.maximum.reduceat(pixels, first)
    return np.concatenate([low, high], axis=1), np.maximum.reduceat(depth, first)


def _round(pixels: Floats, first: Ints, last: Ints, radius: Floats) -> tuple[Floats, Ints, Ints]:
    """Turn balls into polygons, added behind the other corners."""
    balls = np.flatnonzero(radius > 0)
    if not len(balls):
        return pixels, first, last
    discs = pixels[first[balls]][:, None] + radius[balls][:, None, None] * _CIRCLE
    first, last = first.copy(), last.copy()
    first[balls] = len(pixels) + np.arange(len(balls)) * len(_CIRCLE)
    last[balls] = first[balls] + len(_CIRCLE)
    return np.concatenate([pixels, discs.reshape(-1, 2)]), first, last


def fixed(pixels: Floats) -> NDArray[np.int32]:
    """Pixels as fixed-point integers that OpenCV can draw, clamped far outside the picture."""
    return np.clip(pixels * (1 << SHIFT) - (1 << (SHIFT - 1)), -60_000, 60_000).astype(np.int32)

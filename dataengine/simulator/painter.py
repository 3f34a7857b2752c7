"""Paints frames: sky, ground, shadows, then every face from far to near, then glow, rain and noise.

A second buffer holds the number of the actor at each pixel. How many of an actor's pixels survive
what is painted over it is its visibility.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dataengine.simulator.camera import NEAR_M
from dataengine.simulator.ground import GroundView
from dataengine.simulator.mesh import Floats, Ints
from dataengine.simulator.scene import Scene
from dataengine.simulator.stage import Placed, actors_of, props_of
from dataengine.simulator.truth import MIN_LABEL_HEIGHT, FrameTruth, judge, outline
from dataengine.simulator.weather import Weather

SHIFT = 4
"""Fractional bits of the polygons' coordinates."""
MIN_FACE_PX, MIN_DECAL_PX = 3.0, 7.0
"""Faces whose bounds hold fewer square pixels are left out..."""
MIN_FACE_SIDE = 0.3
"""... and so are those whose bounds are thinner than this in pixels."""
SHINING = 0.7
"""Faces that glow more than this have a halo."""
MARGIN_M = 2.5
"""How far the crown of a tree may reach beyond its footprint."""

Image = NDArray[np.uint8]
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


class Painter:
    """Renders the frames of one clip in order.

    Args:
        scene: The clip's world.
        rng: For the sensor's noise and the rain, frame by frame.
    """

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        self.scene = scene
        self._ground = GroundView(scene.ground, scene.camera, scene.light)
        self._weather = Weather(scene.camera, scene.light, rng)
        self._props, self._actors = props_of(scene), actors_of(scene)
        self._walls = np.array([prop.wall for prop in scene.props], bool)
        scale = scene.camera.width / 320
        self._min_height = np.array(
            [MIN_LABEL_HEIGHT[a.class_name] * scale for a in scene.actors], np.float32
        )
        self._ids = np.zeros((scene.camera.height, scene.camera.width), np.uint16)

    def frame(self, number: int) -> tuple[Image, FrameTruth]:
        """The picture ``[H, W, 3]`` uint8 RGB of one frame, and what a perfect annotator would draw on it."""
        scene = self.scene
        camera, s = scene.camera, float(scene.ego.s[number])
        x, z, heading = (float(v) for v in scene.road.pose(np.array(s), np.zeros(())))
        stood = self._props.seen_from(number, s, x, z, heading)
        moved = self._actors.seen_from(number, s, x, z, heading)
        envelope = moved.to_camera(moved.batch.envelope, moved.batch.envelope_object)
        outlines = outline(camera, envelope, moved.batch, self._min_height)
        sun = _turned(scene.light.sun_direction, heading)
        image = np.empty((camera.height, camera.width, 3), np.uint8)
        scene.sky.draw(image, heading)
        self._ground.draw(image, scene.road, s)
        feet = moved.footprints()
        shown = moved.near & outlines.drawn & self._in_view(feet)
        self._shadows(image, feet[shown], moved.batch.height[shown], sun)
        still = stood.footprints()
        faces = Faces.join(
            [
                self._project(stood, still, stood.near & self._in_view(still), sun, labelled=False),
                self._project(moved, feet, shown, sun, labelled=True),
            ]
        )
        counts = self._paint(image, faces, outlines.full)
        lights = faces.shining.nonzero()[0].tolist() if self._weather.glows else []
        shining = [(faces.pixels[faces.first[i] : faces.last[i]], faces.colours[i].tolist()) for i in lights]
        self._weather.finish(image, shining, SHIFT)
        contrast = scene.light.transmittance(outlines.distance)
        return image, judge(camera, outlines, counts, contrast)

    def _in_view(self, feet: Floats) -> NDArray[np.bool_]:
        """Which objects, given by their corners ``[O, 4, 3]``, may show between the picture's sides."""
        ahead = feet[..., 2]
        half = (
            np.maximum(ahead, 0) * np.float32(self.scene.camera.width / 2 / self.scene.camera.focal)
            + MARGIN_M
        )
        x = feet[..., 0]
        return np.asarray((ahead.max(1) > NEAR_M) & ((x - half).min(1) < 0) & ((x + half).max(1) > 0))

    def _shadows(self, image: Image, corners: Floats, height: Floats, sun: Floats) -> None:
        """Shadows of actors on the ground, thrown by the sun or a dark patch below; corners ``[A, 4, 3]``."""
        if not len(corners):
            return
        light, camera = self.scene.light, self.scene.camera
        if light.casts_shadows:
            away = -sun * np.float32(min(1.0 / max(float(sun[1]), 0.25), 2.2))
            away[1] = 0
            corners = np.concatenate([corners, corners + (away * height[:, None])[:, None]], axis=1)
        pixels, _ = camera.project(corners.reshape(-1, 3))
        mask = np.zeros(image.shape[:2], np.uint8)
        for polygon in _fixed(pixels).reshape(len(corners), -1, 2):
            cv2.fillConvexPoly(mask, cv2.convexHull(polygon), 255, cv2.LINE_8, SHIFT)
        below = slice(self._ground.first, None)
        alpha = 0.58 if light.casts_shadows else 0.68
        cv2.copyTo(cv2.convertScaleAbs(image[below], alpha=alpha), mask[below], image[below])

    def _project(
        self, placed: Placed, feet: Floats, shown: NDArray[np.bool_], sun: Floats, *, labelled: bool
    ) -> Faces:
        """Project the faces of a batch that turn to the camera, and keep those that can be seen."""
        batch, camera, light = placed.batch, self.scene.camera, self.scene.light
        lens = placed.to_local(0, camera.height_m, 0)
        towards = np.einsum("ij,ij->i", batch.normals, lens[batch.face_object]) >= batch.plane
        candidates = np.flatnonzero(towards & shown[batch.face_object])
        rows, first, last = _gather(batch.starts[candidates], batch.ends[candidates])
        points = placed.vertices(rows)
        pixels, depth = camera.project(points)
        low, high, far = _bounds(pixels, depth, first)
        radius = batch.radius[candidates] * np.float32(camera.focal) / far
        low -= radius[:, None]
        high += radius[:, None]
        extent = high - low
        inside = (
            (high[:, 0] > 0) & (low[:, 0] < camera.width) & (high[:, 1] > 0) & (low[:, 1] < camera.height)
        )
        least = np.where(batch.decal[candidates], np.float32(MIN_DECAL_PX), np.float32(MIN_FACE_PX))
        large = (extent[:, 0] * extent[:, 1] > least) & (
            np.minimum(extent[:, 0], extent[:, 1]) > MIN_FACE_SIDE
        )
        kept = np.flatnonzero(inside & large & (far > NEAR_M))
        keep = candidates[kept]
        owner, normals = batch.face_object[keep], batch.normals[keep]
        facing = np.einsum("ij,ij->i", normals, placed.to_local(*sun.tolist(), direction=True)[owner])
        facing[batch.both_sides[keep]] = 0.6
        distance = np.hypot(feet[..., 0], feet[..., 2])
        nearest = distance.min(1, initial=1e9)
        key = nearest if labelled else np.where(self._walls, distance.max(1, initial=0), nearest)
        parts = placed.to_camera(batch.part_centres, batch.part_object)
        corners, begin, end = _round(pixels, first[kept], last[kept], radius[kept])
        return Faces(
            pixels=_fixed(corners),
            first=begin,
            last=end,
            bounds=np.concatenate([low[kept], high[kept]], axis=1),
            colours=light.shade(
                batch.colours[keep], facing, normals[:, 1], batch.glow[keep], points[first[kept]], far[kept]
            ),
            actor=owner if labelled else np.full(len(keep), -1),
            flat=batch.decal[keep],
            shining=batch.glow[keep] > SHINING,
            object_key=key[owner],
            part_key=np.hypot(parts[:, 0], parts[:, 2])[batch.part[keep]],
        )

    def _paint(self, image: Image, faces: Faces, boxes: Floats) -> NDArray[np.int64]:
        """Paint all faces from far to near.

        Returns:
            ``[A, 2]`` pixels of each actor right after it was painted, and at the end.
        """
        ids, counts = self._ids, np.zeros((len(boxes), 2), np.int64)
        ids[:] = 0
        marks = ~faces.flat & _touching(faces, boxes)
        windows = _windows(boxes, image.shape[1], image.shape[0])
        fill, pixels, before = cv2.fillConvexPoly, faces.pixels, -1
        rows = zip(
            faces.first.tolist(),
            faces.last.tolist(),
            faces.colours.tolist(),
            faces.actor.tolist(),
            marks.tolist(),
            strict=True,
        )
        for first, last, colour, actor, mark in rows:
            if actor != before:
                if before >= 0:
                    counts[before, 0] += np.count_nonzero(ids[windows[before]] == before + 1)
                before = actor
            polygon = pixels[first:last]
            fill(image, polygon, colour, cv2.LINE_AA, SHIFT)
            if mark:
                fill(ids, polygon, actor + 1, cv2.LINE_8, SHIFT)
        if before >= 0:
            counts[before, 0] = np.count_nonzero(ids[windows[before]] == before + 1)
        counts[:, 1] = np.bincount(ids.ravel(), minlength=len(boxes) + 1)[1 : len(boxes) + 1]
        return counts


def _gather(starts: Ints, ends: Ints) -> tuple[Ints, Ints, Ints]:
    """Rows of the vertices of chosen faces side by side, and each face's new first and last row."""
    counts = ends - starts
    last = np.cumsum(counts)
    first = last - counts
    return np.repeat(starts - first, counts) + np.arange(int(counts.sum())), first, last


def _bounds(pixels: Floats, depth: Floats, first: Ints) -> tuple[Floats, Floats, Floats]:
    """Lowest and highest corner ``[F, 2]`` and greatest depth ``[F]`` of faces that begin at ``first``."""
    if not len(first):
        return np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32), np.zeros(0, np.float32)
    low, high = np.minimum.reduceat(pixels, first), np.maximum.reduceat(pixels, first)
    return low, high, np.maximum.reduceat(depth, first)


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


def _touching(faces: Faces, boxes: Floats) -> NDArray[np.bool_]:
    """Which faces must mark their pixels: those of actors, and those of props that may hide one."""
    marking = faces.actor >= 0
    labelled, where = np.unique(faces.actor[marking], return_index=True)
    behind = faces.object_key[marking][where]
    x0, y0, x1, y1 = ((boxes[labelled] + np.array([-2, -2, 2, 2], np.float32)).T)[:, None]
    left, top, right, bottom = (column[:, None] for column in faces.bounds.T)
    over = (left < x1) & (right > x0) & (top < y1) & (bottom > y0) & (faces.object_key[:, None] < behind)
    return np.asarray(marking | over.any(1))


def _windows(boxes: Floats, width: int, height: int) -> list[tuple[slice, slice]]:
    """The part of the picture that holds each box, with a margin for rounding."""
    cut = (
        np.clip(boxes + np.array([-2, -2, 3, 3], np.float32), 0, [width, height, width, height])
        .astype(int)
        .tolist()
    )
    return [(slice(y0, y1), slice(x0, x1)) for x0, y0, x1, y1 in cut]


def _turned(direction: Floats, heading: float) -> Floats:
    """A world direction in camera coordinates."""
    cosine, sine = np.cos(heading), np.sin(heading)
    x, y, z = direction.tolist()
    return np.array([x * cosine + z * sine, y, z * cosine - x * sine], np.float32)


def _fixed(pixels: Floats) -> NDArray[np.int32]:
    """Pixels as fixed-point integers that OpenCV can draw, clamped far outside the picture."""
    return np.clip(pixels * (1 << SHIFT) - (1 << (SHIFT - 1)), -60_000, 60_000).astype(np.int32)

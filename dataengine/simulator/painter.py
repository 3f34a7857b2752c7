"""Paints frames: sky, ground, shadows, then every face from far to near, then glow, rain and noise.

A second buffer holds the number of the actor at each pixel. How many of an actor's pixels survive
what is painted over it is its visibility.
"""

from __future__ import annotations

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
MIN_FACE_PX = 0.5
"""Faces whose extent in pixels is below this in either direction... are left out."""

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faces:
    """Faces to be painted, flat; ``first`` and ``last`` bound a face's rows in ``pixels``."""

    pixels: NDArray[np.int32]
    first: Ints
    last: Ints
    radius: NDArray[np.int32]
    colours: NDArray[np.uint8]
    actor: Ints
    decal: NDArray[np.bool_]
    object_key: Floats
    part_key: Floats


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
        self._min_height = np.array([MIN_LABEL_HEIGHT[a.class_name] * scale for a in scene.actors], np.float32)
        self._ids = np.zeros((scene.camera.height, scene.camera.width), np.uint8)

    def frame(self, number: int) -> tuple[Image, FrameTruth]:
        """The picture ``[H, W, 3]`` uint8 RGB of one frame, and what a perfect annotator would draw on it."""
        scene = self.scene
        camera, s = scene.camera, float(scene.ego.s[number])
        x, z, heading = (float(v) for v in scene.road.pose(np.float64(s), np.float64(0)))
        stood = self._props.seen_from(number, s, x, z, heading)
        moved = self._actors.seen_from(number, s, x, z, heading)
        outlines = outline(camera, moved.envelope, moved.batch, self._min_height)
        shown = moved.visible & outlines.drawn
        sun = _turned(scene.light.sun_direction, heading)
        image = np.empty((camera.height, camera.width, 3), np.uint8)
        scene.sky.draw(image, heading)
        self._ground.draw(image, scene.road, s)
        self._shadows(image, moved, shown, sun)
        groups = [
            self._project(stood, stood.visible, sun, self._walls),
            self._project(moved, shown, sun, np.zeros(len(shown), bool)),
        ]
        lights: list[tuple[NDArray[np.int32], tuple[int, int, int]]] = []
        counts = self._paint(image, groups, len(shown), lights)
        self._weather.finish(image, lights)
        contrast = scene.light.transmittance(outlines.distance)
        return image, judge(camera, outlines, counts, contrast)

    def _shadows(self, image: Image, moved: Placed, shown: NDArray[np.bool_], sun: Floats) -> None:
        """Shadows of the actors on the ground: thrown by the sun, or a dark patch below."""
        chosen = np.flatnonzero(shown)
        if not len(chosen):
            return
        light, camera = self.scene.light, self.scene.camera
        corners = moved.footprints[chosen]
        if light.casts_shadows:
            away = -sun * np.float32(min(1.0 / max(float(sun[1]), 0.25), 2.2))
            away[1] = 0
            height = np.maximum.reduceat(moved.envelope[:, 1], moved.batch.envelope_starts)[chosen]
            corners = np.concatenate([corners, corners + (away * height[:, None])[:, None]], axis=1)
        pixels, _ = camera.project(corners.reshape(-1, 3))
        mask = np.zeros(image.shape[:2], np.uint8)
        for polygon in _fixed(pixels).reshape(len(chosen), -1, 2):
            cv2.fillConvexPoly(mask, cv2.convexHull(polygon), 255, cv2.LINE_8, SHIFT)
        below = slice(self._ground.first, None)
        alpha = 0.58 if light.casts_shadows else 0.68
        cv2.copyTo(cv2.convertScaleAbs(image[below], alpha=alpha), mask[below], image[below])

    def _project(self, placed: Placed, shown: NDArray[np.bool_], sun: Floats, walls: NDArray[np.bool_]) -> Faces:
        """Project a batch and keep the faces that can be seen."""
        batch, camera = placed.batch, self.scene.camera
        if not batch.number:
            return _NO_FACES
        pixels, depth = camera.project(placed.points)
        starts = batch.starts
        origin = placed.points[starts]
        lens = np.array([0, camera.height_m, 0], np.float32)
        facing = np.einsum("ij,ij->i", placed.normals, origin - lens) <= 0
        far = np.maximum.reduceat(depth, starts)
        radius = batch.radius * np.float32(camera.focal) / far
        low = np.minimum.reduceat(pixels, starts) - radius[:, None]
        high = np.maximum.reduceat(pixels, starts) + radius[:, None]
        inside = (high[:, 0] > 0) & (low[:, 0] < camera.width) & (high[:, 1] > 0) & (low[:, 1] < camera.height)
        extent = high - low
        keep = np.flatnonzero(
            facing & inside & (far > NEAR_M) & shown[batch.face_object] & (extent.max(1) > MIN_FACE_PX)
            & (extent.min(1) > 0.15)
        )
        ground = np.hypot(placed.footprints[..., 0], placed.footprints[..., 2])
        key = np.where(walls, ground.max(1), ground.min(1))
        parts = np.hypot(placed.part_centres[:, 0], placed.part_centres[:, 2])
        owner = batch.face_object[keep]
        colours = self.scene.light.shade(
            batch.colours[keep], placed.normals[keep], batch.glow[keep], origin[keep], far[keep], sun
        )
        is_actor = placed is not None and placed.batch is self._actors.batch
        return Faces(
            pixels=_fixed(pixels),
            first=starts[keep],
            last=batch.ends[keep],
            radius=(radius[keep] * (1 << SHIFT)).astype(np.int32),
            colours=colours,
            actor=owner if is_actor else np.full(len(keep), -1),
            decal=batch.decal[keep] | (batch.glow[keep] > 0.3),
            object_key=key[owner],
            part_key=parts[batch.part[keep]],
        )

    def _paint(
        self, image: Image, groups: list[Faces], actors: int, lights: list[tuple[NDArray[np.int32], tuple[int, int, int]]]
    ) -> NDArray[np.int64]:
        """Paint all faces; returns ``[A, 2]`` pixels of each actor when painted and at the end."""
        base = np.cumsum([0, *(len(g.pixels) for g in groups)])
        pixels = np.concatenate([g.pixels for g in groups])
        first = np.concatenate([g.first + b for g, b in zip(groups, base, strict=False)])
        last = np.concatenate([g.last + b for g, b in zip(groups, base, strict=False)])
        object_key = np.concatenate([g.object_key for g in groups])
        part_key = np.concatenate([g.part_key for g in groups])
        order = np.lexsort((-part_key, -object_key))
        ids, counts = self._ids, np.zeros((actors, 2), np.int64)
        ids[:] = 0
        rows = zip(
            first[order].tolist(),
            last[order].tolist(),
            np.concatenate([g.radius for g in groups])[order].tolist(),
            np.concatenate([g.colours for g in groups])[order].tolist(),
            np.concatenate([g.actor for g in groups])[order].tolist(),
            np.concatenate([g.decal for g in groups])[order].tolist(),
            strict=True,
        )
        fill, circle = cv2.fillConvexPoly, cv2.circle
        before = -1
        for a, b, radius, colour, actor, decal in rows:
            if actor != before:
                if before >= 0:
                    counts[before, 0] = np.count_nonzero(ids == before + 1)
                before = actor
            if radius:
                centre = pixels[a].tolist()
                circle(image, centre, radius, colour, -1, cv2.LINE_AA, SHIFT)
                circle(ids, centre, radius, actor + 1, -1, cv2.LINE_8, SHIFT)
                continue
            polygon = pixels[a:b]
            fill(image, polygon, colour, cv2.LINE_AA, SHIFT)
            if not decal:
                fill(ids, polygon, actor + 1, cv2.LINE_8, SHIFT)
        if before >= 0:
            counts[before, 0] = np.count_nonzero(ids == before + 1)
        counts[:, 1] = np.bincount(ids.ravel(), minlength=actors + 1)[1 : actors + 1]
        return counts


_NO_FACES = Faces(
    pixels=np.zeros((0, 2), np.int32),
    first=np.zeros(0, np.int64),
    last=np.zeros(0, np.int64),
    radius=np.zeros(0, np.int32),
    colours=np.zeros((0, 3), np.uint8),
    actor=np.zeros(0, np.int64),
    decal=np.zeros(0, bool),
    object_key=np.zeros(0, np.float32),
    part_key=np.zeros(0, np.float32),
)


def _turned(direction: Floats, heading: float) -> Floats:
    """A world direction in camera coordinates."""
    cosine, sine = np.cos(heading), np.sin(heading)
    x, y, z = direction.tolist()
    return np.array([x * cosine + z * sine, y, z * cosine - x * sine], np.float32)


def _fixed(pixels: Floats) -> NDArray[np.int32]:
    """Pixels as fixed-point integers that OpenCV can draw, clamped far outside the picture."""
    return np.clip(pixels * (1 << SHIFT) - (1 << (SHIFT - 1)), -60_000, 60_000).astype(np.int32)

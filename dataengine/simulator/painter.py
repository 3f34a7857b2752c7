"""Paints frames: sky, ground, shadows, then every face from far to near, then glow, rain and noise.

A second buffer holds the number of the actor at each pixel. How many of an actor's pixels survive
what is painted over it is its visibility.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dataengine.simulator.camera import NEAR_M
from dataengine.simulator.faces import SHIFT, Faces, fixed, project
from dataengine.simulator.ground import GroundView
from dataengine.simulator.mesh import Floats
from dataengine.simulator.scene import Scene
from dataengine.simulator.stage import actors_of, props_of
from dataengine.simulator.truth import MIN_LABEL_HEIGHT, FrameTruth, judge, outline
from dataengine.simulator.weather import Weather

MARGIN_M = 2.5
"""How far the crown of a tree may reach beyond its footprint."""

Image = NDArray[np.uint8]


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
        shown = moved.near & outlines.drawn & self._in_view(moved.feet)
        self._shadows(image, moved.feet[shown], moved.batch.height[shown], sun)
        faces = Faces.join(
            [
                project(
                    stood, stood.near & self._in_view(stood.feet), camera, scene.light, sun, actors=False
                ),
                project(moved, shown, camera, scene.light, sun, actors=True),
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
        for polygon in fixed(pixels).reshape(len(corners), -1, 2):
            cv2.fillConvexPoly(mask, cv2.convexHull(polygon), 255, cv2.LINE_8, SHIFT)
        below = slice(self._ground.first, None)
        alpha = 0.58 if light.casts_shadows else 0.68
        cv2.copyTo(cv2.convertScaleAbs(image[below], alpha=alpha), mask[below], image[below])

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

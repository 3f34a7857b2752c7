"""What lies between the scene and the file: glow of lights, rain, the sensor's noise."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dataengine.simulator.camera import Camera
from dataengine.simulator.light import Light

Image = NDArray[np.uint8]
GLOW_SHRINK = 2
"""The glow of lights is painted at 1 / 2 ** GLOW_SHRINK of the picture's size."""


@cache
def _noise(height: int, width: int, deviation: float) -> tuple[Image, Image]:
    """White noise, what it adds and what it takes, 64 pixels larger than a picture; shared by clips."""
    rng = np.random.default_rng([61, height, width])
    tile = rng.standard_normal((height + 64, width + 64, 1), np.float32) * np.float32(deviation)
    plus, minus = (
        np.clip(np.rint(np.repeat(part, 3, axis=2)), 0, 255).astype(np.uint8) for part in (tile, -tile)
    )
    return plus, minus


class Weather:
    """Finishes the frames of one clip.

    Args:
        camera: The camera.
        light: The clip's light.
        rng: Draws each frame's rain and noise.
    """

    def __init__(self, camera: Camera, light: Light, rng: np.random.Generator) -> None:
        self._light, self._rng = light, rng
        self._height, self._width = camera.height, camera.width
        self._horizon = max(int(camera.horizon), 0)
        self._plus, self._minus = _noise(camera.height, camera.width, light.noise)

    @property
    def glows(self) -> bool:
        """Whether lights are seen with a halo."""
        return self._light.time_of_day != "day"

    def finish(self, image: Image, lights: list[tuple[NDArray[np.int32], list[int]]], shift: int) -> None:
        """Add glow, rain and noise to ``image`` in place.

        Args:
            image: ``[H, W, 3]`` RGB.
            lights: Polygon (fixed point) and colour of every light that is on.
            shift: Fractional bits of the polygons.
        """
        if lights:
            self._glow(image, lights, shift)
        if self._light.weather == "rain":
            self._rain(image)
        y, x = (int(v) for v in self._rng.integers(0, 64, 2))
        window = (slice(y, y + self._height), slice(x, x + self._width))
        cv2.add(image, self._plus[window], image)
        cv2.subtract(image, self._minus[window], image)

    def _glow(self, image: Image, lights: list[tuple[NDArray[np.int32], list[int]]], shift: int) -> None:
        """Halos, and streaks on a wet road. A light that something nearer hides shines no more."""
        size = (self._width >> GLOW_SHRINK, self._height >> GLOW_SHRINK)
        layer = np.zeros((size[1], size[0], 3), np.uint8)
        for polygon, colour in lights:
            x, y = (polygon.sum(0) // (len(polygon) << shift)).tolist()
            if 0 <= x < self._width and 0 <= y < self._height and abs(int(image[y, x, 0]) - colour[0]) < 25:
                cv2.fillConvexPoly(layer, polygon, colour, cv2.LINE_AA, shift + GLOW_SHRINK)
        halo = cv2.GaussianBlur(layer, (0, 0), 1.6)
        cv2.addWeighted(halo, 0.75, cv2.GaussianBlur(halo, (0, 0), 4.5), 0.9, 0, halo)
        if self._light.weather == "rain":
            wet = self._horizon >> GLOW_SHRINK
            streak = cv2.blur(layer, (1, 17), anchor=(0, 15))
            halo[wet:] = cv2.addWeighted(halo[wet:], 1.0, streak[wet:], 1.6, 0)
        cv2.add(image, cv2.resize(halo, (self._width, self._height), interpolation=cv2.INTER_LINEAR), image)

    def _rain(self, image: Image) -> None:
        """Streaks that fall past the lens."""
        number = 70
        start = self._rng.random((number, 2)) * (self._width, self._height)
        length = self._rng.uniform(4, 14, number) * self._width / 320
        slant = self._rng.normal(0.1, 0.05, number)
        lines = np.stack([start, start + np.column_stack([slant * length, length])], axis=1).astype(np.int32)
        layer = image.copy()
        tone = float(self._light.sky_low.mean()) * 0.5 + 110
        cv2.polylines(layer, list(lines), False, (tone, tone, tone), 1, cv2.LINE_AA)
        cv2.addWeighted(image, 0.72, layer, 0.28, 0, image)

"""What lies between the scene and the file: glow of lights, rain, the sensor's noise."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dataengine.simulator.camera import Camera
from dataengine.simulator.light import Light

Image = NDArray[np.uint8]
Lights = list[tuple[NDArray[np.int32], tuple[int, int, int]]]


@cache
def _noise(height: int, width: int) -> NDArray[np.int16]:
    """A tile of white noise, standard deviation 64; the same for all clips."""
    rng = np.random.default_rng([61, height, width])
    return (rng.standard_normal((height + 64, width + 64, 1), np.float32) * 64).astype(np.int16)


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
        tile = _noise(camera.height, camera.width).astype(np.float32) * (light.noise / 64)
        self._plus = np.clip(np.rint(np.repeat(tile, 3, axis=2)), 0, 255).astype(np.uint8)
        self._minus = np.clip(np.rint(np.repeat(-tile, 3, axis=2)), 0, 255).astype(np.uint8)

    def finish(self, image: Image, lights: Lights) -> None:
        """Add glow, rain and noise to ``image`` in place."""
        del lights
        if self._light.weather == "rain":
            self._rain(image)
        y, x = (int(v) for v in self._rng.integers(0, 64, 2))
        window = (slice(y, y + self._height), slice(x, x + self._width))
        cv2.add(image, self._plus[window], image)
        cv2.subtract(image, self._minus[window], image)

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

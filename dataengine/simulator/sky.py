"""Sky, clouds and the far skyline as a panorama that slides with the vehicle's heading."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dataengine.simulator.camera import Camera
from dataengine.simulator.light import Light

MARGIN_RAD = 0.8
"""How far a clip's heading may turn to either side before the panorama ends."""


@cache
def _clouds(width: int, height: int) -> NDArray[np.float32]:
    """Cloud cover 0..1, four octaves; stretched sideways; the same for all clips."""
    rng = np.random.default_rng([53, width, height])
    total = np.zeros((height, width), np.float32)
    for octave in range(4):
        cells = 2**octave
        noise = rng.standard_normal((3 * cells + 2, 7 * cells + 2), np.float32)
        total += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC) / (1.6**octave)
    return np.clip(total * 0.45 + 0.1, 0, 1)


class Sky:
    """The panorama of one clip."""

    def __init__(self, camera: Camera, light: Light, *, built_up: bool, rng: np.random.Generator) -> None:
        self._focal = camera.focal
        self._rows = min(max(int(np.ceil(camera.horizon)) + 1, 1), camera.height)
        self._margin = int(MARGIN_RAD * camera.focal)
        self._width = camera.width
        total = camera.width + 2 * self._margin
        ramp = np.linspace(0, 1, self._rows, dtype=np.float32)[:, None, None] ** 1.3
        panorama = np.repeat(light.sky_top * (1 - ramp) + light.sky_low * ramp, total, axis=1)
        cover = _clouds(2048, 256)
        top, side = int(rng.integers(0, 128)), int(rng.integers(0, 1024))
        patch = cover[top : top + 128, side : side + 1024]
        patch = cv2.resize(patch, (total, self._rows), interpolation=cv2.INTER_LINEAR)
        strength = {"clear": 0.75, "rain": 0.45, "fog": 0.1}[light.weather] * float(rng.uniform(0.4, 1.0))
        bright = light.sky_low * 0.5 + np.float32(0.5) * {"day": 250.0, "dusk": 150.0, "night": 24.0}[light.time_of_day]
        if light.weather == "rain":
            bright = light.sky_top * np.float32(0.8)
        cloud = (patch * (1 - ramp[:, :, 0] * 0.6) * strength)[..., None]
        panorama = panorama * (1 - cloud) + bright * cloud
        self._skyline(panorama, camera, light, built_up=built_up, rng=rng)
        if light.time_of_day == "night" and light.weather == "clear":
            stars = rng.integers(0, [max(self._rows // 2, 1), total], (40, 2))
            panorama[stars[:, 0], stars[:, 1]] += 70
        self.panorama = np.clip(panorama, 0, 255).astype(np.uint8)

    def _skyline(
        self, panorama: NDArray[np.float32], camera: Camera, light: Light, *, built_up: bool, rng: np.random.Generator
    ) -> None:
        """Hills or roofs in the distance, faded into the haze."""
        total, scale = panorama.shape[1], camera.width / 320
        columns = np.arange(total)
        for height, fade in ((13.0, 0.72), (8.0, 0.55)):
            phase = rng.uniform(0, 6.28, 3)
            ridge = height * scale * (0.6 + 0.25 * np.sin(columns / (61.0 * scale) + phase[0]) + 0.15 * np.sin(columns / (23.0 * scale) + phase[1]))
            if built_up:
                block = rng.uniform(0.3, 1.5, total // max(int(9 * scale), 1) + 2)
                ridge = height * scale * block[columns // max(int(9 * scale), 1)]
            green = np.array([58, 74, 60] if not built_up else [96, 98, 106], np.float32) * (light.ambient + 0.4 * light.sun)
            colour = green * (1 - fade) + light.haze * fade
            if light.weather == "fog":
                colour = light.haze
            base = camera.horizon
            first = max(int(base - ridge.max()), 0)
            rows = np.arange(first, self._rows)[:, None]
            panorama[first:][rows > base - ridge[None]] = colour

    def draw(self, image: NDArray[np.uint8], heading: float) -> None:
        """Fill the rows above the horizon for a heading relative to the clip's start, left positive."""
        shift = self._margin - round(heading * self._focal)
        shift = min(max(shift, 0), 2 * self._margin)
        image[: self._rows] = self.panorama[:, shift : shift + self._width]

"""Sky, clouds and the far skyline as a panorama that slides with the vehicle's heading."""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dataengine.simulator.camera import Camera
from dataengine.simulator.light import Light
from dataengine.simulator.mesh import Floats

MARGIN_RAD = 0.8
"""How far a clip's heading may turn to either side before the panorama ends."""


@cache
def _cover(width: int, height: int) -> Floats:
    """Cloud cover 0..1, four octaves; stretched sideways; the same for all clips."""
    rng = np.random.default_rng([53, width, height])
    total = np.zeros((height, width), np.float32)
    for octave in range(4):
        cells = 2**octave
        noise = rng.standard_normal((3 * cells + 2, 7 * cells + 2), np.float32)
        total += _stretched(noise, width, height, cv2.INTER_CUBIC) / np.float32(1.6**octave)
    return np.asarray(np.clip(total * 0.45 + 0.1, 0, 1), np.float32)


def _stretched(values: Floats, width: int, height: int, how: int) -> Floats:
    return np.asarray(cv2.resize(values, (width, height), interpolation=how), np.float32)


class Sky:
    """The panorama of one clip.

    Args:
        camera: The clip's camera.
        light: The clip's light.
        built_up: Whether roofs rather than hills stand on the horizon.
        rng: For clouds, skyline and stars.
    """

    def __init__(self, camera: Camera, light: Light, *, built_up: bool, rng: np.random.Generator) -> None:
        self._focal = camera.focal
        self._rows = min(max(math.ceil(camera.horizon) + 1, 1), camera.height)
        self._margin = int(MARGIN_RAD * camera.focal)
        self._width = camera.width
        total = camera.width + 2 * self._margin
        ramp = (np.linspace(0, 1, self._rows) ** 1.3).astype(np.float32)[:, None]
        panorama = np.repeat((light.sky_top * (1 - ramp) + light.sky_low * ramp)[:, None], total, axis=1)
        cloud, tone = self._clouds(total, ramp, light, rng)
        panorama += (tone - panorama) * cloud
        self._skyline(panorama, camera, light, built_up=built_up, rng=rng)
        if light.time_of_day == "night" and light.weather == "clear":
            stars = rng.integers(0, [max(self._rows // 2, 1), total], (40, 2))
            panorama[stars[:, 0], stars[:, 1]] += 70
        self.panorama = np.clip(panorama, 0, 255).astype(np.uint8)

    def _clouds(
        self, total: int, ramp: Floats, light: Light, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Cover ``[rows, total, 1]`` in 0..1, thinner towards the horizon, and the clouds' RGB."""
        top, side = int(rng.integers(0, 128)), int(rng.integers(0, 1024))
        patch = _cover(2048, 256)[top : top + 128, side : side + 1024]
        strength = {"clear": 0.75, "rain": 0.45, "fog": 0.1}[light.weather] * rng.uniform(0.4, 1.0)
        cover = _stretched(patch, total, self._rows, cv2.INTER_LINEAR) * (1 - ramp * np.float32(0.6))
        lit = {"day": 250.0, "dusk": 150.0, "night": 24.0}[light.time_of_day]
        tone = light.sky_top * 0.8 if light.weather == "rain" else light.sky_low * 0.5 + lit * 0.5
        return (cover * np.float32(strength))[..., None], tone.astype(np.float32)

    def _skyline(
        self,
        panorama: NDArray[np.float32],
        camera: Camera,
        light: Light,
        *,
        built_up: bool,
        rng: np.random.Generator,
    ) -> None:
        """Hills or roofs in the distance, two rows, faded into the haze."""
        scale = camera.width / 320
        columns = np.arange(panorama.shape[1])
        albedo = np.array([96, 98, 106] if built_up else [58, 74, 60], np.float32)
        for height, fade in ((13.0, 0.72), (8.0, 0.55)):
            if built_up:
                roof = max(int(9 * scale), 1)
                profile = rng.uniform(0.3, 1.5, len(columns) // roof + 1)[columns // roof]
            else:
                long, short = rng.uniform(0, 6.28, 2)
                profile = 0.6 + 0.25 * np.sin(columns / (61 * scale) + long)
                profile += 0.15 * np.sin(columns / (23 * scale) + short)
            ridge = height * scale * profile
            colour = albedo * (light.ambient + 0.4 * light.sun) * (1 - fade) + light.haze * fade
            first = max(int(camera.horizon - ridge.max()), 0)
            rows = np.arange(first, self._rows)[:, None]
            behind = light.haze if light.weather == "fog" else colour
            panorama[first:][rows > camera.horizon - ridge] = behind

    def draw(self, image: NDArray[np.uint8], heading: float) -> None:
        """Fill the rows above the horizon for a heading relative to the clip's start, left positive."""
        shift = self._margin - round(heading * self._focal)
        shift = min(max(shift, 0), 2 * self._margin)
        image[: self._rows] = self.panorama[:, shift : shift + self._width]

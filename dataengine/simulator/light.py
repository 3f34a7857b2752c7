"""Time of day and weather as light: sun, sky, headlights, fog, and what they do to colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataengine.simulator.mesh import Floats

TIMES_OF_DAY = ("day", "dusk", "night")
WEATHERS = ("clear", "rain", "fog")


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """How a clip is lit.

    Attributes:
        time_of_day: ``day``, ``dusk`` or ``night``.
        weather: ``clear``, ``rain`` or ``fog``.
        ambient: RGB gain of surfaces in the shade.
        sun: RGB gain added where a surface faces the sun; zero under clouds.
        sun_direction: Unit vector towards the sun in world coordinates ``(x, y, z)``.
        sky_top: RGB 0..255 at the top of the picture.
        sky_low: RGB 0..255 at the horizon.
        haze: RGB 0..255 that distance fades into.
        haze_length_m: Distance over which contrast falls to 1/e.
        headlight: Gain of the ego vehicle's headlights, 0 when they are off.
        lit: Whether lamps, windows and other vehicles' lights are on.
        noise: Standard deviation of the sensor's noise in grey levels.
    """

    time_of_day: str
    weather: str
    ambient: Floats
    sun: Floats
    sun_direction: Floats
    sky_top: Floats
    sky_low: Floats
    haze: Floats
    haze_length_m: float
    headlight: float
    lit: bool
    noise: float

    @classmethod
    def sample(cls, rng: np.random.Generator, time_of_day: str, weather: str) -> Light:
        """Light for given conditions, with some spread."""
        level, warmth, top, low = {
            "day": (0.60, (1.0, 1.0, 1.04), (96, 146, 206), (196, 214, 228)),
            "dusk": (0.40, (1.02, 0.92, 1.06), (70, 76, 122), (236, 158, 104)),
            "night": (0.185, (0.88, 0.94, 1.18), (10, 14, 26), (40, 40, 52)),
        }[time_of_day]
        sun_gain = {"day": (0.62, 0.58, 0.50), "dusk": (0.42, 0.25, 0.12), "night": (0.0, 0.0, 0.0)}[
            time_of_day
        ]
        level *= float(rng.uniform(0.9, 1.1))
        elevation = rng.uniform(0.55, 1.0) if time_of_day == "day" else rng.uniform(0.15, 0.3)
        azimuth = rng.uniform(-np.pi, np.pi)
        direction = np.array(
            [np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)],
            np.float32,
        )
        sky_top, sky_low = np.array(top, np.float32), np.array(low, np.float32)
        sun, length = (
            np.array(sun_gain, np.float32),
            {"day": 260.0, "dusk": 200.0, "night": 220.0}[time_of_day],
        )
        if weather != "clear":
            grey = {"day": 176.0, "dusk": 104.0, "night": 30.0}[time_of_day]
            tint = np.array([0.97, 1.0, 1.04], np.float32) * grey
            mix = 0.85 if weather == "fog" else 0.75
            sky_top = sky_top * (1 - mix) + tint * mix * (0.98 if weather == "fog" else 0.78)
            sky_low = sky_low * (1 - mix) + tint * mix
            sun, level = sun * 0.08, level * (1.12 if weather == "fog" else 1.0)
            length = float(rng.uniform(30, 42)) if weather == "fog" else 110.0
        return cls(
            time_of_day=time_of_day,
            weather=weather,
            ambient=np.array(warmth, np.float32) * np.float32(level),
            sun=sun,
            sun_direction=direction,
            sky_top=sky_top,
            sky_low=sky_low,
            haze=sky_low * np.float32(0.96),
            haze_length_m=length,
            headlight={"day": 0.0, "dusk": 0.22, "night": 0.85}[time_of_day],
            lit=time_of_day != "day" or weather != "clear",
            noise={"day": 0.8, "dusk": 1.6, "night": 2.6}[time_of_day],
        )

    @property
    def casts_shadows(self) -> bool:
        """Whether the sun throws shadows."""
        return bool(self.sun.max() > 0.1)

    def beam(self, x: NDArray[np.float32], ahead: NDArray[np.float32]) -> NDArray[np.float32]:
        """Gain of the headlights at camera coordinates ``x``, ``ahead`` in metres; broadcasts."""
        reach = np.maximum(ahead, 0.5)
        spread = 1.4 + 0.34 * reach
        gain = self.headlight * np.exp(-((x / spread) ** 2)) / (1 + (reach / 26) ** 2)
        return np.asarray(gain, np.float32)

    def transmittance(self, distance: NDArray[np.float32]) -> NDArray[np.float32]:
        """Share of contrast left at a distance in metres, 0..1 (Beer-Lambert)."""
        return np.asarray(np.exp(-distance / self.haze_length_m), np.float32)

    def shade(
        self,
        albedo: Floats,
        facing: Floats,
        upward: Floats,
        glow: Floats,
        positions: Floats,
        distance: Floats,
    ) -> NDArray[np.uint8]:
        """Colours of faces as the camera sees them.

        Args:
            albedo: ``[F, 3]`` RGB 0..255.
            facing: ``[F]`` cosine between a face's normal and the sun.
            upward: ``[F]`` the normal's upward component.
            glow: ``[F]`` 0..1.
            positions: ``[F, 3]`` camera coordinates.
            distance: ``[F]`` metres.

        Returns:
            ``[F, 3]`` RGB.
        """
        gain = self.ambient * (0.86 + 0.14 * upward)[:, None] + self.sun * np.maximum(facing, 0)[:, None]
        if self.headlight:
            gain += self.beam(positions[:, 0], positions[:, 2])[:, None]
        own = glow[:, None]
        seen = albedo * (gain * (1 - own) + own)
        through = self.transmittance(distance)[:, None]
        through = through + (1 - through) * own * 0.35
        return np.clip(seen * through + self.haze * (1 - through), 0, 255).astype(np.uint8)

"""The road as a line of varying curvature, and the vehicle that follows it.

World coordinates are ``(x, z)`` on a flat ground, in metres; at the start of a clip the road runs
along ``+z``. A place beside the road is ``(s, d)``: arc length along the middle of the ego lane, and
offset to its right. Headings and yaw rates are positive to the left, as in ISO 8855.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEP_M = 0.5
BEHIND_M = 30.0


class Road:
    """A line integrated from its curvature.

    Args:
        curvature: ``[N]`` 1/m every ``STEP_M`` metres, from ``-BEHIND_M`` on; positive to the left.
    """

    def __init__(self, curvature: NDArray[np.float64]) -> None:
        self.curvature = curvature
        self.s = np.arange(len(curvature)) * STEP_M - BEHIND_M
        middle = (curvature[1:] + curvature[:-1]) / 2
        heading = np.concatenate([[0.0], np.cumsum(middle * STEP_M)])
        self.heading = heading - np.interp(0.0, self.s, heading)
        between = (self.heading[1:] + self.heading[:-1]) / 2
        x = np.concatenate([[0.0], np.cumsum(-np.sin(between) * STEP_M)])
        z = np.concatenate([[0.0], np.cumsum(np.cos(between) * STEP_M)])
        self.x = x - np.interp(0.0, self.s, x)
        self.z = z - np.interp(0.0, self.s, z)

    @classmethod
    def sample(cls, rng: np.random.Generator, length_m: float, *, curved: bool) -> Road:
        """A road of ``length_m`` metres ahead: bends with a radius of 90 m and more, or nearly none."""
        number = int((length_m + BEHIND_M) / STEP_M) + 2
        s = np.arange(number) * STEP_M
        strength = rng.uniform(1 / 160, 1 / 90) if curved else rng.uniform(0, 1 / 2500)
        sign = rng.choice([-1.0, 1.0])
        wave, phase = rng.uniform(140, 260), rng.uniform(-0.5, 0.5)
        return cls(sign * strength * np.cos(2 * np.pi * (s - BEHIND_M - 25) / wave + phase))

    def pose(
        self, s: NDArray[np.float64], d: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """World ``x``, ``z`` and the road's heading at the places ``(s, d)``."""
        heading = np.interp(s, self.s, self.heading)
        x = np.interp(s, self.s, self.x) + d * np.cos(heading)
        z = np.interp(s, self.s, self.z) + d * np.sin(heading)
        return x, z, heading

    def ahead(
        self, s: float, distance: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Where the road is at given distances straight ahead of a vehicle at ``(s, 0)``.

        Args:
            s: Arc length of the vehicle.
            distance: ``[N]`` metres along the vehicle's forward axis.

        Returns:
            Arc length, offset to the right of the vehicle's axis, and heading relative to the vehicle,
            each ``[N]``. Beyond the last known point the road goes on straight.
        """
        x0, z0, heading = (np.interp(s, self.s, values) for values in (self.x, self.z, self.heading))
        dx, dz = self.x - x0, self.z - z0
        forward = -dx * np.sin(heading) + dz * np.cos(heading)
        right = dx * np.cos(heading) + dz * np.sin(heading)
        start = int(np.searchsorted(self.s, s))
        forward, right = forward[start:], right[start:]
        turned = (self.heading - heading)[start:]
        rising = np.maximum.accumulate(forward)
        arc = np.interp(distance, rising, self.s[start:])
        offset = np.interp(distance, rising, right)
        relative = np.interp(distance, rising, turned)
        beyond = np.maximum(distance - rising[-1], 0)
        return (
            (arc + beyond).astype(np.float32),
            (offset - beyond * np.tan(relative)).astype(np.float32),
            relative.astype(np.float32),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ego:
    """The recording vehicle's motion, one value a frame.

    Attributes:
        time_s: ``[F]`` seconds from the clip's start.
        s: ``[F]`` metres driven since the clip's start.
        speed_mps: ``[F]``, positive.
        acceleration_mps2: ``[F]``, the speed's derivative.
        yaw_rate_radps: ``[F]``, curvature times speed; positive to the left.
    """

    time_s: NDArray[np.float64]
    s: NDArray[np.float64]
    speed_mps: NDArray[np.float64]
    acceleration_mps2: NDArray[np.float64]
    yaw_rate_radps: NDArray[np.float64]

    @classmethod
    def sample(
        cls, rng: np.random.Generator, road: Road, *, frames: int, fps: float, cruise_mps: float
    ) -> Ego:
        """Drive along ``road`` at about ``cruise_mps``; one clip in ten brakes hard.

        The speed is a sum of cosines, so that distance and acceleration follow in closed form.
        """
        time = np.arange(frames) / fps
        speed = np.full(frames, cruise_mps)
        distance = cruise_mps * time
        acceleration = np.zeros(frames)
        waves = [(0.10, rng.uniform(7, 12)), (0.04, rng.uniform(3, 5))]
        if rng.random() < 0.1:
            waves.append((0.28, 4.0))
        for share, period in waves:
            size, rate, phase = share * cruise_mps, 2 * np.pi / period, rng.uniform(0, 2 * np.pi)
            speed = speed + size * np.cos(rate * time + phase)
            distance = distance + size / rate * (np.sin(rate * time + phase) - np.sin(phase))
            acceleration = acceleration - size * rate * np.sin(rate * time + phase)
        return cls(
            time_s=time,
            s=distance,
            speed_mps=speed,
            acceleration_mps2=acceleration,
            yaw_rate_radps=speed * np.interp(distance, road.s, road.curvature),
        )

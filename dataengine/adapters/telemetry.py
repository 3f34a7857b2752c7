"""Telemetry: named signals, each on its own clock, and their values at the times of frames."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from dataengine.errors import InputError


class Between(Enum):
    """What a signal is between two of its measurements."""

    linear = "linear"
    """Interpolated: speeds, positions, joint states."""
    previous = "previous"
    """The last one that was measured: switches, gears, commands that hold until the next."""
    degrees = "degrees"
    """Interpolated along the shorter arc of a circle of 360: headings. Values come out in 0..360."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One measured quantity.

    Attributes:
        time_s: ``[N]`` float64, never falling, since the clip's start.
        values: ``[N]`` or ``[N, D]`` float64; NaN where a measurement failed.
        between: How to read it between two measurements.
    """

    time_s: NDArray[np.float64]
    values: NDArray[np.float64]
    between: Between = Between.linear

    def __post_init__(self) -> None:
        if self.time_s.ndim != 1 or len(self.time_s) != len(self.values):
            raise InputError(f"{len(self.values)} measurements at {len(self.time_s)} times")
        if not np.isfinite(self.time_s).all():
            raise InputError("a time of a measurement is not a number")
        if (np.diff(self.time_s) < 0).any():
            raise InputError("times of measurements go backwards")

    def at(self, times: NDArray[np.float64], max_gap_s: float) -> NDArray[np.float64]:
        """``[F]`` or ``[F, D]`` values at some times; NaN where nothing was measured close enough.

        A time is answered where the measurements around it lie at most ``max_gap_s`` apart, or, before
        the first and after the last, where that one is at most half of ``max_gap_s`` away: cameras
        and loggers do not start together.
        """
        columns = self.values.reshape(len(self.values), math.prod(self.values.shape[1:]))
        measured = np.isfinite(columns).all(1)
        known, columns = self.time_s[measured], columns[measured]
        shape = (len(times), *self.values.shape[1:])
        if not len(known):
            return np.full(shape, np.nan)
        after = np.searchsorted(known, times, side="right")
        left, right = (after - 1).clip(0), after.clip(max=len(known) - 1)
        inside = (after > 0) & (after < len(known))
        span = np.where(inside & (times > known[left]), known[right] - known[left], 0.0)
        outside = np.where(inside, 0.0, np.minimum(np.abs(times - known[left]), np.abs(times - known[right])))
        answered = (span <= max_gap_s + 1e-9) & (outside <= max_gap_s / 2 + 1e-9)
        share = np.where(span > 0, (times - known[left]) / np.where(span > 0, span, 1.0), 0.0).clip(0, 1)
        found = _between(self.between, columns[left], columns[right], share[:, None])
        found[~answered] = np.nan
        return found.reshape(shape)


def _between(
    how: Between, left: NDArray[np.float64], right: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    if how is Between.previous:
        return left.copy()
    if how is Between.degrees:
        turn = (right - left + 180.0) % 360.0 - 180.0
        return np.asarray((left + share * turn) % 360.0)
    return np.asarray(left + share * (right - left))


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """What a vehicle or robot measured, by name; the unit is in the name.

    Three names have columns of their own in the frames table: ``speed_mps`` (forward), ``yaw_rate_radps``
    (turning to the left is positive) and ``acceleration_mps2`` (forward; braking is negative). The
    others go to the telemetry table under their names: ``latitude_deg``, ``longitude_deg``,
    ``altitude_m``, ``heading_deg`` (clockwise from north), ``steering_angle_deg`` (left is positive),
    ``brake``, ``observation.state``, ``action``.
    """

    signals: Mapping[str, Signal] = field(default_factory=dict)

    @classmethod
    def on_one_clock(
        cls, time_s: NDArray[np.float64], values: Mapping[str, NDArray[np.float64]]
    ) -> Telemetry:
        """Signals that were all measured at the same times, read linearly between them."""
        return cls(signals={name: Signal(time_s=time_s, values=column) for name, column in values.items()})

"""The signals of a comma2k19 segment, on the clock of its video.

Signs and axes were checked on the published example: the gyroscope's third axis points down, so turning
to the left is negative there; the steering angle is positive to the left. The accelerometer's first
axis carries 0.6 m/s^2 of gravity from the mount's pitch, so acceleration is taken from the speed.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dataengine.adapters.arrays import in_time_order
from dataengine.adapters.comma2k19.layout import (
    ACCELEROMETER,
    GNSS,
    GYRO,
    ORIENTATIONS,
    POSITIONS,
    SPEED,
    STEERING,
    VELOCITIES,
    WHEELS,
)
from dataengine.adapters.comma2k19.pose import forward_axis, geodetic, heading_deg
from dataengine.adapters.telemetry import Between, Signal

Floats = NDArray[np.float64]

_Logs = Mapping[str, tuple[Floats, Floats]]
"""Times and values by name."""

_GNSS_COLUMNS = {
    "gnss_latitude_deg": 0,
    "gnss_longitude_deg": 1,
    "gnss_speed_mps": 2,
    "gnss_altitude_m": 4,
    "gnss_heading_deg": 5,
}

_HALF_WINDOW_S = 0.25
"""CAN speeds come in steps of 0.028 m/s at 83 Hz: over half a second a step is 0.06 m/s^2."""


def signals(
    frame_times: Floats, poses: Mapping[str, Floats], logs: Mapping[str, tuple[Floats, Floats]]
) -> dict[str, Signal]:
    """Signals by name.

    Args:
        frame_times: ``[N]`` seconds since the device's boot; the first one is the clip's start.
        poses: ``[N, D]`` arrays by name, a row for each frame.
        logs: ``[M]`` boot times and ``[M, D]`` values by name.
    """
    known = {name: in_time_order(*log) for name, log in logs.items()}
    found = {**_of_car(frame_times, poses, known), **_of_phone(known), **_of_pose(frame_times, poses)}
    return {
        name: Signal(
            time_s=time_s - frame_times[0],
            values=values,
            between=Between.degrees if name.endswith("heading_deg") else Between.linear,
        )
        for name, (time_s, values) in found.items()
    }


def _of_car(frame_times: Floats, poses: Mapping[str, Floats], logs: _Logs) -> _Logs:
    found = {}
    if STEERING in logs:
        found["steering_angle_deg"] = _column(logs[STEERING], 0)
    if WHEELS in logs:
        found["wheel_speeds_mps"] = logs[WHEELS]
    if SPEED in logs:
        found["speed_mps"] = _column(logs[SPEED], 0)
    elif VELOCITIES in poses:
        with np.errstate(invalid="ignore", over="ignore"):
            found["speed_mps"] = (frame_times, np.linalg.norm(poses[VELOCITIES], axis=1))
    if "speed_mps" in found:
        time_s, speeds = found["speed_mps"]
        found["acceleration_mps2"] = (time_s, slope(time_s, speeds))
    return found


def _of_phone(logs: _Logs) -> _Logs:
    found = {}
    if ACCELEROMETER in logs:
        found["accelerometer_mps2"] = logs[ACCELEROMETER]
    if GYRO in logs:
        found["gyro_radps"] = logs[GYRO]
        time_s, down = _column(logs[GYRO], 2)
        found["yaw_rate_radps"] = (time_s, -down)
    for receiver in GNSS:
        if receiver in logs:
            found |= {name: _column(logs[receiver], column) for name, column in _GNSS_COLUMNS.items()}
    return found


def _of_pose(frame_times: Floats, poses: Mapping[str, Floats]) -> _Logs:
    if POSITIONS not in poses:
        return {}
    latitude, longitude, altitude = geodetic(poses[POSITIONS])
    columns = {"latitude_deg": latitude, "longitude_deg": longitude, "altitude_m": altitude}
    if ORIENTATIONS in poses:
        columns["heading_deg"] = heading_deg(forward_axis(poses[ORIENTATIONS]), latitude, longitude)
    return {name: (frame_times, column) for name, column in columns.items()}


def _column(log: tuple[Floats, Floats], column: int) -> tuple[Floats, Floats]:
    return log[0], log[1][:, column]


def slope(time_s: Floats, values: Floats) -> Floats:
    """``[N]`` rate of change over half a second around each measurement; NaN where there is but one.

    Args:
        time_s: ``[N]`` seconds, never falling.
        values: ``[N]``.
    """
    if not len(time_s):
        return np.zeros(0)
    before = np.maximum(time_s - _HALF_WINDOW_S, time_s[0])
    after = np.minimum(time_s + _HALF_WINDOW_S, time_s[-1])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return np.asarray(
            (np.interp(after, time_s, values) - np.interp(before, time_s, values)) / (after - before)
        )

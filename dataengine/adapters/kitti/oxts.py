"""KITTI's GPS and inertial measurements (``oxts``), and the projection of its cameras (``calib``).

A line of oxts belongs to the frame of its number, at 10 Hz: ``lat lon alt roll pitch yaw vn ve vf vl vu
ax ay az af al au wx wy wz wf wl wu pos_accuracy vel_accuracy navstat numsats posmode velmode orimode``
(degrees, m, rad, m/s, m/s², rad/s; f, l, u are the vehicle's forward, left and up; readme of the raw-data
devkit).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dataengine.adapters.telemetry import Between, Signal
from dataengine.errors import InputError

RATE = 10.0
"""Frames, and lines of oxts, per second."""

NUM_VALUES = 30
_COLUMNS = {
    "latitude_deg": 0,
    "longitude_deg": 1,
    "altitude_m": 2,
    "roll_rad": 3,
    "pitch_rad": 4,
    "leftward_acceleration_mps2": 15,
    "acceleration_mps2": 14,
    "yaw_rate_radps": 22,
    "position_accuracy_m": 23,
    "velocity_accuracy_mps": 24,
}


def read_oxts(path: Path, start_s: float) -> dict[str, Signal]:
    """Signals of a sequence, since ``start_s`` seconds after its first line.

    ``speed_mps`` is ``hypot(vf, vl)``, ``acceleration_mps2`` forward, ``yaw_rate_radps`` about the vehicle's
    upward axis; ``heading_deg`` is ``90 - yaw``, as yaw counts from east against the clock. Besides:
    ``latitude_deg``, ``longitude_deg``, ``altitude_m``, ``roll_rad``, ``pitch_rad``,
    ``leftward_acceleration_mps2``, ``position_accuracy_m``, ``velocity_accuracy_mps`` and ``num_satellites``.

    Raises:
        InputError: The file cannot be read, or a line of it is damaged; the message says which.
    """
    rows = []
    for number, line in enumerate(_read(path).rstrip().split("\n"), 1):
        rows.append(_floats(line.split(), f"line {number}", NUM_VALUES))
    table = np.array(rows, np.float64)
    time_s = np.arange(len(table)) / RATE - start_s
    columns = {name: table[:, index] for name, index in _COLUMNS.items()}
    with np.errstate(all="ignore"):  # what is no number stays none
        columns["speed_mps"] = np.hypot(table[:, 8], table[:, 9])
        heading = (90.0 - np.degrees(table[:, 5])) % 360.0
    signals = {name: Signal(time_s=time_s, values=values) for name, values in columns.items()}
    signals["heading_deg"] = Signal(time_s=time_s, values=heading, between=Between.degrees)
    signals["num_satellites"] = Signal(time_s=time_s, values=table[:, 26], between=Between.previous)
    return signals


def read_projection(path: Path, camera: str) -> NDArray[np.float64]:
    """``[12]`` projection of a camera (``image_02`` is ``P2``): rows of 3x4, from rectified metres to pixels.

    Raises:
        InputError: The file cannot be read, or does not hold that projection.
    """
    wanted = f"P{int(camera[-2:])}"
    for line in _read(path).split("\n"):
        name, *values = line.split() or [""]
        if name.rstrip(":") == wanted:
            return np.array(_floats(values, wanted, 12), np.float64)
    raise InputError(f"no line {wanted}")


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError("no text") from error
    if not text.strip():
        raise InputError("empty file")
    return text


def _floats(fields: list[str], where: str, number: int) -> list[float]:
    try:
        values = [float(field) for field in fields]
    except ValueError as error:
        raise InputError(f"{where} holds something else than numbers") from error
    if len(values) != number:
        raise InputError(f"{where} has {len(values)} values; {number} are needed")
    return values

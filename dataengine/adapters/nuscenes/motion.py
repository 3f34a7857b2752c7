"""How the vehicle of a nuScenes scene moved: its ego poses, and the CAN bus expansion where it is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dataengine.adapters.base import BrokenFileError
from dataengine.adapters.nuscenes.records import microseconds, number, numbers, read
from dataengine.adapters.nuscenes.scenes import Poses
from dataengine.adapters.rigid import Array, motion, rotations
from dataengine.adapters.telemetry import Signal, Telemetry
from dataengine.errors import InputError

MESSAGES = ("pose", "steeranglefeedback", "vehicle_monitor")
"""The messages that are read; the IMU's and the wheels' repeat them at other rates."""

_KMH, _FULL_BRAKE, _FULL_THROTTLE = 3.6, 126.0, 1000.0


def can_file(scene: str, message: str) -> str:
    """Path of a scene's messages, as published (the README prints underscores instead of the dash)."""
    return f"can_bus/{scene}_{message}.json"


def from_poses(poses: Poses, start_us: int) -> Telemetry | None:
    """Speed, yaw rate and acceleration from ego poses; ``None`` for fewer than two usable ones."""
    order = np.argsort(poses.time_us, kind="stable")
    nose = rotations(poses.quaternion)[:, :, 0]
    return motion((poses.time_us[order] - start_us) / 1e6, poses.position[order], nose[order])


def from_can(root: Path, files: Mapping[str, str], start_us: int) -> dict[str, Signal]:
    """Signals of the CAN bus expansion, by name.

    Args:
        root: The dataset's root.
        files: Message -> path below the root, of those messages that are there.
        start_us: When the clip starts.

    Returns:
        ``pose`` gives ``speed_mps``, ``yaw_rate_radps`` and ``acceleration_mps2`` at 50 Hz;
        ``steeranglefeedback`` gives ``steering_angle_deg`` of the wheel (left is positive, as the devkit's
        README has it; one of its versions has the opposite); ``vehicle_monitor`` gives, at 2 Hz,
        ``wheel_speed_mps`` (published in km/h) and ``brake`` and ``throttle`` as shares of their full
        scales (126 bar, 1000).

    Raises:
        BrokenFileError: A file is no list of such messages.
    """
    signals: dict[str, Signal] = {}
    for message, name in files.items():
        rows = sorted(read(root, name, lambda r, message=message: _row(message, r)))  # type: ignore[misc]
        if not rows:
            continue
        table = np.array(rows, np.float64)
        try:
            signals |= _signals(message, (table[:, 0] - start_us) / 1e6, table[:, 1:])
        except InputError as error:
            raise BrokenFileError(name, str(error)) from error
    return signals


def _row(message: str, record: dict[str, Any]) -> list[float]:
    when = microseconds(record, "utime")
    if message == "pose":
        vectors = [numbers(record, key, 3) for key in ("vel", "rotation_rate", "accel")]
        return [when, vectors[0][0], vectors[1][2], vectors[2][0]]
    if message == "steeranglefeedback":
        return [when, number(record["value"])]
    return [when, *(number(record[key]) for key in ("vehicle_speed", "brake", "throttle"))]


def _signals(message: str, time_s: Array, values: Array) -> dict[str, Signal]:
    names = {
        "pose": ("speed_mps", "yaw_rate_radps", "acceleration_mps2"),
        "steeranglefeedback": ("steering_angle_deg",),
        "vehicle_monitor": ("wheel_speed_mps", "brake", "throttle"),
    }[message]
    units = {
        "steering_angle_deg": 180 / np.pi,
        "wheel_speed_mps": 1 / _KMH,
        "brake": 1 / _FULL_BRAKE,
        "throttle": 1 / _FULL_THROTTLE,
    }
    return {
        name: Signal(time_s=time_s, values=values[:, at] * units.get(name, 1.0))
        for at, name in enumerate(names)
    }

"""How the vehicle of a Waymo segment moved: velocities beside the images, or poses in their own component."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine.adapters.rigid import bounded, motion, yaw_rate
from dataengine.adapters.telemetry import Telemetry
from dataengine.adapters.waymo.tables import SEGMENT, TIME, columns, has_columns

_TRANSFORM = pa.list_(pa.float64(), 16)
"""A 4x4 matrix by rows, from the vehicle's frame (x ahead, y left, z up) to the global one."""
_POSE = "[CameraImageComponent].pose.transform"
_VELOCITY = tuple(f"[CameraImageComponent].velocity.linear_velocity.{axis}" for axis in "xyz")
_MEASURED = {_POSE: _TRANSFORM, **dict.fromkeys(_VELOCITY, pa.float64())}
_VEHICLE_POSE = "[VehiclePoseComponent].world_from_vehicle.transform"


def publishes_velocity(root: Path, images: str) -> bool:
    """Whether a ``camera_image`` file has velocities and poses."""
    return has_columns(root, images, _MEASURED)


def from_velocity(
    root: Path, images: str, times_us: NDArray[np.int64], rows: NDArray[np.int64]
) -> Telemetry | None:
    """Motion from the velocity (m/s in the global frame) that stands beside each image.

    Args:
        root: The dataset's root.
        images: Path of the ``camera_image`` file below it.
        times_us: ``[F]`` times of one camera's images.
        rows: ``[F]`` their rows.

    Returns:
        The speed is the velocity along the vehicle's nose; ``None`` for fewer than two that are finite.
    """
    table = columns(root, images, _MEASURED)
    velocity = bounded(np.stack([table[column] for column in _VELOCITY], 1)[rows])
    nose = bounded(table[_POSE].reshape(-1, 4, 4)[rows, :3, 0])
    known = np.isfinite(velocity).all(1) & np.isfinite(nose).all(1)
    if known.sum() < 2:
        return None
    time_s = (times_us[known] - times_us[0]) / 1e6
    speed = (velocity[known] * nose[known]).sum(1)
    signals = {
        "speed_mps": speed,
        "yaw_rate_radps": yaw_rate(time_s, nose[known]),
        "acceleration_mps2": np.asarray(np.gradient(speed, time_s)),
    }
    return Telemetry.on_one_clock(time_s, signals)


def from_poses(root: Path, poses: str, segment: str, start_us: int) -> Telemetry | None:
    """Motion from differences of the poses of one segment, in a ``vehicle_pose`` file."""
    wanted = {SEGMENT: pa.string(), TIME: pa.int64(), _VEHICLE_POSE: _TRANSFORM}
    table = columns(root, poses, wanted)
    rows = np.flatnonzero(table[SEGMENT] == segment)
    rows = rows[np.argsort(table[TIME][rows], kind="stable")]
    pose = table[_VEHICLE_POSE][rows].reshape(-1, 4, 4)
    return motion((table[TIME][rows] - start_us) / 1e6, pose[:, :3, 3], pose[:, :3, 0])

"""Rigid motion: rotations from quaternions, how a vehicle moves from its poses, and what is beyond belief."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.adapters.telemetry import Telemetry

Array = NDArray[np.float64]

BEYOND = 1e12
"""No quantity of a vehicle or an image comes near, in any unit; what is larger was damaged, and would
overflow in a product."""


def bounded(values: Array) -> Array:
    """The values with NaN for what is infinite or ``BEYOND``."""
    return np.where(np.abs(values) < BEYOND, values, np.nan)


def rotations(quaternions: Array) -> Array:
    """``[N, 3, 3]`` rotation matrices of ``[N, 4]`` quaternions w, x, y, z of any length but 0.

    A quaternion of zeros, or with a NaN in it, gives a matrix of NaN: there is no rotation to tell.
    """
    length = np.linalg.norm(quaternions, axis=1, keepdims=True)
    w, x, y, z = (quaternions / np.where(length > 0, length, np.nan)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def motion(time_s: Array, position: Array, forward: Array) -> Telemetry | None:
    """Speed, yaw rate and acceleration of a vehicle by central differences of its poses.

    Poses that are not finite are left out, and of two at one time the first counts.

    Args:
        time_s: ``[N]``, never falling.
        position: ``[N, 3]`` metres, in a frame whose third axis points up.
        forward: ``[N, 3]`` where the vehicle's nose points, in the same frame.

    Returns:
        ``speed_mps`` along the nose (backing is negative), ``yaw_rate_radps`` (to the left is positive) and
        ``acceleration_mps2``; ``None`` for fewer than two poses.
    """
    known = np.flatnonzero(np.isfinite(bounded(np.concatenate([position, forward], 1))).all(1))
    known = known[np.diff(time_s[known], prepend=-np.inf) > 0]
    time_s, position, forward = time_s[known], position[known], forward[known]
    if len(time_s) < 2:
        return None
    nose = forward / np.linalg.norm(forward, axis=1, keepdims=True)
    speed = (np.gradient(position, time_s, axis=0) * nose).sum(1)
    return Telemetry.on_one_clock(
        time_s,
        {
            "speed_mps": speed,
            "yaw_rate_radps": yaw_rate(time_s, nose),
            "acceleration_mps2": np.gradient(speed, time_s),
        },
    )


def yaw_rate(time_s: Array, forward: Array) -> Array:
    """``[N]`` rad/s at which ``[N, 3]`` noses turn about the third axis, to the left positive; N >= 2."""
    return np.asarray(np.gradient(np.unwrap(np.arctan2(forward[:, 1], forward[:, 0])), time_s))

"""Rotations and motion, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.adapters.rigid import motion, rotations

HALF = np.sqrt(0.5)
# a unit vector turned by a quarter about z, x and y, whatever the quaternion's length
QUARTERS = [
    ([HALF, 0, 0, HALF], [1, 0, 0], [0, 1, 0]),
    ([3, 3, 0, 0], [0, 1, 0], [0, 0, 1]),
    ([HALF, 0, HALF, 0], [0, 0, 1], [1, 0, 0]),
    ([-1, 0, 0, 0], [1, 2, 3], [1, 2, 3]),
]


@pytest.mark.parametrize(("quaternion", "before", "after"), QUARTERS)
def test_a_quaternion_turns_a_vector(quaternion, before, after):
    assert rotations(np.array([quaternion], float))[0] @ before == pytest.approx(after)


def test_no_rotation_can_be_told_from_zeros_or_nan():
    assert np.isnan(rotations(np.array([[0, 0, 0, 0], [np.nan, 0, 0, 1.0]]))).all()


def test_a_circle_to_the_left_has_constant_speed_and_yaw_rate():
    # radius 20 m at 0.5 rad/s is 10 m/s; the yaw passes the seam at pi
    time_s = np.arange(0, 10, 0.01)
    angle = 0.5 * time_s
    forward = np.stack([-np.sin(angle), np.cos(angle), 0 * angle], 1)
    position = 20 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1)
    found = motion(time_s, position, 3 * forward).signals
    assert found["speed_mps"].values == pytest.approx(10, abs=0.01)
    assert found["yaw_rate_radps"].values == pytest.approx(0.5, abs=1e-6)
    assert found["acceleration_mps2"].values[5:-5] == pytest.approx(0, abs=0.02)


def test_braking_and_backing_are_negative():
    time_s = np.array([0.0, 1, 2, 3])
    position = np.array([[10 * t - 5 * t * t, 0, 0] for t in time_s])  # 10 m/s, braked by 10 m/s2
    found = motion(time_s, position, np.tile([1.0, 0, 0], (4, 1))).signals
    assert found["speed_mps"].values == pytest.approx([5, 0, -10, -15])
    assert (found["acceleration_mps2"].values < 0).all()


def test_poses_that_are_broken_or_repeated_are_left_out():
    time_s = np.array([0.0, 0, 1, 2, 3])
    position = np.array([[0, 0, 0], [99, 0, 0], [4, 0, 0], [np.nan, 0, 0], [12, 0, 0]])
    found = motion(time_s, position, np.tile([1.0, 0, 0], (5, 1)))
    assert found.signals["speed_mps"].time_s.tolist() == [0, 1, 3]
    assert found.signals["speed_mps"].values == pytest.approx([4, 4, 4])
    assert motion(time_s[:2], position[:2], np.ones((2, 3))) is None

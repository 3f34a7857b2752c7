"""The road's geometry, and telemetry that agrees with it."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.simulator.road import STEP_M, Ego, Road


def circle(radius: float, length: float = 200) -> Road:
    """A left-hand bend."""
    return Road(np.full(int(length / STEP_M), 1 / radius))


def test_a_circle_by_hand():
    road = circle(50)
    x, z, heading = road.pose(np.array([0.0, 25 * np.pi]), np.array([0.0, 0.0]))
    # a quarter of a circle to the left ends 50 m ahead and 50 m to the left
    np.testing.assert_allclose([x[0], z[0], heading[0]], 0, atol=1e-3)
    np.testing.assert_allclose([x[1], z[1], heading[1]], [-50, 50, np.pi / 2], atol=0.05)


def test_offsets_point_to_the_right():
    x, z, _ = circle(50).pose(np.array([0.0, 25 * np.pi]), np.array([2.0, 2.0]))
    np.testing.assert_allclose([x[0], z[0]], [2, 0], atol=1e-3)
    np.testing.assert_allclose([x[1], z[1]], [-50, 52], atol=0.05)  # right of "left" is "ahead"


@pytest.mark.parametrize("s", [0.0, 12.3])
def test_ahead_finds_the_road_again(s):
    road = circle(80)
    distance = np.array([5.0, 20.0, 40.0], np.float32)
    arc, offset, turned = road.ahead(s, distance)
    x, z, heading = road.pose(arc.astype(float), np.zeros(3))
    x0, z0, h0 = (float(v[0]) for v in road.pose(np.array([s]), np.zeros(1)))
    right = (x - x0) * np.cos(h0) + (z - z0) * np.sin(h0)
    forward = (z - z0) * np.cos(h0) - (x - x0) * np.sin(h0)
    np.testing.assert_allclose(right, offset, atol=0.02)
    np.testing.assert_allclose(forward, distance, atol=0.02)
    np.testing.assert_allclose(heading - h0, turned, atol=1e-3)


def test_beyond_its_end_the_road_is_straight():
    road = Road(np.zeros(100))
    arc, offset, turned = road.ahead(0.0, np.array([500.0], np.float32))
    np.testing.assert_allclose([arc[0], offset[0], turned[0]], [500, 0, 0], atol=1e-3)


@pytest.mark.parametrize("seed", range(12))
def test_telemetry_is_the_motion(seed):
    """Speed integrates to distance, acceleration to speed, yaw rate to heading."""
    rng = np.random.default_rng(seed)
    road = Road.sample(rng, 500, curved=True)
    ego = Ego.sample(rng, road, frames=401, fps=80, cruise_mps=9.0)
    assert ego.speed_mps.min() > 1
    step = np.diff(ego.time_s)
    np.testing.assert_allclose(np.diff(ego.s), mean(ego.speed_mps) * step, atol=1e-3)
    np.testing.assert_allclose(np.diff(ego.speed_mps), mean(ego.acceleration_mps2) * step, atol=1e-3)
    heading = np.interp(ego.s, road.s, road.heading)
    np.testing.assert_allclose(
        np.cumsum(mean(ego.yaw_rate_radps) * step), heading[1:] - heading[0], atol=2e-3
    )


def test_some_clips_brake_hard():
    rng = np.random.default_rng(0)
    road = Road.sample(rng, 500, curved=False)
    lowest = [
        Ego.sample(rng, road, frames=20, fps=4, cruise_mps=10.0).acceleration_mps2.min() for _ in range(200)
    ]
    assert 0.03 < np.mean(np.array(lowest) < -3) < 0.2


def mean(values: np.ndarray) -> np.ndarray:
    return (values[1:] + values[:-1]) / 2

"""nuScenes: speed from poses, and what the CAN bus expansion measures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.adapters.nuscenes_world import START_US, opened, write_can, write_nuscenes


def test_speed_comes_from_the_poses_of_all_front_images(tmp_path: Path):
    write_nuscenes(tmp_path)
    adapter, clips, _ = opened(tmp_path)
    for clip in clips.values():
        signals = adapter.telemetry(clip).signals
        times = np.array([still.time_s for still in clip.stills])
        assert signals["speed_mps"].at(times, 1.0) == pytest.approx([5, 5, 5])
        assert signals["yaw_rate_radps"].at(times, 1.0) == pytest.approx([0, 0, 0])
        assert signals["acceleration_mps2"].at(times, 1.0) == pytest.approx([0, 0, 0], abs=1e-6)
        assert len(signals["speed_mps"].time_s) == 6  # keyframes and sweeps


def test_the_can_bus_measures_what_it_has_in_its_own_units(tmp_path: Path):
    write_nuscenes(tmp_path)
    messages = {
        "pose": [{"vel": [7.0, 0, 0], "rotation_rate": [0, 0, 0.25], "accel": [-1.5, 0, 9.8]}],
        "steeranglefeedback": [{"value": np.pi / 2}],
        "vehicle_monitor": [{"vehicle_speed": 36.0, "brake": 63, "throttle": 250, "steering": 1.0}],
        "meta": [{"anything": 1}],
    }
    for message, records in messages.items():
        write_can(tmp_path, "scene-0061", message, [{"utime": START_US + 500_000, **r} for r in records])
    write_can(tmp_path, "scene-0499", "pose", [])
    adapter, clips, strays = opened(tmp_path)
    clip = clips["scene-0061_CAM_FRONT"]
    assert len(clip.shared) == 3
    signals = adapter.telemetry(clip).signals
    assert {name: signal.at(np.array([0.5]), 1.0)[0] for name, signal in signals.items()} == pytest.approx(
        {
            "speed_mps": 7,
            "yaw_rate_radps": 0.25,
            "acceleration_mps2": -1.5,
            "steering_angle_deg": 90,
            "wheel_speed_mps": 10,
            "brake": 0.5,
            "throttle": 0.25,
        }
    )
    assert {strays[f"can_bus/{n}.json"][0] for n in ("scene-0061_meta", "scene-0499_pose")} == {"unused"}

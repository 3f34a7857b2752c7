"""nuScenes tables written out: a car that drives straight along the global x axis at 5 m/s.

Two cameras of 64x48 pixels, focal length 100, centre (32, 24), sit 1.5 m ahead of the ego frame's
origin and 1.5 m up; CAM_FRONT looks ahead, CAM_BACK behind. Keyframes are 0.5 s apart, and between
each two there is a sweep of the front camera.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dataengine.adapters.base import Recording
from dataengine.adapters.nuscenes.adapter import NuScenes
from dataengine.config import DatasetConfig
from tests.adapters.accounts import settled
from tests.adapters.recordings import street, write_image

START_US = 1_532_402_927_000_000
SPEED = 5.0
LOG = "n015-2018-07-24-11-22-45+0800"
AHEAD = [0.5, -0.5, 0.5, -0.5]
"""From a camera's frame (x right, y down, z ahead) to the vehicle's (x ahead, y left, z up)."""
BEHIND = [0.5, -0.5, -0.5, 0.5]
INTRINSIC = [[100.0, 0.0, 32.0], [0.0, 100.0, 24.0], [0.0, 0.0, 1.0]]
UNTURNED = [1.0, 0.0, 0.0, 0.0]

Tables = dict[str, list[dict[str, Any]]]


def filename(channel: str, time_us: int, folder: str = "samples") -> str:
    return f"{folder}/{channel}/{LOG}__{channel}__{time_us}.jpg"


def ego_x(time_us: int) -> float:
    return SPEED * (time_us - START_US) / 1e6


def annotation(
    sample: int, scene: str = "scene-0061", *, category: str = "vehicle.car", **changes: Any
) -> dict[str, Any]:
    """A car 2 m wide, 4 m long, 1.5 m high, 10 m ahead of the front camera when ``sample`` was taken."""
    time_us = START_US + sample * 500_000
    record = {
        "token": f"a-{scene}-{sample}-{category}",
        "sample_token": f"{scene}-{sample}",
        "instance_token": f"i-{scene}-{category}",
        "visibility_token": "4",
        "attribute_tokens": [],
        "translation": [ego_x(time_us) + 11.5, 0.0, 1.5],
        "size": [2.0, 4.0, 1.5],
        "rotation": UNTURNED,
        "num_lidar_pts": 5,
        "num_radar_pts": 0,
        "prev": "",
        "next": "",
    }
    return {**record, **changes}


def tables(scenes: dict[str, str], num_samples: int = 3) -> Tables:
    """The tables of scenes (name -> description) with a car ahead in every sample."""
    categories = ["vehicle.car", "human.pedestrian.adult", "animal"]
    found: Tables = {
        "sensor": [
            {"token": "s-front", "channel": "CAM_FRONT", "modality": "camera"},
            {"token": "s-back", "channel": "CAM_BACK", "modality": "camera"},
            {"token": "s-lidar", "channel": "LIDAR_TOP", "modality": "lidar"},
        ],
        "calibrated_sensor": [
            {"token": "c-front", "sensor_token": "s-front", "rotation": AHEAD, "camera_intrinsic": INTRINSIC},
            {"token": "c-back", "sensor_token": "s-back", "rotation": BEHIND, "camera_intrinsic": INTRINSIC},
            {"token": "c-lidar", "sensor_token": "s-lidar", "rotation": UNTURNED, "camera_intrinsic": []},
        ],
        "log": [{"token": "log", "vehicle": "n015", "location": "singapore-onenorth", "logfile": LOG}],
        "scene": [
            {"token": f"t-{name}", "name": name, "description": words, "log_token": "log"}
            for name, words in scenes.items()
        ],
        "sample": [],
        "sample_data": [],
        "ego_pose": [],
        "category": [{"token": f"k-{name}", "name": name} for name in categories],
        "instance": [],
        "sample_annotation": [],
    }
    for record in found["calibrated_sensor"]:
        record["translation"] = [1.5, 0.0, 1.5]
    for at, name in enumerate(scenes):
        _add_scene(found, name, at * 60_000_000, num_samples, categories)
    return found


def _add_scene(found: Tables, scene: str, offset_us: int, num_samples: int, categories: list[str]) -> None:
    found["instance"] += [
        {"token": f"i-{scene}-{category}", "category_token": f"k-{category}"} for category in categories
    ]
    for number in range(num_samples):
        sample, time_us = f"{scene}-{number}", START_US + offset_us + number * 500_000
        found["sample"].append({"token": sample, "scene_token": f"t-{scene}", "timestamp": time_us})
        _add_data(found, sample, "front", time_us, key=True)
        _add_data(found, sample, "back", time_us + 10_000, key=True)
        _add_data(found, sample, "lidar", time_us + 20_000, key=True)
        _add_data(found, sample, "front", time_us + 250_000, key=False)
        car = annotation(number, scene)
        car["translation"] = [ego_x(time_us) + 11.5, 0.0, 1.5]
        found["sample_annotation"].append(car)


def _add_data(found: Tables, sample: str, sensor: str, time_us: int, *, key: bool) -> None:
    channel = {"front": "CAM_FRONT", "back": "CAM_BACK", "lidar": "LIDAR_TOP"}[sensor]
    token = f"d-{sample}-{sensor}-{time_us}"
    found["ego_pose"].append(
        {
            "token": token,
            "timestamp": time_us,
            "translation": [ego_x(time_us), 0.0, 0.0],
            "rotation": UNTURNED,
        }
    )
    camera = sensor != "lidar"
    found["sample_data"].append(
        {
            "token": token,
            "sample_token": sample,
            "ego_pose_token": token,
            "calibrated_sensor_token": f"c-{sensor}",
            "timestamp": time_us,
            "fileformat": "jpg" if camera else "pcd",
            "is_key_frame": key,
            "height": 48 if camera else 0,
            "width": 64 if camera else 0,
            "filename": filename(channel, time_us, "samples" if key else "sweeps"),
            "prev": "",
            "next": "",
        }
    )


def write_tables(root: Path, found: Tables, version: str = "v1.0-mini") -> Path:
    folder = root / version
    folder.mkdir(parents=True, exist_ok=True)
    for name, records in found.items():
        (folder / f"{name}.json").write_text(json.dumps(records, indent=0))
    return folder


def write_images(root: Path, found: Tables) -> None:
    """Every listed file: keyframes and sweeps of cameras as pictures, the lidar's as bytes."""
    for number, record in enumerate(found["sample_data"]):
        path = root / record["filename"]
        if record["fileformat"] == "jpg":
            write_image(path, street(number, 48, 64))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"points")


def write_nuscenes(
    root: Path, scenes: dict[str, str] | None = None, num_samples: int = 3, version: str = "v1.0-mini"
) -> Tables:
    found = tables(scenes or {"scene-0061": "Parked truck, turn left"}, num_samples)
    write_tables(root, found, version)
    write_images(root, found)
    return found


def write_can(root: Path, scene: str, message: str, records: list[dict[str, Any]]) -> Path:
    path = root / "can_bus" / f"{scene}_{message}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(records))
    return path


SIZE = (48, 64)
CAR = [19.5, 14.625, 44.5, 33.375]
"""The fixture's car: a near face of 2 m x 1.5 m at 8 m, through a focal length of 100 pixels."""

Outcomes = dict[str, tuple[str, str]]


def opened(root: Path, **settings: Any) -> tuple[NuScenes, dict[str, Recording], Outcomes]:
    """The adapter, its clips and its outcomes, after a look that each file appears once."""
    adapter = NuScenes(root, DatasetConfig(name="nuscenes", **settings))
    return adapter, *settled(adapter)


def front(root: Path, **settings: Any) -> tuple[NuScenes, Recording]:
    """The adapter and the front camera's clip of scene 0061."""
    adapter, clips, _ = opened(root, **settings)
    return adapter, clips["scene-0061_CAM_FRONT"]

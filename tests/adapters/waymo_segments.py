"""Waymo perception components written out in their published columns and types.

The vehicle drives north (along y) and speeds up from 10 m/s by 2 m/s2, turning left by 0.1 rad/s.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.adapters.recordings import street

SEGMENT = "10023947602400723454_1120_000_1140_000"
START_US = 1_552_440_195_362_591
STEP_US = 100_000
HEIGHT, WIDTH = 48, 64

_TRANSFORM = pa.list_(pa.float64(), 16)
_KEYS = [
    ("index", pa.string()),
    ("key.segment_context_name", pa.string()),
    ("key.frame_timestamp_micros", pa.int64()),
]
_VECTOR = [(f"[CameraImageComponent].velocity.linear_velocity.{axis}", pa.float32()) for axis in "xyz"]
_TURNING = [(f"[CameraImageComponent].velocity.angular_velocity.{axis}", pa.float64()) for axis in "xyz"]
IMAGE_SCHEMA = pa.schema(
    [
        *_KEYS,
        ("key.camera_name", pa.int8()),
        ("[CameraImageComponent].image", pa.binary()),
        ("[CameraImageComponent].pose.transform", _TRANSFORM),
        *_VECTOR,
        *_TURNING,
        ("[CameraImageComponent].pose_timestamp", pa.float64()),
    ]
)
BOX_SCHEMA = pa.schema(
    [
        *_KEYS,
        ("key.camera_name", pa.int8()),
        ("key.camera_object_id", pa.string()),
        *[
            (f"[CameraBoxComponent].box.{p}", pa.float64())
            for p in ("center.x", "center.y", "size.x", "size.y")
        ],
        ("[CameraBoxComponent].type", pa.int8()),
        ("[CameraBoxComponent].difficulty_level.detection", pa.int8()),
        ("[CameraBoxComponent].difficulty_level.tracking", pa.int8()),
    ]
)
STATS_SCHEMA = pa.schema(
    [*_KEYS, *[(f"[StatsComponent].{name}", pa.string()) for name in ("time_of_day", "location", "weather")]]
)
POSE_SCHEMA = pa.schema([*_KEYS, ("[VehiclePoseComponent].world_from_vehicle.transform", _TRANSFORM)])

Row = dict[str, Any]


def picture(number: int, camera: int) -> bytes:
    return cv2.imencode(".jpg", street(100 * camera + number, HEIGHT, WIDTH))[1].tobytes()


def keys(number: int, camera: int | None = None, segment: str = SEGMENT) -> Row:
    time_us = START_US + number * STEP_US
    row = {"index": f"{segment};{time_us}", _KEYS[1][0]: segment, _KEYS[2][0]: time_us}
    return row if camera is None else {**row, "key.camera_name": camera}


def pose(number: int) -> list[float]:
    """A transform whose first column points along the drive, and whose last one is where the car is."""
    time_s = number * STEP_US / 1e6
    angle = np.pi / 2 + 0.1 * time_s
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix[:3, 3] = [0, 10 * time_s + time_s**2, 0]
    return matrix.ravel().tolist()


def image_row(number: int, camera: int = 1, segment: str = SEGMENT) -> Row:
    nose, speed = np.array(pose(number))[[0, 4, 8]], 10 + 2 * number * STEP_US / 1e6
    return {
        **keys(number, camera, segment),
        "[CameraImageComponent].image": picture(number, camera),
        "[CameraImageComponent].pose.transform": pose(number),
        **{name: value for (name, _), value in zip(_VECTOR, speed * nose, strict=True)},
        **{name: value for (name, _), value in zip(_TURNING, (0, 0, 0.1), strict=True)},
        "[CameraImageComponent].pose_timestamp": (START_US + number * STEP_US) / 1e6,
    }


def box_row(
    number: int,
    xywh: Sequence[float],
    kind: int = 1,
    camera: int = 1,
    track: str = "t",
    segment: str = SEGMENT,
) -> Row:
    """A box by its centre and size."""
    values = zip(("center.x", "center.y", "size.x", "size.y"), xywh, strict=True)
    return {
        **keys(number, camera, segment),
        "key.camera_object_id": track,
        **{f"[CameraBoxComponent].box.{part}": value for part, value in values},
        "[CameraBoxComponent].type": kind,
    }


def stats_row(number: int, time_of_day: str = "Day", weather: str = "sunny", segment: str = SEGMENT) -> Row:
    values = {"time_of_day": time_of_day, "location": "location_sf", "weather": weather}
    return keys(number, segment=segment) | {f"[StatsComponent].{key}": value for key, value in values.items()}


def pose_row(number: int, segment: str = SEGMENT) -> Row:
    key = "[VehiclePoseComponent].world_from_vehicle.transform"
    return {**keys(number, segment=segment), key: pose(number)}


def write(path: Path, rows: list[Row], schema: pa.Schema, row_group_size: int = 3, **settings: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema), path, row_group_size=row_group_size, **settings)
    return path


def write_segment(
    root: Path, *, num_frames: int = 4, cameras: Sequence[int] = (1, 2), segment: str = SEGMENT
) -> dict[str, Path]:
    """All four components; frame 0 of camera 1 holds a vehicle and a pedestrian, frame 1 the same vehicle."""
    frames = range(num_frames)
    boxes = [
        box_row(0, (20, 10, 8, 4), track="car", segment=segment),
        box_row(0, (40, 20, 4, 12), 2, track="walker", segment=segment),
        box_row(1, (24, 10, 8, 4), track="car", segment=segment),
        box_row(1, (9, 9, 2, 2), 4, camera=2, track="car", segment=segment),
    ]
    tables = {
        "camera_image": ([image_row(n, c, segment) for n in frames for c in cameras], IMAGE_SCHEMA),
        "camera_box": (boxes, BOX_SCHEMA),
        "stats": ([stats_row(n, segment=segment) for n in frames], STATS_SCHEMA),
        "vehicle_pose": ([pose_row(n, segment) for n in frames], POSE_SCHEMA),
    }
    return {
        name: write(root / name / f"{segment}.parquet", rows, schema)
        for name, (rows, schema) in tables.items()
    }

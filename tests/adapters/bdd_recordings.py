"""BDD100K written out small: images, videos, labels of every release, info files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dataengine.config import Config, DatasetConfig
from tests.adapters.recordings import street, write_image, write_video

A, B = "0000f77c-6257be58", "0001542f-ec815219"
"""Two videos by the publisher's names."""

START_MS = 1_503_828_163_000


def label(category: str = "car", box: tuple[float, ...] = (4, 8, 19, 23), **changes: Any) -> dict[str, Any]:
    """A label of 2020. Its box is 16 pixels wide and high."""
    corners = dict(zip(("x1", "y1", "x2", "y2"), box, strict=True))
    flags = {"occluded": False, "truncated": False, "crowd": False}
    return {"id": "0", "category": category, "attributes": flags, "box2d": corners, **changes}


def key_frame(video: str, *labels: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An entry of ``det_train.json`` and of 2018's list."""
    attributes = {"weather": "rainy", "scene": "highway", "timeofday": "night"}
    return {
        "name": f"{video}.jpg",
        "attributes": attributes,
        "timestamp": 10000,
        "labels": list(labels),
        **changes,
    }


def track_frame(video: str, index: int, *labels: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An entry of ``box_track_20``."""
    name = f"{video}-{index + 1:07d}.jpg"
    return {"name": name, "videoName": video, "frameIndex": index, "labels": list(labels), **changes}


def oldest(video: str, *objects: dict[str, Any]) -> dict[str, Any]:
    """The content of one file an image."""
    return {
        "name": video,
        "frames": [{"timestamp": 10000, "objects": list(objects)}],
        "attributes": {"weather": "clear", "scene": "tunnel", "timeofday": "undefined"},
    }


def lane() -> dict[str, Any]:
    """A label without a box, as 2018's lists are full of."""
    return {"id": 9, "category": "lane", "poly2d": [{"vertices": [[1, 2], [3, 4]], "types": "LL"}]}


def info() -> dict[str, Any]:
    """Telemetry: GPS each second from the video's start on, motion ten times a second."""
    locations = [
        {
            "timestamp": START_MS + 1000 * second,
            "latitude": 40.0 + second,
            "longitude": -74.0,
            "speed": 5.0 + second,
            "course": (350.0 + 10 * second) % 360,
            "accuracy": 10,
        }
        for second in range(13)
    ]
    gps = [
        {
            "timestamp": START_MS + 1000 * second,
            "latitude": 41.0,
            "longitude": -73.0,
            "altitude": 7.0,
            "speed": -1,
            "horizontal accuracy": 5,
            "vertical accuracy": 3,
        }
        for second in range(13)
    ]
    motion = [
        {"timestamp": START_MS + 100 * tick, "x": 0.0, "y": -1.0, "z": 0.1 * tick} for tick in range(130)
    ]
    return {
        "rideID": "r",
        "id": "i",
        "startTime": START_MS,
        "endTime": START_MS + 40_000,
        "filename": "another name",
        "timelapse": False,
        "locations": locations,
        "gps": gps,
        "accelerometer": motion,
        "gyro": motion[:5],
    }


def write_json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def write_picture(root: Path, path: str, number: int = 0) -> None:
    write_image(root / path, street(number))


def write_key_frames(root: Path, split: str, *videos: str, group: str = "100k") -> None:
    """A picture of its own for each video, whatever the set."""
    for video in videos:
        write_picture(root, f"images/{group}/{split}/{video}.jpg", int(video[:8], 16))


def write_track(root: Path, split: str, video: str, num_frames: int, group: str = "track") -> None:
    for number in range(1, num_frames + 1):
        write_picture(root, f"images/{group}/{split}/{video}/{video}-{number:07d}.jpg", number)


def write_bdd(root: Path) -> None:
    """A folder with everything of video A, and a key frame of B without labels."""
    write_key_frames(root, "train", A)
    write_key_frames(root, "val", B)
    write_key_frames(root, "train", A, group="10k")
    write_track(root, "train", A, 3)
    write_video(root / f"videos/train/{A}.mov", 8)
    write_json(root / f"info/100k/train/{A}.json", info())
    write_json(root / "labels/det_20/det_train.json", [key_frame(A, label())])
    frames = [track_frame(A, index, label(id="b"), label("bus", id="a")) for index in range(3)]
    write_json(root / f"labels/box_track_20/train/{A}.json", frames)


def bdd_config(root: Path) -> Config:
    config = Config(dataset=DatasetConfig(name="bdd100k", root=str(root)))
    config.compute.workers = 1
    return config

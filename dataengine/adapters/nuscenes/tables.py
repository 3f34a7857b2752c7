"""The tables of one nuScenes version, joined into scenes with their camera images and boxes.

Records refer to each other by token::

    sample_data -> calibrated_sensor -> sensor           which camera, and where it sits
                -> ego_pose                              where the vehicle was at this very image
                -> sample -> scene -> log                which drive
    sample_annotation -> sample                          3D boxes of a moment, in the global frame
                      -> instance -> category            which object, of which class

The three large tables are read record by record, and only what cameras need is kept, in arrays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dataengine.adapters.base import BrokenFileError
from dataengine.adapters.nuscenes.annotations import read_annotations
from dataengine.adapters.nuscenes.records import Table, microseconds, numbers, read, text
from dataengine.adapters.nuscenes.scenes import Image, Poses, Scene, Sensor, Tables

NEEDED = tuple(
    f"{name}.json"
    for name in (
        *("sensor", "calibrated_sensor", "log", "scene", "sample", "sample_data", "ego_pose"),
        *("category", "instance", "sample_annotation"),
    )
)


def load(root: Path, version: str, channels: list[str]) -> Tables:
    """Read the tables of one version.

    Args:
        root: The dataset's root.
        version: Folder of the tables below it, such as ``v1.0-mini``.
        channels: Cameras to keep; empty keeps all.

    Raises:
        BrokenFileError: A table is missing or damaged, or refers to a record that is not there.
    """

    def table(name: str, build: Callable[[dict[str, Any]], Any]) -> Iterator[Any]:
        return read(root, f"{version}/{name}.json", build)

    cameras = {
        token: channel
        for token, channel, modality in table(
            "sensor", lambda r: (text(r, "token"), text(r, "channel"), text(r, "modality"))
        )
        if modality == "camera"
    }
    sensors, sensor_index = _sensors(table, cameras)
    scenes = _scenes(table, version)
    samples = _samples(table, scenes, version)
    wanted = {channel for channel in cameras.values() if not channels or channel in channels}
    pose_index = _images(table, scenes, samples, sensors, sensor_index, wanted)
    found = read_annotations(table, samples)
    return Tables(
        scenes=sorted(scenes.values(), key=lambda scene: scene.name),
        sensors=sensors,
        poses=_poses(table, pose_index),
        categories=found.categories,
        boxes=found.boxes,
        rows=found.rows,
        labelled=found.labelled,
        channels=tuple(sorted(set(cameras.values()))),
    )


def _sensors(table: Table, cameras: dict[str, str]) -> tuple[list[Sensor], dict[str, int]]:
    def build(record: dict[str, Any]) -> tuple[str, Sensor | None]:
        token, channel = text(record, "token"), cameras.get(text(record, "sensor_token"))
        if channel is None:
            return token, None
        intrinsic = np.array(
            [numbers({"camera_intrinsic": row}, "camera_intrinsic", 3) for row in record["camera_intrinsic"]]
        )
        if intrinsic.shape != (3, 3):
            raise ValueError(f"camera_intrinsic has {len(intrinsic)} rows, not 3")
        position, quaternion = numbers(record, "translation", 3), numbers(record, "rotation", 4)
        return token, Sensor(
            channel=channel, position=np.array(position), quaternion=np.array(quaternion), intrinsic=intrinsic
        )

    sensors: list[Sensor] = []
    index = {}
    for token, sensor in table("calibrated_sensor", build):
        index[token] = -1 if sensor is None else len(sensors)
        if sensor is not None:
            sensors.append(sensor)
    return sensors, index


def _scenes(table: Table, version: str) -> dict[str, Scene]:
    logs = dict(
        table("log", lambda r: (text(r, "token"), (str(r.get("location", "")), str(r.get("vehicle", "")))))
    )

    def build(record: dict[str, Any]) -> tuple[str, Scene]:
        location, vehicle = logs[text(record, "log_token")]
        description = str(record.get("description", ""))
        return text(record, "token"), Scene(
            name=text(record, "name"), description=description, location=location, vehicle=vehicle
        )

    scenes = dict(table("scene", build))
    if len({scene.name for scene in scenes.values()}) < len(scenes):
        raise BrokenFileError(f"{version}/scene.json", "two scenes have one name; fetch it again")
    return scenes


def _samples(table: Table, scenes: dict[str, Scene], version: str) -> dict[str, tuple[Scene, int]]:
    """Sample token -> its scene, and its number in there in order of time."""
    by_scene: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for scene, when, token in table(
        "sample", lambda r: (text(r, "scene_token"), microseconds(r), text(r, "token"))
    ):
        if scene not in scenes:
            raise BrokenFileError(
                f"{version}/sample.json", f"sample {token} is of a scene that is not listed"
            )
        by_scene[scene].append((when, token))
    return {
        token: (scenes[scene], number)
        for scene, listed in by_scene.items()
        for number, (_, token) in enumerate(sorted(listed))
    }


def _images(
    table: Table,
    scenes: dict[str, Scene],
    samples: dict[str, tuple[Scene, int]],
    sensors: list[Sensor],
    sensor_index: dict[str, int],
    wanted: set[str],
) -> dict[str, int]:
    """Fill in the scenes' images and tracks; returns ego pose token -> its index."""
    channels = {sensor.channel for sensor in sensors}
    # one camera's poses, at 12 a second, tell how the vehicle moved
    track = "CAM_FRONT" if "CAM_FRONT" in channels else min(channels, default="")
    poses: dict[str, int] = {}

    def build(record: dict[str, Any]) -> None:
        sensor = sensor_index[text(record, "calibrated_sensor_token")]
        if sensor < 0:
            return
        channel = sensors[sensor].channel
        key = bool(record["is_key_frame"]) and channel in wanted
        if not key and channel != track:
            return
        scene, number = samples[text(record, "sample_token")]
        pose = poses.setdefault(text(record, "ego_pose_token"), len(poses))
        if channel == track:
            scene.track.append(pose)
        if key:
            scene.images[channel].append(_image(record, number, pose, sensor))

    for _ in table("sample_data", build):
        pass
    for scene in scenes.values():
        for images in scene.images.values():
            images.sort(key=lambda image: (image.sample, image.time_us))
    return poses


def _image(record: dict[str, Any], sample: int, pose: int, sensor: int) -> Image:
    height, width = int(record["height"]), int(record["width"])
    if min(height, width) < 1:
        raise ValueError(f"an image of {width}x{height}")
    return Image(
        filename=text(record, "filename"),
        time_us=microseconds(record),
        sample=sample,
        sample_token=record["sample_token"],
        size=(height, width),
        pose=pose,
        sensor=sensor,
    )


def _poses(table: Table, index: dict[str, int]) -> Poses:
    poses = Poses(
        np.zeros(len(index), np.int64), np.full((len(index), 3), np.nan), np.full((len(index), 4), np.nan)
    )

    def build(record: dict[str, Any]) -> None:
        at = index.get(text(record, "token"))
        if at is not None:
            poses.time_us[at] = microseconds(record)
            poses.position[at] = numbers(record, "translation", 3)
            poses.quaternion[at] = numbers(record, "rotation", 4)

    for _ in table("ego_pose", build):
        pass
    return poses

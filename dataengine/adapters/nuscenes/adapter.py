"""nuScenes v1.0: the tables as plain JSON, every camera, 3D boxes projected into each image.

::

    samples/<CHANNEL>/*.jpg     keyframes, 2 a second: what is labelled, and what is read
    sweeps/<CHANNEL>/*.jpg      the images between, about 12 a second; nobody labelled them, so unused
    v1.0-mini/*.json            (or -trainval, -test) the tables
    can_bus/scene-0061_*.json   the CAN bus expansion, optional

A scene is a drive, a scene seen by one camera is a clip. A folder of images with official names and no
tables is read as unlabelled frames.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from dataengine.adapters.base import (
    Adapter,
    BrokenFileError,
    LabelReader,
    Recording,
    Still,
    files_under,
    safe_id,
)
from dataengine.adapters.labels import FrameLabels
from dataengine.adapters.nuscenes.motion import MESSAGES, can_file, from_can, from_poses
from dataengine.adapters.nuscenes.names import KEYFRAME_RATE, NAME, named_clips
from dataengine.adapters.nuscenes.projection import Camera, corners, project
from dataengine.adapters.nuscenes.scenes import Boxes3d, Image, Poses, Scene, Tables, conditions
from dataengine.adapters.nuscenes.splits import split_of
from dataengine.adapters.nuscenes.tables import NEEDED, load
from dataengine.adapters.telemetry import Telemetry
from dataengine.config import DatasetConfig
from dataengine.errors import ConfigError, InputError
from dataengine.workspace import Outcome

_VERSION = re.compile(r"v1\.0-[\w.-]+")
_FIRST_VERSIONS = ("v1.0-trainval", "v1.0-test")
"""Read before others: mini's scenes are in trainval too, and count once."""

_SMALLEST = 1.0
"""Pixels. Of a cuboid that reaches less than this into the image, the image shows nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneClip(Recording):
    """One camera's keyframes of one scene, with its part of the tables.

    Attributes:
        frames: Frame number -> the camera at that moment, its listed size (height, width), its boxes.
        table: Path of the annotations, for messages.
        categories: Class names that the boxes' numbers mean.
        poses: Of the whole scene.
        labelled: Whether its version has annotations.
    """

    frames: dict[int, tuple[Camera, tuple[int, int], Boxes3d]] = field(compare=False)
    table: str
    categories: tuple[str, ...]
    poses: Poses = field(compare=False)
    labelled: bool


class NuScenes(Adapter):
    """nuScenes v1.0 with or without its tables.

    Args:
        root: Folder that holds ``samples/`` and ``v1.0-*/``, or images with official names.
        config: Cameras by channel (``CAM_FRONT``), minimum size of boxes.
    """

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        self.root = root
        self.config = config

    def settings(self) -> dict[str, Any]:
        """Cameras and the minimum size of boxes."""
        return {"cameras": self.config.cameras, "min_box_area": self.config.min_box_area}

    def recordings(self) -> Iterator[Recording | Outcome]:
        """Clips by version, scene and channel, then files that are part of none."""
        files = list(files_under(self.root))
        present = set(files)
        versions = _versions(files)
        if not versions:
            yield from self._without_tables(files)
            return
        settled: set[str] = set()
        for version in versions:
            for found in self._version(version, present, settled):
                settled |= {found.path} if isinstance(found, Outcome) else {*found.files, *found.shared}
                yield found
        for name in files:
            if name not in settled:
                yield Outcome(path=name, status="unused", reason=self._why_unused(name))

    def labels(self, recording: Recording) -> LabelReader | None:
        """Projected boxes; ``None`` where the version has no annotations, as ``v1.0-test``.

        Visibility is the middle of the published level, over all six cameras together. An image of
        another size than listed is taken for a rescaled one.
        """
        if not isinstance(recording, SceneClip) or not recording.labelled:
            return None

        def read(number: int, size: tuple[int, int]) -> FrameLabels:
            camera, listed, boxes = recording.frames[number]
            where = f"{recording.table}#{recording.clip_id}/{number:06d}"
            scale = np.array([size[1] / listed[1], size[0] / listed[0], 1.0])
            points = camera.from_global(corners(boxes.centre, boxes.size, boxes.quaternion))
            intrinsic = camera.intrinsic * scale[:, None]
            if not (np.isfinite(points).all() and np.isfinite(intrinsic).all()):
                raise BrokenFileError(where, "a box, a pose or a calibration is missing or not a number")
            if (boxes.size <= 0).any():
                raise BrokenFileError(where, "a box has no extent")
            xyxy, shown = project(points, intrinsic, size)
            extent = xyxy[:, 2:] - xyxy[:, :2]
            rows = np.flatnonzero(shown & (extent >= _SMALLEST).all(1))
            return FrameLabels(
                xyxy=xyxy[rows].astype(np.float32),
                names=tuple(recording.categories[at] for at in boxes.category[rows]),
                ignore=extent[rows].prod(1) < self.config.min_box_area,
                visibility=boxes.visibility[rows],
                track_id=boxes.instance[rows],
            )

        return read

    def telemetry(self, recording: Recording) -> Telemetry | None:
        """``speed_mps``, ``yaw_rate_radps`` and ``acceleration_mps2`` from ego poses or the CAN bus.

        With the CAN bus expansion also ``steering_angle_deg``, ``wheel_speed_mps``, ``brake`` and
        ``throttle`` (see ``nuscenes.motion``).
        """
        if not isinstance(recording, SceneClip):
            return None
        start_us = round(recording.start_time_s * 1e6)
        driven = from_poses(recording.poses, start_us)
        can = {m: name for m in MESSAGES for name in recording.shared if name.endswith(f"_{m}.json")}
        signals = {**(driven.signals if driven else {}), **from_can(self.root, can, start_us)}
        return Telemetry(signals=signals) if signals else None

    def _without_tables(self, files: list[str]) -> Iterator[Recording | Outcome]:
        if not any(NAME.fullmatch(PurePosixPath(name).name) for name in files):
            raise InputError(
                f"dataset.root={self.root} holds no nuScenes: looked for v1.0-*/sample_data.json and "
                "for <log>__<CHANNEL>__<microseconds>.jpg; datasets/nuscenes.toml says how to get it"
            )
        yield from named_clips(files, self.config.cameras)

    def _version(self, version: str, present: set[str], settled: set[str]) -> Iterator[Recording | Outcome]:
        lacking = [name for name in NEEDED if f"{version}/{name}" not in present]
        if lacking:
            raise InputError(f"{self.root / version} lacks {', '.join(lacking)}; fetch the tables again")
        tables = load(self.root, version, self.config.cameras)
        unknown = sorted(set(self.config.cameras) - set(tables.channels))
        if unknown:
            raise ConfigError(
                f"dataset.cameras={self.config.cameras}: {version} has no {', '.join(unknown)}; "
                f"choose among {', '.join(tables.channels)}"
            )
        yield from (Outcome(path=f"{version}/{name}", status="added") for name in NEEDED)
        for scene in tables.scenes:
            for channel, images in sorted(scene.images.items()):
                if images[0].filename not in settled:
                    yield from _scene_clip(version, tables, scene, channel, images, present, settled)

    def _why_unused(self, name: str) -> str:
        parts = PurePosixPath(name).parts
        if parts[0] == "sweeps":
            return "between keyframes: nobody labelled it"
        if parts[0] == "samples" and len(parts) > 1 and parts[1].startswith("CAM_"):
            listed = not self.config.cameras or parts[1] in self.config.cameras
            return "in no table" if listed else f"{parts[1]} is not among dataset.cameras"
        if parts[0] == "samples":
            return "no camera's"
        if parts[0] == "can_bus":
            return "not needed, or of a scene that is not read"
        return "not needed" if _VERSION.fullmatch(parts[0]) else "no part of nuScenes' layout"


def _versions(files: list[str]) -> list[str]:
    found = {name.partition("/")[0] for name in files if name.endswith("/sample_data.json")}
    versions = sorted(name for name in found if _VERSION.fullmatch(name))
    return sorted(versions, key=lambda name: name not in _FIRST_VERSIONS)


def _scene_clip(
    version: str,
    tables: Tables,
    scene: Scene,
    channel: str,
    images: list[Image],
    present: set[str],
    settled: set[str],
) -> Iterator[Recording | Outcome]:
    """One clip of the images that are there, and an outcome for each of the others."""
    usable: dict[int, Image] = {}
    named: set[str] = set()
    for image in images:
        name = image.filename
        if name in named or name in settled:
            continue
        named.add(name)
        if name not in present:
            yield Outcome(path=name, status="missing", reason=f"listed in {version}/sample_data.json")
        elif image.sample in usable:
            reason = f"the same keyframe as {usable[image.sample].filename}"
            yield Outcome(path=name, status="unused", reason=reason)
        else:
            usable[image.sample] = image
    if usable:
        # times count from the first keyframe, there or not, and so stay when it arrives
        yield _clip(version, tables, scene, channel, usable, images[0].time_us, present)


def _clip(
    version: str,
    tables: Tables,
    scene: Scene,
    channel: str,
    images: dict[int, Image],
    start_us: int,
    present: set[str],
) -> SceneClip:
    stills = tuple(
        Still(number=number, time_s=(image.time_us - start_us) / 1e6, image=image.filename)
        for number, image in images.items()
    )
    messages = (can_file(scene.name, message) for message in MESSAGES)
    return SceneClip(
        clip_id=safe_id(f"{scene.name}_{channel}"),
        drive_id=safe_id(scene.name),
        vehicle_id=scene.vehicle,
        camera=channel,
        start_time_s=start_us / 1e6,
        fps=KEYFRAME_RATE,
        source=str(PurePosixPath(stills[0].image).parent),
        files=tuple(still.image for still in stills),
        shared=tuple(name for name in messages if name in present),
        stills=stills,
        split_hint=split_of(version, scene.name),
        conditions=conditions(scene),
        frames={n: (tables.camera(i), i.size, _boxes_of(tables, i.sample_token)) for n, i in images.items()},
        table=f"{version}/sample_annotation.json",
        categories=tables.categories,
        poses=tables.poses.take(np.array(scene.track, np.int64)),
        labelled=tables.labelled,
    )


def _boxes_of(tables: Tables, sample_token: str) -> Boxes3d:
    return tables.boxes.take(tables.rows.get(sample_token, np.zeros(0, np.int64)))

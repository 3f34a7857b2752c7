"""Waymo Open Dataset, perception, version 2: Parquet components, one file a segment.

::

    training/camera_image/<segment>.parquet   JPEG bytes of five cameras, 10 a second, with pose and velocity
    training/camera_box/<segment>.parquet     2D boxes as centre and size; none in testing/
    training/stats/<segment>.parquet          time of day, weather, location
    training/vehicle_pose/<segment>.parquet   poses, for images without velocity

A segment is a drive, a segment seen by one camera is a clip. The split's folder may be the root itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine.adapters.base import (
    Adapter,
    BrokenFileError,
    Encoded,
    LabelReader,
    Recording,
    files_under,
    safe_id,
)
from dataengine.adapters.labels import FrameLabels
from dataengine.adapters.rigid import bounded
from dataengine.adapters.telemetry import Telemetry
from dataengine.adapters.waymo.motion import from_poses, from_velocity, publishes_velocity
from dataengine.adapters.waymo.tables import CAMERA, SEGMENT, TIME, blobs, columns
from dataengine.config import DatasetConfig
from dataengine.errors import ConfigError, InputError
from dataengine.schema import POOL, VAL
from dataengine.workspace import Outcome

CAMERAS = ("FRONT", "FRONT_LEFT", "FRONT_RIGHT", "SIDE_LEFT", "SIDE_RIGHT")
"""Camera 1 to 5 (CameraName in v2/perception/camera_image.py)."""
TYPES = ("unknown", "vehicle", "pedestrian", "sign", "cyclist")
"""Type 0 to 4 of a box (BoxType in v2/perception/box.py)."""
SPLITS = {"training": POOL, "validation": VAL}
FRAME_RATE = 10.0
_LAST_US = 1 << 53

_IMAGES, _BOXES, _STATS, _POSES = "camera_image", "camera_box", "stats", "vehicle_pose"
_COMPONENTS = (_IMAGES, _BOXES, _STATS, _POSES)
_KEYS = {SEGMENT: pa.string(), TIME: pa.int64()}
_CAMERA_KEYS = {**_KEYS, CAMERA: pa.int64()}
_OBJECT = "key.camera_object_id"
_BOX = tuple(f"[CameraBoxComponent].box.{part}" for part in ("center.x", "center.y", "size.x", "size.y"))
_TYPE = "[CameraBoxComponent].type"
_IMAGE = "[CameraImageComponent].image"
_CONDITIONS = ("time_of_day", "weather", "location")


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentClip(Recording):
    """One camera of one segment.

    Attributes:
        segment: Its name in the key columns.
        number: Of the camera, from 1.
        times_us: ``[F]`` int64, rising: when each image was taken.
        rows: ``[F]`` rows of the images in their file.
        components: Component -> path of those that are there.
    """

    segment: str
    number: int
    times_us: NDArray[np.int64] = field(compare=False)
    rows: NDArray[np.int64] = field(compare=False)
    components: dict[str, str]


class Waymo(Adapter):
    """Waymo perception v2.

    Args:
        root: Folder that holds ``training/`` and so on, or ``camera_image/`` and so on.
        config: Cameras by name (``FRONT``, ``SIDE_LEFT``).
    """

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        self.root = root
        self.config = config

    def settings(self) -> dict[str, Any]:
        """Cameras."""
        return {"cameras": self.config.cameras}

    def class_names(self) -> tuple[str, ...]:
        """All types of boxes."""
        return TYPES

    def recordings(self) -> Iterator[Recording | Outcome]:
        """Clips by split, segment and camera, then files that are part of none."""
        unknown = sorted(set(self.config.cameras) - set(CAMERAS))
        if unknown:
            raise ConfigError(
                f"dataset.cameras={self.config.cameras}: Waymo has no {', '.join(unknown)}; "
                f"choose among {', '.join(CAMERAS)}"
            )
        segments: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        strays = []
        for name in files_under(self.root):
            path = PurePosixPath(name)
            if path.suffix == ".parquet" and path.parent.name in _COMPONENTS:
                segments[path.parent.parent.as_posix(), path.stem][path.parent.name] = name
            else:
                strays.append(name)
        if not segments:
            raise InputError(
                f"dataset.root={self.root} holds no Waymo perception data of version 2: looked for "
                "<split>/camera_image/<segment>.parquet; see datasets/waymo.toml for how to get it"
            )
        for (folder, _), components in sorted(segments.items()):
            yield from self._segment(folder, components)
        for name in strays:
            parquet = name.endswith(".parquet")
            reason = "this component is not read" if parquet else "no part of Waymo's layout"
            yield Outcome(path=name, status="unused", reason=reason)

    def encoded(self, recording: Recording) -> Iterator[Encoded]:
        """The JPEGs of one camera, in order of time."""
        assert isinstance(recording, SegmentClip)
        start = recording.times_us[0]
        images = blobs(self.root, recording.source, _IMAGE, recording.rows)
        for number, (time_us, data) in enumerate(zip(recording.times_us, images, strict=True)):
            yield Encoded(number=number, time_s=float(time_us - start) / 1e6, data=data)

    def labels(self, recording: Recording) -> LabelReader | None:
        """2D boxes as people drew them; ``None`` for a segment without its ``camera_box``.

        Visibility is unknown: a level of difficulty is published, which is something else. Tracks are those
        of one camera.
        """
        assert isinstance(recording, SegmentClip)
        if _BOXES not in recording.components:
            return None
        name = recording.components[_BOXES]
        wanted = {**_CAMERA_KEYS, _OBJECT: pa.string(), _TYPE: pa.int64()}
        table = columns(self.root, name, wanted | dict.fromkeys(_BOX, pa.float64()))
        ours = (table[SEGMENT] == recording.segment) & (table[CAMERA] == recording.number)
        table = {column: values[ours] for column, values in table.items()}
        tracks = np.unique(table[_OBJECT].astype(str), return_inverse=True)[1].astype(np.int32)
        tracks[table[_OBJECT] == ""] = -1
        x, y, width, height = (bounded(table[column]) for column in _BOX)
        xyxy = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], 1)

        def read(number: int, _size: tuple[int, int]) -> FrameLabels:
            rows = np.flatnonzero(table[TIME] == recording.times_us[number])
            types = table[_TYPE][rows]
            if ((types < 0) | (types >= len(TYPES))).any():
                where = f"{name}#{recording.clip_id}/{number:06d}"
                raise BrokenFileError(where, f"a box of type {types.max()}; known are 0 to {len(TYPES) - 1}")
            return FrameLabels(
                xyxy=xyxy[rows].astype(np.float32),
                names=tuple(TYPES[kind] for kind in types),
                ignore=np.zeros(len(rows), np.bool_),
                visibility=np.full(len(rows), np.nan, np.float32),
                track_id=tracks[rows],
            )

        return read

    def telemetry(self, recording: Recording) -> Telemetry | None:
        """``speed_mps``, ``yaw_rate_radps``, ``acceleration_mps2`` at the images' times.

        The speed is the published velocity (m/s in the global frame) along the vehicle's nose; the others
        are differences over time. Without velocities, all come from ``vehicle_pose``; without that, none.
        """
        assert isinstance(recording, SegmentClip)
        if publishes_velocity(self.root, recording.source):
            return from_velocity(self.root, recording.source, recording.times_us, recording.rows)
        if _POSES not in recording.components:
            return None
        poses = recording.components[_POSES]
        return from_poses(self.root, poses, recording.segment, int(recording.times_us[0]))

    def _segment(self, folder: str, components: dict[str, str]) -> Iterator[Recording | Outcome]:
        split = PurePosixPath(folder).name or self.root.resolve().name
        if _IMAGES not in components:
            image = (
                PurePosixPath(folder) / _IMAGES / PurePosixPath(min(components.values())).name
            ).as_posix()
            yield Outcome(path=image, status="missing", reason="the segment's other components need it")
            yield from _unused(components.values(), f"{image} is missing")
            return
        source = components[_IMAGES]
        try:
            keys = columns(self.root, source, _CAMERA_KEYS)
            cameras = _cameras(keys, source)
        except BrokenFileError as error:
            yield Outcome(path=source, status="broken", reason=error.reason)
            others = [name for name in components.values() if name != source]
            yield from _unused(others, f"{source} cannot be used")
            return
        chosen = {
            n: rows for n, rows in cameras.items() if CAMERAS[n - 1] in (self.config.cameras or CAMERAS)
        }
        if not chosen:
            yield from _unused(components.values(), "none of dataset.cameras is in its segment")
            return
        segment = str(keys[SEGMENT][0])
        known, broken = self._conditions(components, segment)
        if broken is not None:
            components = {part: name for part, name in components.items() if part != _STATS}
            yield broken
        if split in SPLITS and _BOXES not in components:
            boxes = source.replace(_IMAGES, _BOXES)
            yield Outcome(path=boxes, status="missing", reason="without it the segment is unlabelled")
        for number, rows in sorted(chosen.items()):
            hint = SPLITS.get(split, "")
            yield _clip(segment, number, keys[TIME][rows], rows, components, known, hint)

    def _conditions(self, components: dict[str, str], segment: str) -> tuple[dict[str, str], Outcome | None]:
        """Time of day, weather and location in lower case, and the outcome of a file that cannot tell."""
        name = components.get(_STATS)
        if name is None:
            return {}, None
        wanted = {part: f"[StatsComponent].{part}" for part in _CONDITIONS}
        try:
            table = columns(
                self.root, name, {SEGMENT: pa.string(), **dict.fromkeys(wanted.values(), pa.string())}
            )
        except BrokenFileError as error:
            return {}, Outcome(path=name, status="broken", reason=error.reason)
        rows = np.flatnonzero(table[SEGMENT] == segment)
        found = {part: str(table[column][rows[0]]).lower() for part, column in wanted.items() if len(rows)}
        return {part: value for part, value in found.items() if value}, None


def _cameras(keys: dict[str, NDArray[Any]], name: str) -> dict[int, NDArray[np.int64]]:
    """Camera -> rows of its images in order of time."""
    if len(np.unique(keys[SEGMENT].astype(str))) != 1:
        raise BrokenFileError(name, f"holds {len(set(keys[SEGMENT]))} segments, not 1; fetch it again")
    if ((keys[TIME] < 0) | (keys[TIME] >= _LAST_US)).any():
        raise BrokenFileError(name, "a time that is none; fetch it again")
    found = {}
    for number in np.unique(keys[CAMERA]):
        rows = np.flatnonzero(keys[CAMERA] == number)
        rows = rows[np.argsort(keys[TIME][rows], kind="stable")]
        if not 1 <= number <= len(CAMERAS):
            raise BrokenFileError(name, f"an image of camera {number}; known are 1 to {len(CAMERAS)}")
        if (np.diff(keys[TIME][rows]) == 0).any():
            raise BrokenFileError(name, f"two images of camera {number} at one time; fetch it again")
        found[int(number)] = rows.astype(np.int64)
    return found


def _clip(
    segment: str,
    number: int,
    times_us: NDArray[np.int64],
    rows: NDArray[np.int64],
    components: dict[str, str],
    conditions: dict[str, str],
    split_hint: str,
) -> SegmentClip:
    camera = CAMERAS[number - 1]
    return SegmentClip(
        clip_id=safe_id(f"{segment}_{camera}"),
        drive_id=safe_id(segment),
        camera=camera,
        start_time_s=float(times_us[0]) / 1e6,
        fps=FRAME_RATE,
        source=components[_IMAGES],
        files=(),
        shared=tuple(sorted(components.values())),
        embedded=True,
        split_hint=split_hint,
        conditions=conditions,
        segment=segment,
        number=number,
        times_us=times_us,
        rows=rows,
        components=components,
    )


def _unused(names: Iterable[str], reason: str) -> Iterator[Outcome]:
    yield from (Outcome(path=name, status="unused", reason=reason) for name in sorted(names))

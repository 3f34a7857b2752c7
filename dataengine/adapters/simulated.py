"""The embedded fleet's recordings: mp4 videos, each with a JSON sidecar and a table of truth.

::

    world.json                        the world, noted before the first clip
    fleet.json                        written last: the world, the classes, every clip's path
    <drive_id>/<clip_id>.mp4
    <drive_id>/<clip_id>.json         ids, camera, start, split, conditions, telemetry per frame
    <drive_id>/<clip_id>.truth.parquet  one row per video frame: boxes, names, visibility, tracks
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataengine.adapters.base import (
    SAFE_ID,
    Adapter,
    BrokenFileError,
    LabelReader,
    Recording,
    files_under,
)
from dataengine.adapters.labels import FrameLabels
from dataengine.adapters.telemetry import Telemetry
from dataengine.config import DatasetConfig
from dataengine.errors import InputError, first_line
from dataengine.schema import SPLITS
from dataengine.workspace import Outcome

FLEET, WORLD = "fleet.json", "world.json"
TELEMETRY = ("time_s", "speed_mps", "yaw_rate_radps", "acceleration_mps2")
TRUTH = ("frame_number", "xyxy", "class_name", "visibility", "track_id", "ignore")


class Simulated(Adapter):
    """Recordings of the embedded fleet.

    Args:
        root: Folder that holds ``fleet.json``.
        config: Its world.
    """

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        self.root = root
        self.config = config

    def settings(self) -> dict[str, Any]:
        """The world: the folder's own where one was given."""
        world: Any = asdict(self.config.world)
        if self.config.root is not None:
            world = self._fleet().get("world")
        return {"world": world}

    def recordings(self) -> Iterator[Recording | Outcome]:
        """Videos in the order of their paths, then files that are part of none."""
        files = list(files_under(self.root))
        present = set(files)
        videos = [name for name in files if name.endswith(".mp4")]
        listed = self._listed()
        if not videos and not listed:
            raise InputError(
                f"dataset.root={self.root} holds neither {FLEET} nor any .mp4; "
                "give the folder of a rendered fleet, or leave dataset.root empty to render one"
            )
        taken = {FLEET, WORLD}
        for video in sorted({*videos, *listed}):
            sidecar, truth = _companions(video)
            taken |= {video, sidecar, truth}
            yield from self._recording(video, sidecar, truth, present)
        yield from (Outcome(path=name, status="added") for name in (WORLD, FLEET) if name in present)
        for name in files:
            if name not in taken:
                yield Outcome(path=name, status="unused", reason="belongs to no video of the fleet")

    def telemetry(self, recording: Recording) -> Telemetry | None:
        """Telemetry from the sidecar."""
        name = _companions(recording.source)[0]
        sidecar = self._sidecar(name)
        try:
            columns = [np.asarray(sidecar.get(key, []), np.float64) for key in TELEMETRY]
            if any(column.shape != (len(columns[0]),) for column in columns):
                raise BrokenFileError(name, f"{', '.join(TELEMETRY)} are not equally long lists of numbers")
            if not len(columns[0]):
                return None
            return Telemetry.on_one_clock(columns[0], dict(zip(TELEMETRY[1:], columns[1:], strict=True)))
        except (ValueError, TypeError, OverflowError) as error:
            raise BrokenFileError(name, f"telemetry that is no numbers ({first_line(error)})") from error
        except BrokenFileError:
            raise
        except InputError as error:
            raise BrokenFileError(name, str(error)) from error

    def labels(self, recording: Recording) -> LabelReader:
        """Labels from the table of truth."""
        name = _companions(recording.source)[1]
        try:
            table = pq.ParquetFile(self.root / name).read(list(TRUTH))
        except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
            raise BrokenFileError(name, f"not a readable table of truth ({first_line(error)})") from error
        if set(table.column_names) != set(TRUTH):
            raise BrokenFileError(name, f"lacks columns; needed are {', '.join(TRUTH)}")
        rows = {row["frame_number"]: row for row in table.to_pylist() if isinstance(row["frame_number"], int)}

        def read(number: int, _size: tuple[int, int]) -> FrameLabels:
            if number not in rows:
                raise BrokenFileError(f"{name}#{number:06d}", "no row of truth for this frame")
            try:
                return _labels(rows[number])
            except (ValueError, TypeError, OverflowError) as error:
                reason = f"damaged row of truth ({first_line(error)})"
                raise BrokenFileError(f"{name}#{number:06d}", reason) from error

        return read

    def _listed(self) -> list[str]:
        clips = self._fleet().get("clips", [])
        if not isinstance(clips, list):
            raise InputError(f"{self.root / FLEET}: `clips` is no list; render the fleet again")
        return [str(name) for name in clips]

    def _fleet(self) -> dict[str, Any]:
        path = self.root / FLEET
        if not path.is_file():
            return {}
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError, RecursionError) as error:
            raise InputError(f"{path} is damaged ({first_line(error)}); render the fleet again") from error

    def _recording(
        self, video: str, sidecar: str, truth: str, present: set[str]
    ) -> Iterator[Recording | Outcome]:
        names = (video, sidecar, truth)
        faults = {name: ("missing", "the fleet needs it") for name in names if name not in present}
        if not faults:
            try:
                yield self._described(video, names)
                return
            except BrokenFileError as error:
                faults[error.path] = ("broken", error.reason)
        for name in names:
            status, reason = faults.get(name, ("unused", f"{next(iter(faults))} cannot be used"))
            yield Outcome(path=name, status=status, reason=reason)

    def _described(self, video: str, names: tuple[str, ...]) -> Recording:
        sidecar = names[1]
        value = self._sidecar(sidecar)
        try:
            for key in ("clip_id", "drive_id"):
                if not SAFE_ID.fullmatch(value[key]):
                    raise BrokenFileError(sidecar, f"{key} {value[key]!r} must be letters, digits and _.+-")
            if value["split"] not in ("", *SPLITS):
                raise BrokenFileError(sidecar, f"split {value['split']!r} is none of {', '.join(SPLITS)}")
            return Recording(
                clip_id=value["clip_id"],
                drive_id=value["drive_id"],
                vehicle_id=str(value.get("vehicle_id", "")),
                camera=str(value.get("camera", "")),
                start_time_s=float(value["start_time_s"]),
                fps=float(value["fps"]),
                source=video,
                files=names,
                split_hint=value["split"],
                conditions={str(key): str(entry) for key, entry in dict(value["conditions"]).items()},
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            reason = f"a field is missing or of the wrong type ({first_line(error)})"
            raise BrokenFileError(sidecar, reason) from error

    def _sidecar(self, name: str) -> dict[str, Any]:
        try:
            value = json.loads((self.root / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise BrokenFileError(name, f"not readable JSON ({first_line(error)})") from error
        if not isinstance(value, dict):
            raise BrokenFileError(name, "not a JSON object")
        return value


def _companions(video: str) -> tuple[str, str]:
    stem = video.removesuffix(".mp4")
    return f"{stem}.json", f"{stem}.truth.parquet"


def _labels(row: dict[str, Any]) -> FrameLabels:
    names = tuple(str(name) for name in row["class_name"])
    number = len(names)
    return FrameLabels(
        xyxy=np.asarray(row["xyxy"], np.float32).reshape(number, 4),
        names=names,
        ignore=np.asarray(row["ignore"], np.bool_).reshape(number),
        visibility=np.asarray(row["visibility"], np.float32).reshape(number),
        track_id=np.asarray(row["track_id"], np.int32).reshape(number),
    )

"""KITTI, the tracking benchmark: sequences at 10 Hz with tracks, GPS and inertial measurements.

::

    training/image_02/0001/000000.png       left colour camera; image_03 is the right one
    training/label_02/0001.txt              one file a sequence; see kitti_labels
    training/oxts/0001.txt                  one line a frame; see kitti_oxts
    training/calib/0001.txt

Archives may stay in folders of their own (``data_tracking_image_2/training/...``). A sequence is a drive,
a camera of it a clip. Labels are of the left camera: the right one's images are unlabelled. A frame of
a labelled sequence that has no line holds no object. KITTI publishes no validation split, and no labels
of its test sequences: no split is hinted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
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
from dataengine.adapters.kitti.labels import CLASSES, TrackLabels, read_tracks, without_empty_regions
from dataengine.adapters.kitti.oxts import RATE, read_oxts, read_projection
from dataengine.adapters.labels import FrameLabels
from dataengine.adapters.telemetry import Between, Signal, Telemetry
from dataengine.config import DatasetConfig
from dataengine.errors import InputError
from dataengine.workspace import Outcome

LABELLED_CAMERA = "image_02"
_IMAGE = re.compile(r"(?P<number>\d{1,9})\.(?:png|jpe?g)", re.IGNORECASE)
_CAMERA = re.compile(r"image_0[0-3]")
_TABLES = ("label_02", "oxts", "calib")


@dataclass(slots=True)
class _Sequence:
    """Files of one sequence: images by camera and number, tables by kind."""

    images: dict[str, dict[int, str]] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)


class KittiTracking(Adapter):
    """KITTI's tracking benchmark.

    Args:
        root: Folder with ``image_02/`` somewhere below it.
        config: Which cameras.
    """

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        self.root = root
        self.config = config

    def settings(self) -> dict[str, Any]:
        """The cameras."""
        return {"cameras": sorted(self.config.cameras)}

    def class_names(self) -> Iterable[str]:
        """The types of the object benchmark, and ``Person`` for one of them."""
        return (*CLASSES, "Person")

    def recordings(self) -> Iterator[Recording | Outcome]:
        """Sequences by split and number, each camera a clip, then files of none."""
        sequences, strays = _sequences(files_under(self.root), self.config.cameras)
        if not any(sequence.images or "label_02" in sequence.tables for sequence in sequences.values()):
            raise InputError(
                f"dataset.root={self.root} holds no KITTI tracking: looked for image_02/0000/000000.png and "
                "so on; see datasets/kitti_tracking.toml for where to get it"
            )
        for (split, name), sequence in sorted(sequences.items()):
            yield from self._clips(f"{split}_{name}" if split else name, sequence)
        yield from strays

    def labels(self, recording: Recording) -> LabelReader | None:
        """The tracks' boxes, read while listing."""
        inline = {still.number: still.inline for still in recording.stills}
        if not any(labels is not None for labels in inline.values()):
            return None

        def read(number: int, size: tuple[int, int]) -> FrameLabels | None:
            found = inline[number]
            return None if found is None else without_empty_regions(found, size)

        return read

    def telemetry(self, recording: Recording) -> Telemetry | None:
        """What ``kitti.oxts.read_oxts`` reads, and ``projection``: ``[12]``, see ``read_projection``."""
        signals: dict[str, Signal] = {}
        for path in recording.shared:
            kind = path.split("/")[-2]
            try:
                if kind == "oxts":
                    signals |= read_oxts(self.root / path, recording.start_time_s)
                else:
                    matrix = read_projection(self.root / path, recording.camera)
                    times = np.array([still.time_s for still in recording.stills])
                    values = np.tile(matrix, (len(times), 1))
                    signals["projection"] = Signal(time_s=times, values=values, between=Between.previous)
            except InputError as error:
                raise BrokenFileError(path, str(error)) from error
        return Telemetry(signals=signals) if signals else None

    def _clips(self, drive: str, sequence: _Sequence) -> Iterator[Recording | Outcome]:
        """The cameras of one sequence, and the outcomes of what no clip of it draws on."""
        images = {camera: dict(numbered) for camera, numbered in sequence.images.items()}
        path = sequence.tables.get("label_02", "")
        left = images.pop(LABELLED_CAMERA, {})
        tracks: TrackLabels | None = None
        if path and self.config.cameras and LABELLED_CAMERA not in self.config.cameras:
            yield Outcome(path=path, status="unused", reason=f"dataset.cameras leaves {LABELLED_CAMERA} out")
            path = ""
        try:
            tracks = read_tracks(self.root / path) if path else None
        except InputError as error:
            yield Outcome(path=path, status="broken", reason=str(error))
            for image in left.values():
                yield Outcome(path=image, status="unused", reason=f"{path} cannot be used")
            left = {}
        if tracks is not None:
            yield from _without_use(path, tracks, left)
        if left:
            images[LABELLED_CAMERA] = left
        shared = [sequence.tables["oxts"]] if "oxts" in sequence.tables else []
        calib = sequence.tables.get("calib")
        if calib is not None:
            fault = self._fault_of(calib, images)
            shared += [] if fault else [calib]
            if fault:
                yield Outcome(path=calib, status="broken", reason=fault)
        for camera, numbered in sorted(images.items()):
            own = tracks if camera == LABELLED_CAMERA else None
            yield _recording(drive, camera, numbered, own, path if own else "", tuple(shared))
        if not images:
            for name in shared:
                yield Outcome(path=name, status="unused", reason="no image of its sequence can be used")

    def _fault_of(self, calib: str, cameras: Iterable[str]) -> str:
        """What is wrong with a calibration; a damaged one must not cost the other telemetry."""
        try:
            for camera in cameras:
                read_projection(self.root / calib, camera)
        except InputError as error:
            return str(error)
        return ""


def _sequences(
    files: Iterable[str], cameras: list[str]
) -> tuple[dict[tuple[str, str], _Sequence], list[Outcome]]:
    """Files by split and sequence, and an outcome for each of the others."""
    sequences: defaultdict[tuple[str, str], _Sequence] = defaultdict(_Sequence)
    strays: list[Outcome] = []
    for path in files:
        *folders, name = path.split("/")
        stem = name.rpartition(".")[0]
        inner = ["", "", "", *folders][-3:]
        match = _IMAGE.fullmatch(name)
        if match and _CAMERA.fullmatch(inner[1]):
            split, camera, sequence = inner
            if cameras and camera not in cameras:
                reason = f"dataset.cameras leaves {camera} out"
                strays.append(Outcome(path=path, status="unused", reason=reason))
                continue
            numbered = sequences[split, sequence].images.setdefault(camera, {})
            first = numbered.setdefault(int(match["number"]), path)
        elif inner[2] in _TABLES and name.endswith(".txt"):
            first = sequences[inner[1], stem].tables.setdefault(inner[2], path)
        else:
            strays.append(Outcome(path=path, status="unused", reason=_why_unused(inner)))
            continue
        if first != path:
            strays.append(Outcome(path=path, status="unused", reason=f"the same as {first}"))
    return sequences, strays


def _why_unused(folders: list[str]) -> str:
    return "laser scans: images are read" if "velodyne" in folders else "no part of KITTI's layout"


def _without_use(path: str, tracks: TrackLabels, images: dict[int, str]) -> Iterator[Outcome]:
    """Outcomes of labelled images that are not there or that damaged lines spoil, which are taken out.

    The file of labels has one too where no image is left: no clip draws on it.
    """
    folder, suffix = f"{path.rpartition('label_02/')[0]}{LABELLED_CAMERA}/{PurePosixPath(path).stem}", ".png"
    if images:
        known = PurePosixPath(next(iter(images.values())))
        folder, suffix = str(known.parent), known.suffix
    for number in sorted({*tracks.frames, *tracks.faults} - images.keys()):
        gone = f"{folder}/{number:06d}{suffix}"
        yield Outcome(path=gone, status="missing", reason=f"labelled in {path}, but not there")
    spoilt = [number for number in tracks.faults if number in images]
    for number in spoilt:
        reason = f"its labels in {path} cannot be used: {tracks.faults[number]}"
        yield Outcome(path=images.pop(number), status="unused", reason=reason)
    if not images and spoilt:
        yield Outcome(path=path, status="broken", reason=tracks.faults[spoilt[0]])
    elif not images:
        yield Outcome(path=path, status="unused", reason="none of the images that it labels is there")


def _recording(
    drive: str,
    camera: str,
    images: dict[int, str],
    tracks: TrackLabels | None,
    labels: str,
    shared: tuple[str, ...],
) -> Recording:
    numbers = sorted(images)
    return Recording(
        clip_id=safe_id(f"{drive}_{camera}"),
        drive_id=safe_id(drive),
        camera=camera,
        start_time_s=numbers[0] / RATE,
        fps=RATE,
        source=images[numbers[0]].rpartition("/")[0],
        files=(*(images[number] for number in numbers), *([labels] if labels else [])),
        shared=shared,
        stills=tuple(
            Still(
                number=number,
                time_s=(number - numbers[0]) / RATE,
                image=images[number],
                inline=None if tracks is None else tracks.at(number),
            )
            for number in numbers
        ),
    )

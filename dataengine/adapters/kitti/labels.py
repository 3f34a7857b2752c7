"""KITTI's label lines, of the object benchmark and of the tracking benchmark.

A line is ``type truncated occluded alpha left top right bottom height width length x y z rotation_y``;
tracking puts a frame number and a track id before it, and a result file a score behind it. ``truncated``
is a share, 0..1, in the object benchmark and a level, 0..2, in tracking; ``occluded`` is a level, 0..2,
or 3 for unknown.

Visibility is the share left by truncation times that left by occlusion; a level stands for the middle of its
range: partly is 0.5 to 1, largely is 0 to 0.5. Boxes are taken as the devkit's evaluation takes them: the
width is ``right - left``. ``DontCare`` regions, where nobody labelled far objects, are ignore regions.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dataengine.adapters.labels import FrameLabels
from dataengine.errors import InputError

CLASSES = ("Car", "Van", "Truck", "Pedestrian", "Person_sitting", "Cyclist", "Tram", "Misc", "DontCare")
"""Types of the object benchmark; tracking writes ``Person`` for a sitting one."""

REGION = "DontCare"
NUM_FIELDS = 15
MAX_DIGITS = 7

_PREDICTION = "a score stands at the end of a line: predictions, which nobody checked"

_VISIBLE = {0: 1.0, 1: 0.75, 2: 0.25}


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    xyxy: tuple[float, float, float, float]
    visibility: float
    track: int


@dataclass(slots=True, kw_only=True)
class TrackLabels:
    """The labels of one sequence.

    Attributes:
        frames: Labels by frame number, of frames that have any.
        faults: Frames of which a line cannot be used, and why.
    """

    frames: Mapping[int, FrameLabels]
    faults: Mapping[int, str] = field(default_factory=dict)

    def at(self, number: int) -> FrameLabels:
        """The labels of a frame; without a line it was labelled and holds no object."""
        return self.frames.get(number) or _frame([])


def read_objects(path: Path) -> FrameLabels:
    """The labels of one image of the object benchmark.

    Raises:
        InputError: The file cannot be read, or a line of it is no label; the message says which.
    """
    found = []
    for number, fields in _lines(path):
        try:
            found.append(_line(fields, -1, is_tracking=False))
        except InputError as error:
            raise InputError(f"line {number}: {error}") from error
    return _frame(found)


def read_tracks(path: Path) -> TrackLabels:
    """The labels of one sequence of the tracking benchmark. A damaged line costs its own frame alone.

    Raises:
        InputError: The file cannot be read, holds predictions, or a line does not say its frame.
    """
    lines: defaultdict[int, list[_Line]] = defaultdict(list)
    faults: dict[int, str] = {}
    for number, fields in _lines(path):
        if not fields[0].isdecimal() or len(fields[0]) > MAX_DIGITS:
            raise InputError(f"line {number} does not start with a frame number: {fields[0][:20]!r}")
        if len(fields) == NUM_FIELDS + 3:
            raise InputError(_PREDICTION)
        frame = int(fields[0])
        try:
            track = int(_number(fields[1])) if len(fields) > 1 else -1
            if not -1 <= track < 2**31:
                raise InputError(f"track id {track}")
            lines[frame].append(_line(fields[2:], track, is_tracking=True))
        except InputError as error:
            faults[frame] = f"line {number}: {error}"
    frames = {number: _frame(found) for number, found in lines.items() if number not in faults}
    return TrackLabels(frames=frames, faults=faults)


def without_empty_regions(labels: FrameLabels, size: tuple[int, int]) -> FrameLabels:
    """The labels without regions that cover nothing of the image: unlike an object, they tell nothing.

    Args:
        labels: As read.
        size: Height and width of the image in pixels.
    """
    x1, y1, x2, y2 = labels.xyxy.T
    height, width = size
    covers = (np.minimum(x2, width) > np.maximum(x1, 0)) & (np.minimum(y2, height) > np.maximum(y1, 0))
    kept = covers | ~labels.ignore
    return FrameLabels(
        xyxy=labels.xyxy[kept],
        names=tuple(name for name, keep in zip(labels.names, kept, strict=True) if keep),
        ignore=labels.ignore[kept],
        visibility=labels.visibility[kept],
        track_id=labels.track_id[kept],
    )


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Number, from 1 on, and fields of each line that is not blank."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError("no text") from error
    if not text:
        raise InputError("empty file; where there are no objects, a blank line says so")
    for number, line in enumerate(text.split("\n"), 1):
        if fields := line.split():
            yield number, fields


def _line(fields: list[str], track: int, *, is_tracking: bool) -> _Line:
    if len(fields) == NUM_FIELDS + 1:
        raise InputError(_PREDICTION)
    if len(fields) != NUM_FIELDS:
        columns = NUM_FIELDS + 2 * is_tracking
        raise InputError(f"{len(fields) + 2 * is_tracking} columns; a label has {columns}")
    truncated, occluded, left, top, right, bottom = (_number(fields[index]) for index in (1, 2, 4, 5, 6, 7))
    if is_tracking:
        inside = _VISIBLE.get(int(truncated), math.nan)
    else:
        inside = 1 - truncated if 0 <= truncated <= 1 else math.nan
    return _Line(
        name=fields[0],
        xyxy=(left, top, right, bottom),
        visibility=inside * _VISIBLE.get(int(occluded), math.nan),
        track=track,
    )


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) < 1e9:
        raise InputError(f"{text[:20]!r} is no number of a label")
    return value


def _frame(lines: list[_Line]) -> FrameLabels:
    return FrameLabels(
        xyxy=np.array([line.xyxy for line in lines], np.float32).reshape(-1, 4),
        names=tuple(line.name for line in lines),
        ignore=np.array([line.name == REGION for line in lines], np.bool_),
        visibility=np.array([line.visibility for line in lines], np.float32),
        track_id=np.array([line.track for line in lines], np.int32),
    )

"""Labels of Scalabel and BDD100K files in columns: about 30 bytes a box, only for the images that are there.

Box coordinates are inclusive there (``width = x2 - x1 + 1``, scalabel/label/transforms.py), so one pixel
is added to the right and to the bottom. Visibility is the middle of what the flags leave open: 1 for
an object that is neither occluded nor truncated, 0.5 for either, 0.25 for both, unknown where a label
has neither flag. Crowds and labels that are marked as ignored are ignore regions.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dataengine.adapters.labels import FrameLabels
from dataengine.errors import InputError

SUFFIXES = (".jpg", ".jpeg", ".png")
_IGNORED = ("crowd", "ignore", "ignored")
_CONDITIONS = {"weather": "weather", "scene": "scene", "timeofday": "time_of_day"}
_WORDS = {"daytime": "day", "dawn/dusk": "dusk", "rainy": "rain", "snowy": "snow", "foggy": "fog"}


@dataclass(frozen=True, slots=True)
class Box:
    """One label of a frame: x2 and y2 exclusive, the dataset's own track id or ``None``."""

    xyxy: tuple[float, float, float, float]
    name: str
    ignore: bool
    visibility: float
    track: str | None


@dataclass(slots=True)
class LabelTable:
    """Labels of many frames, by the image's name without folder and suffix.

    Attributes:
        rows: Row of every labelled frame.
        faults: Frames whose labels cannot be used, and why.
        conditions: Of a frame, in this engine's words; equal ones are one object.
        time_ms: A frame's time in its video, where the file says it.
    """

    rows: dict[str, int] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    conditions: dict[str, Mapping[str, str]] = field(default_factory=dict)
    time_ms: dict[str, float] = field(default_factory=dict)
    _offsets: array[int] = field(default_factory=lambda: array("q", [0]))
    _xyxy: array[float] = field(default_factory=lambda: array("f"))
    _name: array[int] = field(default_factory=lambda: array("i"))
    _ignore: array[int] = field(default_factory=lambda: array("b"))
    _visibility: array[float] = field(default_factory=lambda: array("f"))
    _track: array[int] = field(default_factory=lambda: array("i"))
    _names: dict[str, int] = field(default_factory=dict)
    _tracks: dict[tuple[str, str], int] = field(default_factory=dict)

    def __contains__(self, name: object) -> bool:
        return name in self.rows or name in self.faults

    def add(self, name: str, boxes: list[Box], video: str) -> None:
        """Append a frame. Track ids become numbers from 0 on, in the order in which a video shows them."""
        for box in boxes:
            self._xyxy.extend(box.xyxy)
            self._name.append(self._names.setdefault(box.name, len(self._names)))
            self._ignore.append(box.ignore)
            self._visibility.append(box.visibility)
            tracked = video and box.track is not None
            key = (video, box.track or "")
            self._track.append(self._tracks.setdefault(key, len(self._tracks)) if tracked else -1)
        self.rows[name] = len(self._offsets) - 1
        self._offsets.append(len(self._name))

    def labels(self, name: str) -> FrameLabels | None:
        """A frame's labels; ``None`` if nobody labelled it."""
        row = self.rows.get(name)
        if row is None:
            return None
        start, stop = self._offsets[row], self._offsets[row + 1]
        names = list(self._names)
        return FrameLabels(
            xyxy=np.array(self._xyxy[4 * start : 4 * stop], np.float32).reshape(-1, 4),
            names=tuple(names[index] for index in self._name[start:stop]),
            ignore=np.array(self._ignore[start:stop], np.bool_),
            visibility=np.array(self._visibility[start:stop], np.float32),
            track_id=np.array(self._track[start:stop], np.int32),
        )


def image_name(text: str) -> str:
    """The name of an image without folder and suffix; entries and files that share it belong together."""
    name = text.rsplit("/", 1)[-1]
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and f".{suffix.lower()}" in SUFFIXES else name


def boxes_of(labels: list[Any]) -> Iterator[Box]:
    """The labels that have a 2D box; lanes, areas, masks and 3D boxes are passed over.

    Raises:
        InputError: A label lacks its class, or its box a coordinate; the message says which.
    """
    for number, label in enumerate(labels):
        corners = label.get("box2d")
        if corners is None:
            continue
        name, flags = label.get("category"), lower_keys(label.get("attributes"))
        if not isinstance(name, str) or not name:
            raise InputError(f"label {number} has no category")
        try:
            x1, y1, x2, y2 = (float(corners[key]) for key in ("x1", "y1", "x2", "y2"))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(f"label {number} ({name}) has no box2d of four numbers") from error
        track = label.get("id")
        yield Box(
            xyxy=(x1, y1, x2 + 1, y2 + 1),
            name=name,
            ignore=any(is_true(flags.get(key)) for key in _IGNORED),
            visibility=_visibility(flags),
            track=None if track is None else str(track),
        )


def conditions_of(attributes: Any) -> dict[str, str]:
    """A frame's weather, scene and time of day in this engine's words; what is undefined is left out."""
    found = lower_keys(attributes)
    values = {ours: found.get(theirs) for theirs, ours in _CONDITIONS.items()}
    return {
        key: _WORDS.get(value, value)
        for key, value in values.items()
        if isinstance(value, str) and value not in ("", "undefined")
    }


def lower_keys(value: Any) -> dict[str, Any]:
    """A dictionary with its keys in lower case: releases differ in ``Crowd`` and ``crowd``."""
    return {key.lower(): item for key, item in value.items()} if isinstance(value, dict) else {}


def is_true(value: Any) -> bool:
    """Whether a flag is set, as a boolean, a number or a word."""
    return value is True or (value is not False and str(value).lower() in ("true", "1"))


def _visibility(flags: dict[str, Any]) -> float:
    known = [is_true(flags[key]) for key in ("occluded", "truncated") if flags.get(key) is not None]
    return 0.5 ** sum(known) if known else math.nan

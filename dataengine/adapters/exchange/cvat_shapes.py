"""Shapes of CVAT as boxes: those of an image, and those of tracks at any frame of a video."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine.adapters.exchange.reading import as_list, check_size, frame_labels, reader, seen
from dataengine.adapters.labels import FrameLabels

_KINDS = ("box", "polygon", "mask")


def image_labels(element: Mapping[str, Any]) -> tuple[FrameLabels, tuple[int, int]]:
    """The objects of an ``<image>``, and the size in pixels that they are for."""
    image = reader("fiftyone.utils.cvat").CVATImage.from_image_dict(element)
    shapes = list(_shapes(element))
    labels = frame_labels(
        [corners(kind, shape) for kind, shape in shapes],
        [str(shape["@label"]) for _, shape in shapes],
        visibility=[seen(shape.get("@occluded")) for _, shape in shapes],
    )
    return labels, (image.width, image.height)


def corners(kind: str, shape: Mapping[str, Any]) -> NDArray[np.float64]:
    """``[4]`` xyxy around a shape in pixels; FiftyOne's own boxes are rounded and without rotation."""
    if kind == "mask":
        left, top, width, height = (float(shape[f"@{name}"]) for name in ("left", "top", "width", "height"))
        return np.array([left, top, left + width, top + height])
    if kind == "polygon":
        points = np.array(
            [[float(value) for value in pair.split(",")] for pair in shape["@points"].split(";")]
        )
        return np.concatenate([points.min(0), points.max(0)])
    x1, y1, x2, y2 = (float(shape[f"@{name}"]) for name in ("xtl", "ytl", "xbr", "ybr"))
    angle = np.deg2rad(float(shape.get("@rotation") or 0))
    cos, sin = abs(np.cos(angle)), abs(np.sin(angle))
    half = np.array([(x2 - x1) * cos + (y2 - y1) * sin, (x2 - x1) * sin + (y2 - y1) * cos]) / 2
    centre = np.array([x1 + x2, y1 + y2]) / 2
    return np.concatenate([centre - half, centre + half]) if angle else np.array([x1, y1, x2, y2])


def _shapes(element: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for kind in _KINDS:
        for shape in as_list(element.get(kind)):
            yield kind, shape


@dataclass(frozen=True, slots=True)
class Track:
    """One object through a video: ``K`` frame numbers that rise, with ``[K, 4]`` boxes and flags."""

    label: str
    number: int
    frames: list[int]
    boxes: NDArray[np.float64]
    outside: list[bool]
    visibility: list[float]

    def at(self, frame: int) -> tuple[NDArray[np.float64], float] | None:
        """Its box and visibility; linear between two entries, nothing after one that is ``outside``."""
        index = bisect_right(self.frames, frame) - 1
        if index < 0 or self.outside[index]:
            return None
        if self.frames[index] == frame:
            return self.boxes[index], self.visibility[index]
        if index + 1 == len(self.frames):
            return None
        before, after = self.frames[index], self.frames[index + 1]
        share = (frame - before) / (after - before)
        return self.boxes[index] * (1 - share) + self.boxes[index + 1] * share, self.visibility[index]


@dataclass(frozen=True, slots=True)
class Tracks:
    """All tracks of a video, and which of its frames were annotated.

    Attributes:
        tracks: The objects.
        frames: Numbers of the annotated frames; ``None`` for all.
        size: Width and height that the boxes are for; ``None`` where the file does not say.
    """

    tracks: tuple[Track, ...]
    frames: range | None
    size: tuple[int, int] | None

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Tracks:
        """The tracks of an ``<annotations>``; damage raises whatever it makes of reading code."""
        meta = value.get("meta") or {}
        task = meta.get("task") or meta.get("job") or {}
        original = task.get("original_size") or {}
        size = (int(original["width"]), int(original["height"])) if original else None
        cvat = reader("fiftyone.utils.cvat")
        tracks = []
        for number, element in enumerate(as_list(value.get("track"))):
            # FiftyOne's reader checks the form; its own tracks are rounded to whole pixels
            cvat.CVATTrack.from_track_dict(element, size or (1, 1))
            tracks.append(_track(element, number))
        return cls(tuple(tracks), _annotated(task), size)

    def at(self, frame: int, size: tuple[int, int]) -> FrameLabels | None:
        """Objects of one frame; ``None`` for a frame that the task leaves out."""
        if self.frames is not None and frame not in self.frames:
            return None
        check_size(self.size, size)
        found = [(track, where) for track in self.tracks if (where := track.at(frame)) is not None]
        return frame_labels(
            [box.tolist() for _, (box, _) in found],
            [track.label for track, _ in found],
            visibility=[visible for _, (_, visible) in found],
            tracks=[track.number for track, _ in found],
        )


def _track(element: Mapping[str, Any], number: int) -> Track:
    entries = {int(shape["@frame"]): (kind, shape) for kind, shape in _shapes(element)}
    frames = sorted(entries)
    ordered = [entries[frame] for frame in frames]
    given = str(element.get("@id", ""))
    return Track(
        label=str(element["@label"]),
        number=int(given) if given.isdigit() else number,
        frames=frames,
        boxes=np.array([corners(kind, shape) for kind, shape in ordered]).reshape(len(frames), 4),
        outside=[str(shape.get("@outside", "0")) == "1" for _, shape in ordered],
        visibility=[seen(shape.get("@occluded")) for _, shape in ordered],
    )


def _annotated(task: Mapping[str, Any]) -> range | None:
    """Frames of a task that does not start at 0 or takes every n-th frame alone."""
    if "start_frame" not in task or "stop_frame" not in task:
        return None
    step = 1
    for part in str(task.get("frame_filter") or "").split("&"):
        name, _, count = part.partition("=")
        if name.strip() == "step" and count.strip().isdigit():
            step = max(1, int(count))
    return range(int(task["start_frame"]), int(task["stop_frame"]) + 1, step)

"""One Scalabel or BDD100K file into a table of labels, and what the file is if it holds none."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataengine.adapters.scalabel.columns import LabelTable, boxes_of, conditions_of, image_name
from dataengine.adapters.scalabel.stream import NoFramesError, frames_of
from dataengine.errors import InputError


@dataclass(slots=True, kw_only=True)
class LabelFile:
    """What one file says.

    Attributes:
        table: Labels of the frames that were wanted.
        missing: ``(name, video)`` of its labelled frames whose image is not there.
        num_frames: Its frames.
        fault: What is damaged, and what is kept; empty for nothing.
    """

    table: LabelTable = field(default_factory=LabelTable)
    missing: list[tuple[str, str]] = field(default_factory=list)
    num_frames: int = 0
    fault: str = ""
    _num_labels: int = 0
    _num_boxes: int = 0
    _is_oldest: bool = False
    _same: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = field(default_factory=dict)

    @property
    def is_used(self) -> bool:
        """Whether labels or conditions of any frame came of it."""
        return bool(self.table.rows or self.table.conditions)

    def take(self, frame: dict[str, Any], images: Container[str], taken: Container[str]) -> None:
        """Enter one frame of the file.

        Raises:
            NoFramesError: It is a prediction.
        """
        self.num_frames += 1
        written = frame.get("name")
        if not isinstance(written, str) or not written:
            self.fault = self.fault or f"frame {self.num_frames - 1} has no name; the others are kept"
            return
        name, video = image_name(written), frame.get("videoName")
        labels = frame["objects"] if "objects" in frame else frame.get("labels")
        if not isinstance(labels, list | None) or not all(isinstance(item, dict) for item in labels or ()):
            self.table.faults[name] = "its labels are no list of objects"
            return
        self._survey(labels or [])
        self._is_oldest |= "objects" in frame
        is_labelled = "objects" in frame or "labels" in frame
        if name not in images:
            if is_labelled:
                self.missing.append((written.rsplit("/", 1)[-1], video if isinstance(video, str) else ""))
        elif name not in taken:
            self._enter(name, frame, (labels or []) if is_labelled else None)

    def finish(self) -> None:
        """Judge the file as a whole.

        Raises:
            NoFramesError: None of its labels has a box, so its frames may be full of objects. (A file of the
                oldest shape has one image, and every kind of label of it: there no boxes are no objects.)
        """
        if self._num_labels and not self._num_boxes and not self._is_oldest:
            raise NoFramesError("labels without boxes: lanes, drivable areas, masks or poses")
        if not self.num_frames and not self.fault:
            raise NoFramesError("a list without frames")

    def _survey(self, labels: list[dict[str, Any]]) -> None:
        self._num_labels += len(labels)
        for label in labels:
            self._num_boxes += label.get("box2d") is not None
            if isinstance(label.get("score"), int | float):
                raise NoFramesError("predictions (its labels have scores), which nobody checked")

    def _enter(self, name: str, frame: dict[str, Any], labels: list[dict[str, Any]] | None) -> None:
        if name in self.table:
            self.table.rows.pop(name, None)
            self.table.faults[name] = "it is listed twice"
            return
        conditions = conditions_of(frame.get("attributes"))
        if conditions:
            self.table.conditions[name] = self._same.setdefault(tuple(conditions.items()), conditions)
        time_ms = frame.get("timestamp")
        if isinstance(time_ms, int | float) and 0 <= time_ms < 1e9:
            self.table.time_ms[name] = float(time_ms)
        if labels is None:
            return
        video, index = frame.get("videoName"), frame.get("frameIndex", frame.get("index"))
        tracked = isinstance(video, str) and isinstance(index, int)
        try:
            self.table.add(name, list(boxes_of(labels)), str(video) if tracked else "")
        except InputError as error:
            self.table.faults[name] = str(error)


def read_labels(path: Path, images: Container[str], taken: Container[str] = ()) -> LabelFile:
    """Read one file. A list that is cut short keeps its frames up to there, with ``fault`` set.

    Args:
        path: The JSON file.
        images: Names of the images that are there, without folder and suffix.
        taken: Names that another file labelled already: passed over.

    Raises:
        NoFramesError: It holds no labels with boxes; the message says what instead.
        InputError: Nothing of it can be read.
    """
    found = LabelFile()
    try:
        for frame in frames_of(path):
            found.take(frame, images, taken)
    except NoFramesError:
        raise
    except InputError as error:
        if not found.num_frames:
            raise
        found.fault = f"{error}; its {found.num_frames} frames before that are kept"
    found.finish()
    return found

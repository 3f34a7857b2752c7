"""BDD100K's label files: those of many videos held in columns, those of one drive read in its turn."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dataengine.adapters.bdd100k.layout import TRACK_FRAME, Drive, Layout, expected_path
from dataengine.adapters.labels import FrameLabels
from dataengine.adapters.scalabel.columns import LabelTable, image_name
from dataengine.adapters.scalabel.files import LabelFile, read_labels
from dataengine.adapters.scalabel.stream import NoFramesError
from dataengine.errors import InputError
from dataengine.workspace import Outcome


@dataclass(slots=True)
class Labels:
    """The label files of many videos.

    Attributes:
        root: The dataset's root.
        images: Names of all images, without folder and suffix.
        tables: Of every file that labels any of them, the preferred one first.
        outcomes: One for each file, and one for each image that is listed and not there.
        gone: Paths of the latter.
    """

    root: Path
    images: Container[str]
    tables: dict[str, LabelTable] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, root: Path, layout: Layout) -> Labels:
        """Read the lists of a folder."""
        labels = cls(root, layout.images)
        missing: list[Outcome] = []
        for path in layout.lists:
            found, outcome = _read(root, path, labels.images, _Taken(labels.tables))
            labels.outcomes.append(outcome or Outcome(path=path, status="added"))
            if found is not None:
                if found.is_used or found.table.faults:
                    labels.tables[path] = found.table
                missing += labels._missing(path, found, labels.gone)
        labels.outcomes += missing
        return labels

    def of_drive(self, drive: Drive) -> DriveLabels:
        """The labels of one drive: its own files are read now."""
        found = DriveLabels(drive=drive, tables=dict(self.tables))
        gone = set(self.gone) if drive.labels else set()
        for path in drive.labels:
            labels, outcome = _read(self.root, path, set(found.names), _Taken(found.tables))
            if labels is not None:
                found.tables[path] = labels.table
                found.outcomes += self._missing(path, labels, gone)
                if labels.table.rows and outcome is None:
                    found.own.append(path)
                    continue
            if outcome is not None and outcome.status == "broken":
                found.broken.append(path)
            found.outcomes.append(outcome or Outcome(path=path, status="added"))  # for its conditions
        return found

    def _missing(self, path: str, found: LabelFile, known: set[str]) -> Iterator[Outcome]:
        """An outcome for each image that a file labels and that is not there, unless it is ``known``."""
        for name, video in found.missing:
            expected = expected_path(path, name, video)
            if image_name(name) in self.images:
                continue
            if (self.root / expected).exists():  # a file of another kind, with an outcome of its own
                expected = f"{path}#{name}"
            if expected in known:
                continue
            known.add(expected)
            yield Outcome(path=expected, status="missing", reason=f"labelled in {path}, but not there")


@dataclass(slots=True, kw_only=True)
class DriveLabels:
    """What is known of one drive.

    Attributes:
        drive: Which.
        tables: Labels by file, the preferred one first.
        own: Its own label files that are sound.
        broken: Its own label files that cannot be read, or not to their end.
        outcomes: Of its own files that no clip draws on, and of images that are not there.
    """

    drive: Drive
    tables: dict[str, LabelTable]
    own: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def conditions(self) -> Mapping[str, str]:
        """Weather, scene and time of day: those of the drive's first image that has any."""
        for name in self.names:
            for table in self.tables.values():
                if name in table.conditions:
                    return table.conditions[name]
        return {}

    def time_s(self, name: str, otherwise: float) -> float:
        """When in its video an image was taken."""
        found = (table.time_ms[name] / 1000 for table in self.tables.values() if name in table.time_ms)
        return next(found, otherwise)

    def find(self, name: str) -> tuple[FrameLabels | None, str]:
        """An image's labels (``None``: unlabelled), and the drive's own file that they come from, or "".

        Raises:
            InputError: Somebody labelled the image, but its labels cannot be used.
        """
        for path, table in self.tables.items():
            if name in table.faults:
                raise InputError(f"its labels in {path} cannot be used: {table.faults[name]}")
            if name in table.rows:
                return table.labels(name), path if path in self.own else ""
        for path in self.broken:
            # a file of 5 Hz frames says nothing of the key frame, nor the other way round
            if ("track" in path) == bool(TRACK_FRAME.fullmatch(name)) or not self.drive.has_both:
                raise InputError(f"its labels cannot be read: {path} is damaged")
        return None, ""

    @property
    def names(self) -> list[str]:
        """Names of the drive's images, the key frames first."""
        images = [*self.drive.stills.values()]
        for numbered in self.drive.frames.values():
            images += numbered.values()
        return list(dict.fromkeys(image_name(image.path) for image in images))


@dataclass(frozen=True, slots=True)
class _Taken:
    """Names that a file before labelled."""

    tables: Mapping[str, LabelTable]

    def __contains__(self, name: object) -> bool:
        return any(name in table for table in self.tables.values())


def _read(
    root: Path, path: str, images: Container[str], taken: Container[str]
) -> tuple[LabelFile | None, Outcome | None]:
    """A file's labels, where there are any, and its outcome unless it is simply used."""
    try:
        found = read_labels(root / path, images, taken)
    except NoFramesError as error:
        return None, Outcome(path=path, status="unused", reason=str(error))
    except InputError as error:
        return None, Outcome(path=path, status="broken", reason=str(error))
    faults = found.table.faults
    if found.fault:
        return found, Outcome(path=path, status="broken", reason=found.fault)
    if found.is_used:
        return found, None
    if faults:
        name, reason = next(iter(faults.items()))
        return found, Outcome(path=path, status="broken", reason=f"{name}: {reason}")
    why = "is there" if found.missing else "is here without labels from another file"
    reason = f"none of the images of its {found.num_frames} frames {why}"
    return found, Outcome(path=path, status="unused", reason=reason)

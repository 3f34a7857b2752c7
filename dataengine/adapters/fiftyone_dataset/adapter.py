"""A dataset that is in FiftyOne already, or in its Dataset Zoo: images or videos with Detections.

``dataset.fields`` names the dataset and says which of its fields means what; the root is the folder
that its media share. Only what the dataset names is accounted for: the folder may hold much else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from dataengine import cards
from dataengine.adapters.base import Adapter, LabelReader, Recording, safe_id
from dataengine.adapters.exchange.fields import Place, folder_name, rate
from dataengine.adapters.exchange.layout import Entry, SizedStill, recordings
from dataengine.adapters.exchange.reading import (
    DAMAGE,
    check_size,
    reader,
    told,
    video_rate,
)
from dataengine.adapters.fiftyone_dataset.source import (
    BOX_VALUES,
    box_attributes,
    common_folder,
    database,
    is_video,
    label_field,
    opened,
    value_path,
)
from dataengine.adapters.fiftyone_dataset.values import labels_of, seconds, split_of, text, whole
from dataengine.adapters.labels import FrameLabels
from dataengine.cards import Card
from dataengine.config import DatasetConfig
from dataengine.errors import ConfigError, InputError
from dataengine.quarantine import Outcome

FIELDS = (
    "dataset",
    "split",
    "labels",
    "drive",
    "clip",
    "camera",
    "frame_number",
    "time",
    "conditions",
    "fps",
)
SAME_CLASSES = ("bdd100k", "cityscapes", "kitti")
"""Datasets of the zoo whose classes are those of our own cards."""

_OF_SAMPLES = ("drive", "clip", "camera", "frame_number", "time")


class FiftyOneDataset(Adapter):
    """A FiftyOne dataset.

    Args:
        root: The folder that its media share, as from ``media_root``.
        config: ``fields.dataset`` is its name (or the zoo's), ``fields.split`` the zoo's split; ``labels``
            the field of Detections (``none`` for none); ``drive``, ``clip``, ``camera``, ``frame_number`` and
            ``time`` (seconds or dates) sample fields; ``conditions`` some more, separated by commas.
    """

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        self.root = root
        self.config = config
        self.fields = {name: value for name, value in config.fields.items() if value}
        self._held: dict[str, list[Any]] = {}
        for name in self.fields:
            if name not in FIELDS:
                raise ConfigError(f"dataset.fields.{name}: no such field; choose from {', '.join(FIELDS)}")
        self.fps = rate(self.fields.get("fps", "1"))

    def __reduce__(self) -> tuple[type[FiftyOneDataset], tuple[Path, DatasetConfig]]:
        """Cross to a worker without the connection to the database."""
        return type(self), (self.root, self.config)

    def settings(self) -> dict[str, Any]:
        """The dataset's name and which field means what."""
        return {"fields": self.fields}

    def class_names(self) -> list[str]:
        """Every label of the field of boxes."""
        if not self.labelled:
            return []
        with database():
            prefix = "frames." if is_video(self.dataset) else ""
            labels = self.dataset.distinct(f"{prefix}{self.boxes}.detections.label")
        return sorted(str(label) for label in labels)

    def recordings(self) -> Iterator[Recording | Outcome]:
        """Clips of images by drive, or videos; media that are not on disk are missing."""
        with database():
            rows = list(self._rows())
            videos = is_video(self.dataset)
        present, taken = [], set[str]()
        for row in rows:
            path = self._relative(row["filepath"])
            if path in taken:
                continue
            taken.add(path)
            if not Path(row["filepath"]).is_file():
                reason = f"FiftyOne dataset {self.dataset.name} names it"
                yield Outcome(path=path, status="missing", reason=reason)
            elif self.config.cameras and text(row.get("camera")) not in self.config.cameras:
                reason = f"camera {text(row.get('camera'))!r} is not among dataset.cameras"
                yield Outcome(path=path, status="unused", reason=reason)
            else:
                present.append((path, row))
        if videos:
            yield from (self._video(path, row) for path, row in present)
            return
        placed = [self._placed(path, row) for path, row in present]
        yield from recordings(placed, self.fps, self._inline, self._fetch)

    def labels(self, recording: Recording) -> LabelReader | None:
        """Boxes: of images as they were read while listing, of a video from the database."""
        if not self.labelled:
            return None
        stills = {still.number: still for still in recording.stills}
        frames = {} if stills else self._frames(recording)

        def read(number: int, size: tuple[int, int]) -> FrameLabels | None:
            if stills:
                still = stills[number]
                if isinstance(still, SizedStill) and still.inline is not None:
                    check_size(still.size, size)
                return still.inline
            found = frames.get(number)
            return None if found is None else labels_of(found, (size[1], size[0]))

        return read

    @property
    def labelled(self) -> bool:
        """Whether boxes are wanted."""
        return self.fields.get("labels") != "none"

    @cached_property
    def dataset(self) -> Any:
        """The dataset, loaded; errors as from ``opened``."""
        return opened(self.fields.get("dataset", ""), self.fields.get("split", ""))

    @cached_property
    def boxes(self) -> str:
        """The field of boxes."""
        return label_field(self.dataset, self.fields.get("labels", ""))

    def _rows(self) -> Iterator[dict[str, Any]]:
        """What listing needs of every sample: no labels."""
        paths = {"id": "id", "filepath": "filepath", "tags": "tags"}
        for setting in _OF_SAMPLES:
            if setting in self.fields:
                paths[setting] = value_path(self.dataset, self.fields[setting], setting)
        for name in self._condition_names():
            paths[f"condition {name}"] = value_path(self.dataset, name, "conditions")
        if is_video(self.dataset):
            paths["rate"] = "metadata.frame_rate"
        columns = self.dataset.values(list(paths.values()))
        for values in zip(*columns, strict=True):
            yield dict(zip(paths, values, strict=True))

    def _condition_names(self) -> list[str]:
        return [name.strip() for name in self.fields.get("conditions", "").split(",") if name.strip()]

    def _conditions(self, row: Mapping[str, Any]) -> dict[str, str]:
        values = {name: row[f"condition {name}"] for name in self._condition_names()}
        return {name: str(value) for name, value in values.items() if value is not None}

    def _placed(self, path: str, row: Mapping[str, Any]) -> tuple[Entry, Place]:
        drive, clip, camera = (text(row.get(name)) for name in ("drive", "clip", "camera"))
        entry = Entry(
            image=path,
            key=row["id"] if self.labelled else None,
            split=split_of(row["tags"]),
            time_s=seconds(row.get("time")),
            conditions=self._conditions(row),
        )
        return entry, Place(drive or folder_name(path), clip, camera, whole(row.get("frame_number")))

    def _video(self, path: str, row: Mapping[str, Any]) -> Recording:
        stem = path.rsplit(".", 1)[0].replace("/", ".")
        known = row["rate"]
        return Recording(
            clip_id=safe_id(text(row.get("clip")) or stem),
            drive_id=safe_id(text(row.get("drive")) or stem),
            camera=text(row.get("camera")),
            start_time_s=seconds(row.get("time")) or 0.0,
            fps=known if isinstance(known, float) and 0 < known < 1e6 else video_rate(self.root / path),
            source=path,
            files=(path,),
            split_hint=split_of(row["tags"]),
            conditions=self._conditions(row),
        )

    def _fetch(self, entries: Sequence[Entry]) -> None:
        """Read the boxes of one clip's images from the database at once."""
        self._held = {}
        if not self.labelled:
            return
        with database():
            view = self.dataset.select([entry.key for entry in entries])
            columns = (*view.values(["id", "metadata.width", "metadata.height"]), *self._values(view, ""))
        self._held = {row[0]: list(row[1:]) for row in zip(*columns, strict=True)}

    def _inline(self, entry: Entry) -> tuple[FrameLabels | None, tuple[int, int] | None]:
        """Boxes of one image in pixels: FiftyOne keeps them relative to its size."""
        width, height, *found = self._held[entry.key]
        if found[0] is None:
            return None, None
        if not (width and height):
            metadata = reader("fiftyone.core.metadata").ImageMetadata
            try:
                built = metadata.build_for(str(self.root / entry.image))
                width, height = built.width, built.height
            except DAMAGE as error:
                raise InputError(f"its size cannot be read ({told(error)})") from error
        return labels_of(found, (width, height)), (width, height)

    def _frames(self, recording: Recording) -> dict[int, list[Any]]:
        """Values of the boxes of every frame of a video, by frame number from 0."""
        with database():
            view = self.dataset.select(self.dataset[str(self.root / recording.source)].id)
            numbers = view.values("frames.frame_number")[0] or []
            columns = [column[0] or [None] * len(numbers) for column in self._values(view, "frames.")]
        rows = zip(*columns, strict=True)
        return {
            number - 1: list(row) for number, row in zip(numbers, rows, strict=True) if row[0] is not None
        }

    def _values(self, view: Any, prefix: str) -> list[Any]:
        """``BOX_VALUES`` of a view's samples, one column each; those that the dataset lacks are ``None``."""
        known = box_attributes(self.dataset, self.boxes)
        base = f"{prefix}{self.boxes}.detections."
        columns = dict(zip(known, view.values([base + name for name in known]), strict=True))
        return [columns.get(name) or [None] * len(columns["label"]) for name in BOX_VALUES]

    def _relative(self, path: str) -> str:
        return Path(path).relative_to(self.root).as_posix()


def media_root(config: DatasetConfig) -> Path:
    """The folder that the media of the dataset share; errors as from ``opened``."""
    dataset = opened(config.fields.get("dataset", ""), config.fields.get("split", ""))
    with database():
        return common_folder(dataset.values("filepath"), dataset.name)


def card_of(config: DatasetConfig) -> Card:
    """The card of a FiftyOne dataset: with classes and licence for those of the zoo that have a card here."""
    card = cards.load("fiftyone", config.card)
    name = config.fields.get("dataset", "")
    if config.card is not None or name not in SAME_CLASSES:
        return card
    same = cards.load(name)
    return replace(
        card,
        title=f"{same.title}; from FiftyOne",
        licence=same.licence,
        licence_kind=same.licence_kind,
        source=same.source,
        anonymised=same.anonymised,
        taxonomy=same.taxonomy,
    )

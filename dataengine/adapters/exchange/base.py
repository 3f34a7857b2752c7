"""What the exchange formats share: a listing of images with labels, cut into drives and clips."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

from dataengine.adapters.base import Adapter, LabelReader, Recording, files_under
from dataengine.adapters.exchange.fields import Fields, Place
from dataengine.adapters.exchange.layout import Entry, SizedStill, left_out, recordings
from dataengine.adapters.exchange.reading import check_size
from dataengine.adapters.labels import FrameLabels
from dataengine.config import DatasetConfig
from dataengine.errors import InputError
from dataengine.quarantine import Outcome


@dataclass(slots=True, kw_only=True)
class Listing:
    """What a format lists in a folder.

    Attributes:
        entries: Images, with or without labels.
        videos: Recordings that are videos.
        outcomes: Of files that are no part of a recording.
        why_unused: The reason for any other file.
    """

    entries: list[Entry] = field(default_factory=list)
    videos: list[Recording] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    why_unused: Callable[[str], str] = lambda _: "neither an image nor a label file"


class Exchange(Adapter):
    """What the exchange formats share.

    Args:
        root: The dataset's folder.
        config: ``fields`` says which part of a path is the drive, clip, camera and number.
    """

    options: ClassVar[tuple[str, ...]] = ()
    """Fields of this format alone."""

    only_for_listing: ClassVar[tuple[str, ...]] = ("files", "_tables", "_documents", "_about")
    """Attributes that workers do without."""

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        self.root = root
        self.config = config
        self.fields = Fields.parse(config.fields, self.options)

    def __getstate__(self) -> dict[str, Any]:
        """Cross to a worker without what was read for listing."""
        return {name: value for name, value in self.__dict__.items() if name not in self.only_for_listing}

    def settings(self) -> dict[str, Any]:
        """The fields."""
        return {"fields": self.fields.plain()}

    def recordings(self) -> Iterator[Recording | Outcome]:
        """Clips by drive, then files that are part of none."""
        listing = self.listing(self.files)
        settled: set[str] = set()
        placed, lost = self._placed(listing.entries)
        clips = recordings(placed, self.fields.fps, self.inline)
        for item in chain(clips, listing.videos, lost, listing.outcomes):
            settled |= _names(item)
            yield item
        for name in self.files:
            if name not in settled:
                yield Outcome(path=name, status="unused", reason=listing.why_unused(name))

    def _placed(self, entries: list[Entry]) -> tuple[list[tuple[Entry, Place]], list[Outcome]]:
        """Entries and where they belong, and outcomes of those whose path does not tell."""
        placed, lost = [], list[Outcome]()
        for entry in entries:
            place = self.fields.place(entry.image)
            if place is not None and (not self.config.cameras or place.camera in self.config.cameras):
                placed.append((entry, place))
                continue
            if place is not None:
                lost += left_out(entry, f"camera {place.camera!r} is not among dataset.cameras")
                continue
            names = ", ".join(f"dataset.fields.{name}" for name in self.fields.patterns)
            lost += left_out(entry, f"{names} not found in its path")
        return placed, lost

    def labels(self, recording: Recording) -> LabelReader | None:
        """Labels that were read while listing, or that an image's own file holds."""
        stills = {still.number: still for still in recording.stills}

        def read(number: int, size: tuple[int, int]) -> FrameLabels | None:
            still = stills[number]
            if still.labels:
                return self.read_labels(still.labels, size)
            if isinstance(still, SizedStill) and still.inline is not None:
                check_size(still.size, size)
            return still.inline

        return read

    @cached_property
    def files(self) -> list[str]:
        """Every file below the root."""
        return list(files_under(self.root))

    @abstractmethod
    def listing(self, files: list[str]) -> Listing:
        """What is there.

        Raises:
            InputError: The folder does not hold this format.
        """

    def inline(self, entry: Entry) -> tuple[FrameLabels | None, tuple[int, int] | None]:
        """Labels of an entry with a key; ``InputError`` if they cannot be used."""
        raise NotImplementedError(f"{type(self).__name__} keeps no labels by key: {entry.key}")

    def read_labels(self, name: str, size: tuple[int, int]) -> FrameLabels:
        """Labels of one image's own file; ``BrokenFileError`` if they cannot be used."""
        raise NotImplementedError(f"{type(self).__name__} has no label file for each image: {name} {size}")

    def named_files(self) -> list[str]:
        """The files of ``dataset.fields.labels``; ``InputError`` if one is not there."""
        for name in self.fields.labels:
            if name not in self.files:
                raise InputError(f"dataset.fields.labels={name}: no such file below dataset.root={self.root}")
        return list(self.fields.labels)


def _names(item: Recording | Outcome) -> set[str]:
    return {item.path} if isinstance(item, Outcome) else {*item.files, *item.shared}

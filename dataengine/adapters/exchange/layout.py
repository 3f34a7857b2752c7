"""Images and their labels: which belong together, and which make a clip."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import PurePosixPath
from statistics import median
from typing import Any

from dataengine.adapters.base import Recording, Still, safe_id
from dataengine.adapters.exchange.fields import Place
from dataengine.adapters.labels import FrameLabels
from dataengine.errors import InputError
from dataengine.quarantine import Outcome

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v"})

_ROLES = frozenset(
    {"images", "jpegimages", "img", "imgs", "data", "labels", "annotations", "xml", "xmls", "videos"}
)
"""Names of folders that tell images from labels; two files that differ in these alone are a pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One image of a dataset.

    Attributes:
        image: Its path.
        labels: Path of its own label file, if it has one.
        key: What finds its labels in a file for all images; ``None`` if it has none there.
        split: The publisher's split.
        time_s: When it was taken, on a clock of its drive; ``None`` where nobody noted it.
        conditions: For instance ``{"weather": "rainy"}``.
    """

    image: str
    labels: str = ""
    key: Any = None
    split: str = ""
    time_s: float | None = None
    conditions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedStill(Still):
    """An image whose labels say how large it is.

    Attributes:
        size: Width and height that the labels are for; ``None`` where they do not say.
    """

    size: tuple[int, int] | None = None


Inline = Callable[[Entry], tuple[FrameLabels | None, tuple[int, int] | None]]
"""The labels of an entry with a key, and the image size that they are for; ``InputError`` if unusable."""


def suffix(path: str) -> str:
    """A path's suffix in lower case, with its dot."""
    return PurePosixPath(path).suffix.lower()


def pair_key(path: str) -> str:
    """A path without suffix and without folders that tell images from labels."""
    pure = PurePosixPath(path)
    folders = [part for part in pure.parent.parts if part.lower() not in _ROLES]
    return "/".join((*folders, pure.stem))


@dataclass(frozen=True, slots=True)
class Pairs:
    """Images and label files, matched by their names.

    Attributes:
        pairs: Every image with its label file, or with an empty name.
        outcomes: Of files that have the name of another.
        without_image: The other label files.
    """

    pairs: list[tuple[str, str]]
    outcomes: list[Outcome]
    without_image: list[str]


def pairs(images: Iterable[str], labels: Iterable[str]) -> Pairs:
    """Match images (or videos) with label files that have the same ``pair_key``."""
    outcomes: list[Outcome] = []

    def by_key(names: Iterable[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in names:
            first = found.setdefault(pair_key(name), name)
            if first != name:
                outcomes.append(Outcome(path=name, status="unused", reason=f"has the same name as {first}"))
        return found

    of_images, of_labels = by_key(images), by_key(labels)
    matched = [(image, of_labels.pop(key, "")) for key, image in of_images.items()]
    return Pairs(matched, outcomes, list(of_labels.values()))


class Lookup:
    """Finds files by the names that lists and label files give them.

    Such a name may be relative to another folder, or be a path on the author's machine: the file
    is the one whose path ends in the most parts of that name, provided that it is the only one.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = set(paths)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for path in sorted(self._paths):
            self._by_name[PurePosixPath(path).name].append(path)

    def find(self, name: str) -> str | None:
        """The path that a name means; ``None`` if there is none, or more than one."""
        parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        if "/".join(parts) in self._paths:
            return "/".join(parts)
        candidates = self._by_name.get(parts[-1], []) if parts else []
        for length in range(len(parts), 0, -1):
            wanted = parts[-length:]
            ending = [path for path in candidates if path.split("/")[-length:] == wanted]
            if ending:
                return ending[0] if len(ending) == 1 else None
        return None


def expected_image(labels: str, images: Sequence[str]) -> str:
    """The path that the image of a label file would have, going by where the others are."""
    kinds = Counter((str(PurePosixPath(path).parent), suffix(path)) for path in images[:1000])
    (folder, ending), _ = (
        kinds.most_common(1)[0] if kinds else ((str(PurePosixPath(labels).parent), ".jpg"), 0)
    )
    return str(PurePosixPath(folder) / (PurePosixPath(labels).stem + ending))


def recordings(
    placed: Iterable[tuple[Entry, Place]],
    fps: float,
    inline: Inline,
    begin: Callable[[Sequence[Entry]], None] = lambda _: None,
) -> Iterator[Recording | Outcome]:
    """Entries as recordings, one clip at a time; an outcome for each whose labels cannot be used.

    Args:
        placed: Entries and where they belong.
        fps: Frame numbers per second, where entries have no time.
        inline: Reads the labels of entries that have a key.
        begin: Told the entries of each clip before their labels are read.
    """
    groups: dict[tuple[str, str, str], list[tuple[Entry, Place]]] = defaultdict(list)
    for entry, place in placed:
        groups[place.drive, place.clip, place.camera].append((entry, place))
    for key in sorted(groups, key=lambda names: [natural(name) for name in names]):
        group = groups.pop(key)
        begin([entry for entry, _ in group])
        yield from _recording(key, group, fps, inline)


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts ``x10`` after ``x9``."""
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return tuple(
        (0, int(part), "") if part[0] in "0123456789" and len(part) < 4000 else (1, 0, part) for part in parts
    )


def _recording(
    key: tuple[str, str, str], placed: list[tuple[Entry, Place]], fps: float, inline: Inline
) -> Iterator[Recording | Outcome]:
    drive, clip, camera = key
    stills = []
    for number, entry in _numbered(placed):
        try:
            labels, size = (None, None) if entry.key is None else inline(entry)
        except InputError as error:
            yield from left_out(entry, str(error))
            continue
        stills.append(
            SizedStill(
                number=number,
                time_s=number / fps if entry.time_s is None else entry.time_s,
                image=entry.image,
                labels=entry.labels,
                inline=labels,
                size=size,
                split_hint=entry.split,
                conditions=entry.conditions,
            )
        )
    if stills:
        timed = all(entry.time_s is not None for entry, _ in placed)
        yield _described(drive, clip, camera, stills, _rate(stills, fps) if timed else fps)


def _described(drive: str, clip: str, camera: str, stills: list[SizedStill], fps: float) -> Recording:
    start_s = stills[0].time_s
    hints = {still.split_hint for still in stills}
    ids = [safe_id(name) for name in (drive, clip, camera) if name]
    return Recording(
        clip_id=".".join(ids),
        drive_id=ids[0],
        camera=camera,
        start_time_s=start_s,
        fps=fps,
        source=str(PurePosixPath(stills[0].image).parent),
        files=tuple(name for still in stills for name in (still.image, still.labels) if name),
        stills=tuple(replace(still, time_s=still.time_s - start_s) for still in stills),
        split_hint=hints.pop() if len(hints) == 1 else "",
    )


def _rate(stills: list[SizedStill], fps: float) -> float:
    """Frames per second by the median pause; ``fps`` for a single frame."""
    pauses = [after.time_s - before.time_s for before, after in pairwise(stills)]
    typical = median(pauses) if pauses else 0.0
    return 1 / typical if typical > 0 else fps


def _numbered(placed: list[tuple[Entry, Place]]) -> Iterator[tuple[int, Entry]]:
    """Entries in order: by number if all have one of their own, else by time, else by name."""
    numbers = {place.number for _, place in placed}
    if None not in numbers and len(numbers) == len(placed):
        yield from sorted(((place.number or 0, entry) for entry, place in placed), key=lambda pair: pair[0])
        return
    entries = sorted((entry for entry, _ in placed), key=lambda entry: natural(entry.image))
    if all(entry.time_s is not None for entry in entries):
        entries.sort(key=lambda entry: entry.time_s or 0.0)
    yield from enumerate(entries)


def left_out(entry: Entry, reason: str) -> Iterator[Outcome]:
    """An outcome for each file of an entry."""
    for name in (entry.image, entry.labels):
        if name:
            yield Outcome(path=name, status="unused", reason=reason)

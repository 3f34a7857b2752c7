"""What every adapter gives: recordings one by one, their labels and telemetry, and stray files.

An adapter lists; it opens media, masks and label tables only when asked for one recording, in the
worker that ingests it. So a dataset of any size is never in memory, and listing stays cheap.

A recording is one of three kinds: a run of image files (``stills``), a video file (or a stretch of
one), or images that are packed into another file (``embedded``), which the adapter hands over itself.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dataengine.adapters.labels import FrameLabels
from dataengine.adapters.telemetry import Telemetry
from dataengine.cards import Card
from dataengine.config import DatasetConfig
from dataengine.errors import ConfigError, InputError
from dataengine.workspace import Outcome

SAFE_ID = re.compile(r"[A-Za-z0-9][\w.+-]*")
"""Clip ids become folder names: letters, digits, ``_ . + -``, nothing that climbs out of a folder."""

_REGISTRY = {
    "bdd100k": "dataengine.adapters.bdd100k.adapter:Bdd100k",
    "camvid": "dataengine.adapters.camvid.adapter:CamVid",
    "cityscapes": "dataengine.adapters.cityscapes.adapter:Cityscapes",
    "coco": "dataengine.adapters.exchange.adapters:Coco",
    "comma10k": "dataengine.adapters.comma10k.adapter:Comma10k",
    "comma2k19": "dataengine.adapters.comma2k19.adapter:Comma2k19",
    "cvat": "dataengine.adapters.exchange.adapters:Cvat",
    "dashcam": "dataengine.adapters.dashcam.adapter:Dashcam",
    "fiftyone": "dataengine.adapters.fiftyone_dataset.adapter:FiftyOneDataset",
    "kitti": "dataengine.adapters.kitti.adapter:Kitti",
    "kitti_tracking": "dataengine.adapters.kitti.tracking:KittiTracking",
    "lerobot": "dataengine.adapters.lerobot.adapter:LeRobot",
    "mixed": "dataengine.adapters.mixed.adapter:Mixed",
    "nuscenes": "dataengine.adapters.nuscenes.adapter:NuScenes",
    "simulated": "dataengine.adapters.simulated:Simulated",
    "voc": "dataengine.adapters.exchange.adapters:Voc",
    "waymo": "dataengine.adapters.waymo.adapter:Waymo",
    "yolo": "dataengine.adapters.exchange.adapters:Yolo",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """One image of a recording that is a folder of images.

    Attributes:
        number: Frame number within the drive; orders the images and names the frame.
        time_s: Time since the recording's start in seconds.
        image: Path of the image, relative to the dataset's root.
        mask: Path of its label mask, relative to the root; empty where there is none.
        labels: Path of this image's own label file that is no mask; empty where there is none. It
            shares the image's fate, as a mask does.
        inline: Labels that were read while listing, for formats with one file of labels for all.
        split_hint: The publisher's split of this image, in this engine's words; empty if none.
        conditions: Of this image, over the recording's.
    """

    number: int
    time_s: float
    image: str
    mask: str = ""
    labels: str = ""
    inline: FrameLabels | None = None
    split_hint: str = ""
    conditions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One clip as its publisher stored it: a video file, a run of images, or images in a container.

    Attributes:
        clip_id: Unique in the dataset; matches ``SAFE_ID``.
        drive_id: The grouping key that may not cross splits.
        vehicle_id: Which vehicle, or empty.
        camera: Which camera of it.
        start_time_s: When the clip starts, on a clock that the clips of one drive share.
        fps: Frames per second as recorded.
        source: The video file, or the folder of the images; relative to the dataset's root.
        files: Every input file that belongs to this recording alone.
        shared: Input files that other recordings draw on too (one video of many episodes, one table of
            labels). Such a file counts once: added if any recording could use it.
        stills: The images; empty for a video and for ``embedded``.
        embedded: The adapter's ``encoded`` gives the images.
        video_from_s: Where the recording starts in the video file, by presentation time.
        video_to_s: Where it ends (exclusive); ``None`` is the file's end.
        split_hint: The publisher's split of the whole clip; empty if none or mixed.
        conditions: For instance ``{"time_of_day": "dusk"}``.
    """

    clip_id: str
    drive_id: str
    vehicle_id: str = ""
    camera: str = ""
    start_time_s: float = 0.0
    fps: float
    source: str
    files: tuple[str, ...]
    shared: tuple[str, ...] = ()
    stills: tuple[Still, ...] = ()
    embedded: bool = False
    video_from_s: float = 0.0
    video_to_s: float | None = None
    split_hint: str = ""
    conditions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """One image of an ``embedded`` recording, still compressed.

    Attributes:
        number: Frame number within the recording.
        time_s: Time since the recording's start in seconds.
        data: A JPEG or PNG file's bytes.
        conditions: Of this image, over the recording's.
    """

    number: int
    time_s: float
    data: bytes
    conditions: Mapping[str, str] = field(default_factory=dict)


LabelReader = Callable[[int, tuple[int, int]], FrameLabels | None]
"""From a frame number and the image's (height, width) to its labels; ``None`` where nobody labelled that
frame, which is not the same as a frame without objects. ``BrokenFileError`` or ``InputError`` where
its labels cannot be used."""


class BrokenFileError(InputError):
    """One input file cannot be used: its path relative to the dataset's root, and the reason."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class Adapter(Protocol):
    """One dataset format. Instances are small and picklable: a root and settings.

    Inherit from it: what a format does not have (telemetry, labels, embedded images) has a default.
    """

    root: Path

    def settings(self) -> dict[str, Any]:
        """The settings that change what is ingested; part of the workspace's fingerprint."""
        ...

    def recordings(self) -> Iterator[Recording | Outcome]:
        """Every recording in a fixed order, and an outcome for each file that belongs to none.

        Raises:
            InputError: The root does not hold this format; the message says what was looked for.
        """
        ...

    def class_names(self) -> Iterable[str]:
        """Class names that can be told before any label is read; ingest checks them against the map."""
        return ()

    def card_of(self, recording: Recording) -> Card | None:  # noqa: ARG002
        """The card of a recording's own dataset, where an adapter reads several; else ``None``."""
        return None

    def telemetry(self, recording: Recording) -> Telemetry | None:  # noqa: ARG002
        """The recording's telemetry, where there is any; ``BrokenFileError`` if it cannot be read."""
        return None

    def labels(self, recording: Recording) -> LabelReader | None:  # noqa: ARG002
        """Open the recording's labels; ``None`` if it has none, ``BrokenFileError`` if it cannot."""
        return None

    def frame_times(self, recording: Recording) -> NDArray[np.float64] | None:  # noqa: ARG002
        """``[N]`` times of a video's frames since the recording's start, in seconds, rising.

        Where a video carries none of its own (a raw stream); ``None`` trusts the container.
        """
        return None

    def encoded(self, recording: Recording) -> Iterator[Encoded]:
        """The images of an ``embedded`` recording, in order; ``BrokenFileError`` if unreadable."""
        raise NotImplementedError(f"{type(self).__name__} yields no embedded recording: {recording.clip_id}")


def names() -> tuple[str, ...]:
    """Every adapter, by name."""
    return tuple(sorted(_REGISTRY))


def adapter_for(config: DatasetConfig, root: Path) -> Adapter:
    """The adapter called ``config.name`` on a folder, which is not opened yet.

    Raises:
        ConfigError: There is no such adapter.
    """
    if config.name not in _REGISTRY:
        raise ConfigError(f"dataset={config.name} has no adapter; choose one of {', '.join(names())}")
    module, _, name = _REGISTRY[config.name].partition(":")
    adapter: Adapter = getattr(importlib.import_module(module), name)(root, config)
    return adapter


def check_root(root: Path) -> None:
    """Raise ``InputError`` unless a dataset's root is a folder with files in it."""
    remedy = "give the dataset's folder with dataset.root=PATH"
    if not root.is_dir():
        raise InputError(
            f"dataset.root={root} {'is a file' if root.exists() else 'does not exist'}; {remedy}"
        )
    if next(files_under(root), None) is None:
        raise InputError(f"dataset.root={root} holds no files; {remedy}")


def files_under(root: Path) -> Iterator[str]:
    """Every file below a folder, as sorted paths relative to it; hidden files and folders are skipped.

    Linked folders are walked like others; a link back to a folder that it lies in is given as a file,
    so that it is accounted for and not walked for ever.
    """

    def walk(folder: Path, inside: frozenset[str]) -> Iterator[str]:
        try:
            with os.scandir(folder) as entries:
                found = sorted((_is_folder(entry), entry.name) for entry in entries)
        except OSError:
            yield folder.relative_to(root).as_posix()  # a folder that may not be read is accounted for too
            return
        for is_folder, name in found:
            path = folder / name
            real = os.path.realpath(path) if is_folder else ""
            if name.startswith("."):
                continue
            if real and real not in inside:
                yield from walk(path, inside | {real})
            else:
                yield path.relative_to(root).as_posix()

    yield from walk(root, frozenset({os.path.realpath(root)}))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def safe_id(text: str) -> str:
    """An id that matches ``SAFE_ID``, as near to ``text`` as can be and still unique to it."""
    if SAFE_ID.fullmatch(text):
        return text
    plain = re.sub(r"[^A-Za-z0-9_.+-]+", "-", text).strip("-.+_") or "x"
    code = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:6]
    return f"{plain[:80]}-{code}"

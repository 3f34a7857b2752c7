"""What every adapter gives: recordings one by one, their labels and telemetry, and stray files.

An adapter lists; it opens media, masks and label tables only when asked for one recording, in the
worker that ingests it. So a dataset of any size is never in memory, and listing stays cheap.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dataengine.adapters.labels import FrameLabels
from dataengine.config import DatasetConfig
from dataengine.errors import ConfigError, InputError
from dataengine.workspace import Outcome

SAFE_ID = re.compile(r"[A-Za-z0-9][\w.+-]*")
"""Clip ids become folder names: letters, digits, ``_ . + -``, nothing that climbs out of a folder."""

_REGISTRY = {
    "camvid": "dataengine.adapters.camvid:CamVid",
    "simulated": "dataengine.adapters.simulated:Simulated",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """One image of a recording that is a folder of images.

    Attributes:
        number: Frame number within the drive; orders the images and names the frame.
        time_s: Time since the recording's start in seconds.
        image: Path of the image, relative to the dataset's root.
        mask: Path of its label mask, relative to the root; empty where there is none.
        split_hint: The publisher's split of this image, in this engine's words; empty if none.
    """

    number: int
    time_s: float
    image: str
    mask: str = ""
    split_hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One clip as its publisher stored it: a video file, or a run of images.

    Attributes:
        clip_id: Unique in the dataset; matches ``SAFE_ID``.
        drive_id: The grouping key that may not cross splits.
        vehicle_id: Which vehicle, or empty.
        camera: Which camera of it.
        start_time_s: When the clip starts, on a clock that the clips of one drive share.
        fps: Frames per second as recorded.
        source: The video file, or the folder of the images; relative to the dataset's root.
        files: Every input file that belongs to this recording, each in no other one.
        stills: The images; empty for a video.
        split_hint: The publisher's split of the whole clip; empty if none or mixed.
        conditions: For instance ``{"time_of_day": "dusk"}``.
    """

    clip_id: str
    drive_id: str
    vehicle_id: str
    camera: str
    start_time_s: float
    fps: float
    source: str
    files: tuple[str, ...]
    stills: tuple[Still, ...] = ()
    split_hint: str = ""
    conditions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """What the vehicle measured; every array ``[N]`` float64, times rising.

    Attributes:
        time_s: Since the clip's start.
        speed_mps: Forward speed.
        yaw_rate_radps: Turning to the left is positive.
        acceleration_mps2: Forward acceleration; braking is negative.
    """

    time_s: NDArray[np.float64]
    speed_mps: NDArray[np.float64]
    yaw_rate_radps: NDArray[np.float64]
    acceleration_mps2: NDArray[np.float64]


LabelReader = Callable[[int, tuple[int, int]], FrameLabels]
"""From a frame number and the image's (height, width) to its labels; ``BrokenFileError`` or
``InputError`` where that frame's labels cannot be used."""


class BrokenFileError(InputError):
    """One input file cannot be used: its path relative to the dataset's root, and the reason."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class Adapter(Protocol):
    """One dataset format. Instances are small and picklable: a root and settings."""

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

    def telemetry(self, recording: Recording) -> Telemetry | None:
        """The recording's telemetry, where there is any; ``BrokenFileError`` if it cannot be read."""
        ...

    def labels(self, recording: Recording) -> LabelReader:
        """Open the recording's labels; ``BrokenFileError`` if they cannot be read at all."""
        ...


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
    """Every file below a folder, as sorted paths relative to it; hidden files and folders are skipped."""
    for folder, subfolders, filenames in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(filenames):
            if not name.startswith("."):
                yield (Path(folder) / name).relative_to(root).as_posix()

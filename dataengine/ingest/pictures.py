"""The images of one recording, whichever of the three kinds it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dataengine.adapters.base import Adapter, BrokenFileError, Recording, Still
from dataengine.errors import InputError
from dataengine.images import decode_image, read_image
from dataengine.ingest.video import Clock, sample
from dataengine.ingest.video.plan import Ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One image on its way into the workspace.

    Attributes:
        number: Frame number within the clip.
        time_s: Since the clip's start.
        rgb: ``[H, W, 3]`` uint8.
        where: What a fault of this image or its labels is noted under: its file, or ``path#frame``.
        still: The image file that it is, if it is one.
        data: The compressed file that it was packed as, if it was.
        conditions: Of this image alone.
    """

    number: int
    time_s: float
    rgb: NDArray[np.uint8]
    where: str
    still: Still | None = None
    data: bytes | None = None
    conditions: Mapping[str, str] = field(default_factory=dict)


def pictures(
    adapter: Adapter,
    recording: Recording,
    fps: float | None,
    clock: Clock,
    faults: dict[str, str],
    *,
    labelled: bool,
) -> Iterator[Picture]:
    """Every usable image of a recording in order; what cannot be read goes to ``faults`` by its path.

    Args:
        adapter: Gives packed images and the times of raw streams.
        recording: What to read.
        fps: Sampling rate of videos, and of packed images that nobody labelled; ``None`` keeps every frame.
        clock: Adds up the time that decoding took.
        faults: Reason by path; added to.
        labelled: The recording has labels, so that each of its packed images was chosen to be looked at.

    Raises:
        BrokenFileError: A video or a container holds nothing that can be read.
    """
    if recording.stills:
        yield from _stills(adapter.root, recording, faults)
    elif recording.embedded:
        yield from _packed(adapter, recording, Ticks(None if labelled else fps), faults)
    else:
        yield from _sampled(adapter, recording, fps, clock, faults)


def _stills(root: Path, recording: Recording, faults: dict[str, str]) -> Iterator[Picture]:
    for still in recording.stills:
        path = root / still.image
        try:
            rgb = read_image(path)
        except InputError as error:
            faults[still.image] = str(error).removeprefix(f"{path}: ")
            continue
        yield Picture(
            number=still.number,
            time_s=still.time_s,
            rgb=rgb,
            where=still.mask or still.labels or still.image,
            still=still,
            conditions=still.conditions,
        )


def _packed(
    adapter: Adapter, recording: Recording, ticks: Ticks, faults: dict[str, str]
) -> Iterator[Picture]:
    num_read = 0
    try:
        for image in adapter.encoded(recording):
            if not ticks.takes(image.time_s):
                continue
            where = f"{recording.source}#{image.number:06d}"
            try:
                rgb = decode_image(image.data, where)
            except InputError as error:
                faults[where] = str(error).removeprefix(f"{where}: ")
                continue
            num_read += 1
            yield Picture(
                number=image.number,
                time_s=image.time_s,
                rgb=rgb,
                where=where,
                data=image.data,
                conditions=image.conditions,
            )
    except BrokenFileError as error:
        if not num_read:
            raise
        faults[error.path] = f"{error.reason}; {num_read} images before that are kept"


def _sampled(
    adapter: Adapter, recording: Recording, fps: float | None, clock: Clock, faults: dict[str, str]
) -> Iterator[Picture]:
    name, num_read = recording.source, 0
    try:
        for picture in sample(
            adapter.root / name,
            fps,
            from_s=recording.video_from_s,
            to_s=recording.video_to_s,
            times=adapter.frame_times(recording),
            clock=clock,
        ):
            num_read += 1
            rgb = cv2.cvtColor(picture.bgr, cv2.COLOR_BGR2RGB)
            where = f"{name}#{picture.number:06d}"
            yield Picture(number=picture.number, time_s=picture.time_s, rgb=rgb, where=where)  # type: ignore[arg-type]
    except BrokenFileError:
        raise
    except InputError as error:
        if not num_read:
            raise BrokenFileError(name, str(error)) from error
        faults[name] = f"{error}; {num_read} sampled frames before that are kept"

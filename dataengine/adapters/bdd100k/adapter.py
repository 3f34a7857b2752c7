"""BDD100K: key frames, 5 Hz tracks and videos of 100,000 drives, with the labels of 2018 and of 2020.

A drive is one video; its key frames (``100k``, ``10k``), its frames at 5 Hz and the video itself are
clips of it, named ``<video>.<set>``. Labels are matched to images by name. A label file of many videos
is read once, before the first clip, and held in columns for the images that are there, about 30 bytes
a box and 500 a frame: 100 MB for the 70,000 key frames and 1.3 million boxes of train. A file of one
video or one image is read when its drive's turn comes, and forgotten after it. Where several files
label an image, ``det_20`` and ``box_track`` come first. An image that no file lists is unlabelled; one
that is listed without objects is labelled and empty.

Labels of the 5 Hz frames are not carried over to the video, nor the key frame's: the publisher's times
are too rough (a key frame "at 10 s" was found at video frame 302).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dataengine.adapters.base import (
    Adapter,
    BrokenFileError,
    LabelReader,
    Recording,
    Still,
    files_under,
    safe_id,
)
from dataengine.adapters.bdd100k.info import read_info
from dataengine.adapters.bdd100k.labels import DriveLabels, Labels
from dataengine.adapters.bdd100k.layout import Drive, Image, Layout, read_layout
from dataengine.adapters.labels import FrameLabels
from dataengine.adapters.scalabel.columns import image_name
from dataengine.adapters.telemetry import Telemetry
from dataengine.config import DatasetConfig
from dataengine.errors import InputError
from dataengine.workspace import Outcome

VIDEO_FPS, TRACK_FPS = 30.0, 5.0
KEY_FRAME_S = 10.0
"""Where in its video a key frame is, unless its label says so (``timestamp``)."""

CAMERA = "front"


class Bdd100k(Adapter):
    """BDD100K in any of its releases, or the part of it that is there.

    Args:
        root: Folder with any of ``images/``, ``videos/``, ``labels/`` and ``info/`` somewhere below it.
        config: Nothing of it changes what is read.
    """

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        self.root = root
        self.config = config
        self._listing: tuple[Layout, Labels] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Workers get their labels with each recording: the listing stays at home."""
        return {**self.__dict__, "_listing": None}

    def settings(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def recordings(self) -> Iterator[Recording | Outcome]:
        """The drives in the order of their names, then what is part of none."""
        if self._listing is None:
            layout = read_layout(files_under(self.root))
            if not any(drive.is_recorded for drive in layout.drives.values()) and not layout.lists:
                raise InputError(
                    f"dataset.root={self.root} holds no BDD100K: looked for images (.jpg), videos (.mov) and "
                    "label files (.json); see datasets/bdd100k.toml for where to get it"
                )
            self._listing = (layout, Labels.read(self.root, layout))
        layout, labels = self._listing
        for video, drive in sorted(layout.drives.items()):
            own = labels.of_drive(drive)
            yield from _clips(video, drive, own)
            yield from own.outcomes
        yield from labels.outcomes
        yield from layout.strays

    def labels(self, recording: Recording) -> LabelReader | None:
        """The labels that came with the recording; ``None`` if none of its images has any."""
        inline = {still.number: still.inline for still in recording.stills}
        if not any(labels is not None for labels in inline.values()):
            return None

        def read(number: int, _size: tuple[int, int]) -> FrameLabels | None:
            return inline[number]

        return read

    def telemetry(self, recording: Recording) -> Telemetry | None:
        """Position, speed and the phone's motion; see ``bdd100k.info.read_info`` for names and units."""
        info = next((name for name in recording.shared if "info" in name.split("/")), None)
        if info is None:
            return None
        try:
            return read_info(self.root / info, recording.start_time_s)
        except InputError as error:
            raise BrokenFileError(info, str(error)) from error


def _clips(video: str, drive: Drive, own: DriveLabels) -> Iterator[Recording | Outcome]:
    """The clips of one drive."""
    for group, image in sorted(drive.stills.items()):
        start_s = own.time_s(image_name(image.path), KEY_FRAME_S)
        yield from _clip(video, drive, own, [image], group, start_s=start_s, fps=VIDEO_FPS)
    for group, images in sorted(drive.frames.items()):
        ordered = [images[number] for number in sorted(images)]
        start_s = ordered[0].number / TRACK_FPS
        yield from _clip(video, drive, own, ordered, group or "track", start_s=start_s, fps=TRACK_FPS)
    for number, path in enumerate(drive.videos):
        if number:
            yield Outcome(path=path, status="unused", reason=f"the same video as {drive.videos[0]}")
            continue
        yield Recording(
            clip_id=safe_id(f"{video}.video"),
            drive_id=safe_id(video),
            camera=CAMERA,
            fps=VIDEO_FPS,
            source=path,
            files=(path,),
            shared=tuple(drive.infos),
            split_hint=drive.split_hint,
            conditions=own.conditions,
        )


def _clip(
    video: str, drive: Drive, own: DriveLabels, images: list[Image], group: str, *, start_s: float, fps: float
) -> Iterator[Recording | Outcome]:
    """One clip of images, without those whose labels cannot be used."""
    stills: list[Still] = []
    sources: set[str] = set()
    for image in images:
        try:
            labels, source = own.find(image_name(image.path))
        except InputError as error:
            yield Outcome(path=image.path, status="unused", reason=str(error))
            continue
        sources |= {source} - {""}
        stills.append(
            Still(
                number=image.number,
                time_s=(image.number - images[0].number) / fps,
                image=image.path,
                labels=source if len(images) == 1 else "",
                inline=labels,
            )
        )
    if stills:
        yield Recording(
            clip_id=safe_id(f"{video}.{group}" if group else video),
            drive_id=safe_id(video),
            camera=CAMERA,
            start_time_s=start_s,
            fps=fps,
            source=stills[0].image.rpartition("/")[0],
            files=tuple(still.image for still in stills),
            shared=(*sorted(sources), *drive.infos),
            stills=tuple(stills),
            split_hint=drive.split_hint,
            conditions=own.conditions,
        )

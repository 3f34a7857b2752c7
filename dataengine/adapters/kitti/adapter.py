"""KITTI, the 2D object benchmark: single colour images of the left camera with boxes.

::

    training/image_2/000000.png  (or .jpg, .jpeg)
    training/label_2/000000.txt
    testing/image_2/000000.png                      without labels
    mapping/train_rand.txt, mapping/train_mapping.txt    from the devkit, wherever they lie below the root

Archives may stay in folders of their own (``data_object_image_2/training/image_2/...``). With the
mapping, images are clips of their real drives: frames of one drive at most ``CLIP_GAP_S`` apart, numbered
and timed at 10 Hz. Without it nothing tells which of the shuffled images belong together (neighbouring
numbers do not), so each is a drive of its own. Near-duplicates may then lie in two splits: fetch the
mapping for a fair test.

KITTI publishes no validation split, and no labels of its test images: no split is hinted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
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
from dataengine.adapters.kitti.labels import CLASSES, read_objects, without_empty_regions
from dataengine.adapters.kitti.mapping import LINES, RAND, Moment, read_mapping
from dataengine.adapters.labels import FrameLabels
from dataengine.config import DatasetConfig
from dataengine.errors import InputError
from dataengine.workspace import Outcome

RATE = 10.0
"""Frames per second of a drive."""

CLIP_GAP_S = 5.0
"""Images of one drive further apart than this belong to two clips."""

CAMERA = "image_2"
LABELS = "label_2"
_IMAGE = re.compile(r"(?P<number>\d{1,9})\.(?:png|jpe?g)", re.IGNORECASE)
_WHY_UNUSED = {
    "image_3": "the right camera, whose images nobody labelled",
    "calib": "calibration in 3D, which 2D boxes do not need",
    "velodyne": "laser scans: images are read",
}


@dataclass(frozen=True, slots=True)
class _Image:
    path: str
    label: str
    split: str
    number: int


class Kitti(Adapter):
    """KITTI's object benchmark.

    Args:
        root: Folder with ``image_2/`` somewhere below it.
        config: Nothing of it changes what is read.
    """

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        self.root = root
        self.config = config

    def settings(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def class_names(self) -> Iterable[str]:
        """The nine types."""
        return CLASSES

    def recordings(self) -> Iterator[Recording | Outcome]:
        """Clips of the drives by name and time, then single images by number, then files of neither."""
        files = list(files_under(self.root))
        images, outcomes = _images(files)
        if not images:
            hint = "; dataset=kitti_tracking reads image_02/" if any("image_02/" in f for f in files) else ""
            raise InputError(
                f"dataset.root={self.root} holds no KITTI objects: looked for image_2/000000.png and so on"
                f"{hint}; see datasets/kitti.toml for where to get it"
            )
        moments, found = _mapping(self.root, files)
        outcomes += found
        drives: defaultdict[str, dict[int, _Image]] = defaultdict(dict)
        single: list[_Image] = []
        for image in images:
            moment = (
                moments[image.number] if image.split != "testing" and image.number < len(moments) else None
            )
            if moment is None or image != drives[moment.drive].setdefault(moment.frame, image):
                single.append(image)
        for drive, frames in sorted(drives.items()):
            yield from _clips(drive, frames)
        yield from map(_single, single)
        yield from outcomes

    def labels(self, recording: Recording) -> LabelReader | None:
        """Boxes of the images' label files."""
        paths = {still.number: still.labels for still in recording.stills}
        if not any(paths.values()):
            return None

        def read(number: int, size: tuple[int, int]) -> FrameLabels | None:
            path = paths[number]
            if not path:
                return None
            try:
                return without_empty_regions(read_objects(self.root / path), size)
            except InputError as error:
                raise BrokenFileError(path, str(error)) from error

        return read


def _images(files: list[str]) -> tuple[list[_Image], list[Outcome]]:
    """The images with their labels, and an outcome for every other file but those of the mapping."""
    labels: dict[tuple[str, str], str] = {}
    pictures: dict[tuple[str, str], str] = {}
    outcomes: list[Outcome] = []
    for path in files:
        *folders, name = path.split("/")
        folder, split = (folders[-1] if folders else ""), (folders[-2] if len(folders) > 1 else "")
        key = (split, name.rpartition(".")[0])
        table = {CAMERA: pictures, LABELS: labels}.get(folder)
        is_part = bool(_IMAGE.fullmatch(name)) if folder == CAMERA else name.endswith(".txt")
        if table is not None and is_part:
            first = table.setdefault(key, path)
            if first != path:
                outcomes.append(Outcome(path=path, status="unused", reason=f"the same as {first}"))
        elif name not in (RAND, LINES):
            reason = _WHY_UNUSED.get(folder, "no part of KITTI's layout")
            outcomes.append(Outcome(path=path, status="unused", reason=reason))
    for key in sorted(labels.keys() - pictures.keys()):
        outcomes += _without_image(labels[key])
    labelled = {split for split, _ in labels}
    for key in sorted(pictures.keys() - labels.keys()):
        if key[0] in labelled:
            outcomes.append(_without_label(pictures[key]))
    images = [
        _Image(path, labels.get(key, ""), key[0], int(key[1])) for key, path in sorted(pictures.items())
    ]
    return images, outcomes


def _without_image(label: str) -> list[Outcome]:
    folder, _, name = label.rpartition(f"{LABELS}/")
    image = f"{folder}{CAMERA}/{PurePosixPath(name).stem}.png"
    return [
        Outcome(path=image, status="missing", reason=f"labelled in {label}, but not there"),
        Outcome(path=label, status="unused", reason=f"its image {image} is missing"),
    ]


def _without_label(image: str) -> Outcome:
    folder, _, name = image.rpartition(f"{CAMERA}/")
    label = f"{folder}{LABELS}/{PurePosixPath(name).stem}.txt"
    return Outcome(path=label, status="missing", reason=f"{image} is unlabelled without it")


def _mapping(root: Path, files: list[str]) -> tuple[list[Moment], list[Outcome]]:
    """The mapping, if there is a sound one, and the outcomes of its files."""
    rands = [path for path in files if PurePosixPath(path).name == RAND]
    lines = [path for path in files if PurePosixPath(path).name == LINES]
    outcomes = [
        Outcome(path=path, status="unused", reason=f"the same as {paths[0]}")
        for paths in (rands, lines)
        for path in paths[1:]
    ]
    if not (rands and lines):
        for path in (*rands[:1], *lines[:1]):
            other = LINES if rands else RAND
            outcomes += [
                Outcome(path=path, status="unused", reason=f"of no use without {other}"),
                Outcome(
                    path=str(PurePosixPath(path).with_name(other)),
                    status="missing",
                    reason=f"{path} needs it",
                ),
            ]
        return [], outcomes
    pair = (rands[0], lines[0])
    try:
        moments = read_mapping(root / pair[0], root / pair[1])
    except InputError as error:
        return [], [*outcomes, *(Outcome(path=path, status="broken", reason=str(error)) for path in pair)]
    return moments, [*outcomes, *(Outcome(path=path, status="added") for path in pair)]


def _clips(drive: str, frames: dict[int, _Image]) -> Iterator[Recording]:
    """Cut one drive's images where more than ``CLIP_GAP_S`` are missing."""
    numbers = sorted(frames)
    cuts = [i for i, (one, two) in enumerate(pairwise(numbers), 1) if two - one > CLIP_GAP_S * RATE]
    for start, stop in pairwise([0, *cuts, len(numbers)]):
        first = numbers[start]
        clip = {number: frames[number] for number in numbers[start:stop]}
        yield _recording(f"{drive}_{first:06d}", drive, clip, start_s=first / RATE)


def _single(image: _Image) -> Recording:
    name = f"{image.split}_{image.number:06d}" if image.split else f"{image.number:06d}"
    return _recording(name, name, {image.number: image}, start_s=0.0)


def _recording(clip: str, drive: str, images: dict[int, _Image], *, start_s: float) -> Recording:
    first = min(images)
    return Recording(
        clip_id=safe_id(clip),
        drive_id=safe_id(drive),
        camera=CAMERA,
        start_time_s=start_s,
        fps=RATE,
        source=images[first].path.rpartition("/")[0],
        files=tuple(name for image in images.values() for name in (image.path, image.label) if name),
        stills=tuple(
            Still(number=number, time_s=(number - first) / RATE, image=image.path, labels=image.label)
            for number, image in images.items()
        ),
    )

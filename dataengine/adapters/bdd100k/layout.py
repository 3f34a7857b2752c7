"""Which file of a BDD100K folder is what, by its path alone, grouped by video.

::

    images/{100k,10k}/<split>/<video>.jpg           one key frame a video, about 10 s after its start
    images/{track,seg_track_20}/<split>/<video>/<video>-0000001.jpg    5 Hz, counted from 1
    videos/<split>/<video>.mov                      40 s at 30 Hz
    info/100k/<split>/<video>.json                  telemetry of the phone
    labels/.../*.json                               boxes by list, by video or by image

Archives nest these folders in several ways, so a folder's name counts wherever it stands; a folder
without any of these names is read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from dataengine.adapters.scalabel.columns import SUFFIXES, image_name
from dataengine.schema import POOL, TEST, VAL
from dataengine.workspace import Outcome

KEY_SETS, TRACK_SETS = ("100k", "10k"), ("track", "seg_track_20")
_VIDEO_SUFFIXES = (".mov", ".mp4")
_MASKS = frozenset(
    {"labels", "labels-20", "color_labels", "bitmasks", "colormaps", "masks", "rles", "drivable_maps"}
)
_OTHER_TASKS = frozenset(
    {"lane", "drivable", "sem_seg", "ins_seg", "pan_seg", "seg_track_20", "pose_21", "polygons", "rles"}
)
_SPLIT = re.compile(r"(train|val|test)[AB]?")
_SPLIT_OF_LIST = re.compile(r".*_(train|val|test)(?:_.*)?\.json")
TRACK_FRAME = re.compile(r"(?P<video>.+)-(?P<counter>\d{7})")
"""The name of a 5 Hz frame."""
_HINTS = {"test": TEST, "val": VAL, "train": POOL}


@dataclass(frozen=True, slots=True)
class Image:
    """One image file: its path, the set it belongs to (empty if unnamed), its number within the clip."""

    path: str
    group: str
    number: int


@dataclass(slots=True)
class Drive:
    """Everything of one video.

    Attributes:
        stills: Key frames, by set.
        frames: Frames at 5 Hz, by set.
        videos: The video itself.
        infos: Its telemetry.
        labels: Label files of its own name.
        splits: The publisher's splits that its images and videos lie in.
    """

    stills: dict[str, Image] = field(default_factory=dict)
    frames: dict[str, dict[int, Image]] = field(default_factory=dict)
    videos: list[str] = field(default_factory=list)
    infos: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    splits: set[str] = field(default_factory=set)

    @property
    def split_hint(self) -> str:
        """The publisher's split; one that is read by judges alone wins over one that is trained on.

        The sets of images were split each in its own way, so a video may lie in two. The publisher's
        test has no labels to judge by: no hint.
        """
        found = next((split for split in _HINTS if split in self.splits), "")
        return "" if found in ("", "test") else _HINTS[found]

    @property
    def has_both(self) -> bool:
        """Whether key frames and frames at 5 Hz are there."""
        return bool(self.stills and self.frames)

    @property
    def is_recorded(self) -> bool:
        """Whether there is an image or a video of it."""
        return bool(self.stills or self.frames or self.videos)


@dataclass(slots=True)
class Layout:
    """A folder's files.

    Attributes:
        drives: By video.
        images: Names of all images, without folder and suffix.
        lists: Label files of many videos, the newest release first.
        strays: Files that are none of it, and why.
    """

    drives: dict[str, Drive] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    lists: list[str] = field(default_factory=list)
    strays: list[Outcome] = field(default_factory=list)


def read_layout(files: Iterable[str]) -> Layout:
    """Sort a folder's files, as ``base.files_under`` gives them."""
    layout = Layout()
    tables = []
    for path in files:
        parts = path.split("/")
        suffix = PurePosixPath(path).suffix.lower()
        folders = frozenset(parts[:-1])
        if suffix in SUFFIXES and not folders & _MASKS:
            _add_image(layout, path, parts)
        elif suffix in _VIDEO_SUFFIXES:
            drive = _drive(layout, PurePosixPath(path).stem)
            drive.videos.append(path)
            drive.splits.add(split_of(path))
        elif suffix == ".json" and "info" in folders:
            _drive(layout, PurePosixPath(path).stem).infos.append(path)
        elif suffix == ".json" and not folders & _OTHER_TASKS:
            tables.append(path)
        else:
            layout.strays.append(Outcome(path=path, status="unused", reason=_why_unused(suffix, folders)))
    for path in sorted(tables, key=_age):
        own = layout.drives.get(PurePosixPath(path).stem)
        if own is not None and (own.stills or own.frames):
            own.labels.append(path)
        else:
            layout.lists.append(path)
    _settle_spare_infos(layout)
    return layout


def split_of(path: str) -> str:
    """``train``, ``val``, ``test`` or empty: by a folder's name, or the end of a list's."""
    *folders, name = path.split("/")
    for folder in reversed(folders):
        if match := _SPLIT.fullmatch(folder):
            return match[1]
    match = _SPLIT_OF_LIST.fullmatch(name)
    return match[1] if match else ""


def expected_path(label_file: str, name: str, video: str) -> str:
    """Where the publisher's layout has an image that a label file speaks of."""
    *folders, _ = label_file.split("/")
    split = split_of(label_file)
    match = TRACK_FRAME.fullmatch(image_name(name))
    video = video or (match["video"] if match else "")
    if "labels" in folders and split:
        base = folders[: folders.index("labels")]
        inner = ["track", split, video] if video else ["100k", split]
        return "/".join([*base, "images", *inner, name])
    return "/".join([*folders, *([video] if video else []), name])


def _add_image(layout: Layout, path: str, parts: list[str]) -> None:
    name = image_name(path)
    match = TRACK_FRAME.fullmatch(name)
    drive = _drive(layout, match["video"] if match else name)
    group = next((part for part in reversed(parts[:-1]) if part in (*KEY_SETS, *TRACK_SETS)), "")
    if match:
        number = max(int(match["counter"]) - 1, 0)
        first = drive.frames.setdefault(group, {}).setdefault(number, Image(path, group, number))
    else:
        first = drive.stills.setdefault(group, Image(path, group, 0))
    drive.splits.add(split_of(path))
    layout.images.add(name)
    if first.path != path:
        layout.strays.append(Outcome(path=path, status="unused", reason=f"the same frame as {first.path}"))


def _drive(layout: Layout, video: str) -> Drive:
    if video not in layout.drives:
        layout.drives[video] = Drive()
    return layout.drives[video]


def _settle_spare_infos(layout: Layout) -> None:
    """Telemetry without anything recorded, and second files of it, are of no use."""
    for video, drive in list(layout.drives.items()):
        spare = drive.infos[1:] if drive.is_recorded else drive.infos
        reason = f"a second one beside {drive.infos[0]}" if drive.is_recorded and spare else ""
        for path in spare:
            layout.strays.append(
                Outcome(
                    path=path, status="unused", reason=reason or "no image or video of its drive is there"
                )
            )
        drive.infos = drive.infos[:1] if drive.is_recorded else []
        if not drive.is_recorded:
            del layout.drives[video]


def _age(path: str) -> tuple[bool, bool, str]:
    """Sorts label files: the release of 2020 corrects that of 2018."""
    return ("det_20" not in path and "/det_" not in f"/{path}", "box_track" not in path, path)


def _why_unused(suffix: str, folders: frozenset[str]) -> str:
    if suffix in SUFFIXES:
        return "a mask: boxes are read, not masks"
    if suffix == ".json":
        task = ", ".join(sorted(folders & _OTHER_TASKS))
        return f"labels of another task ({task}): boxes are read"
    return "no part of BDD100K's layout"

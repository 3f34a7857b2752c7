"""What the name of a dashcam's file tells: when it starts, which camera it is, which part of a recording.

Read are the patterns below; a date must be one that a calendar has.

::

    20240131_101500_NF.mp4              BlackVue (N, E, P, M: kind of recording; F, R, I: camera)
    2024_0131_101500_001F.MP4           Viofo, and other cameras with Novatek's firmware
    NO20240131-101500-000123F.MP4       70mai
    240131_101500_001_FH.MP4            Nextbase (H, L: quality)
    REC_2024_01_31_10_15_00_F.MP4       Thinkware
    2024-01-31_10-15-00-left_repeater.mp4  Tesla
    VID_20240131_101500.mp4, PXL_20240131_101500123.mp4, DJI_20240131101500_0001_D.MP4
    GH010123.MP4, GX010123.MP4, GP010123.MP4, GOPR0123.MP4  GoPro: part 01 of recording 0123, no time

Dates are the camera's own clock, in whatever time zone it was set to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

_STAMP = re.compile(
    r"(?<!\d)(?P<year>20\d\d)[-_.]?(?P<month>\d\d)[-_.]?(?P<day>\d\d)[-_. T]{0,2}"
    r"(?P<hour>\d\d)[-_.:h]?(?P<minute>\d\d)[-_.:m]?(?P<second>\d\d)(?P<thousandths>\d{3})?(?!\d)"
)
_SHORT_STAMP = re.compile(
    r"(?<!\d)(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d)[-_](?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)(?!\d)"
)
_CHAPTER = re.compile(r"(?:G[HXLP](?P<part>\d\d)|GOPR)(?P<recording>\d{4})", re.IGNORECASE)

CAMERAS = {
    "front": "front",
    "rear": "rear",
    "back": "rear",
    "interior": "interior",
    "inside": "interior",
    "cabin": "interior",
    "left_repeater": "left_repeater",
    "right_repeater": "right_repeater",
    "left_pillar": "left_pillar",
    "right_pillar": "right_pillar",
    "left": "left",
    "right": "right",
}
"""Words that end a name, or name a folder, and the camera they stand for."""

_AMBIGUOUS = frozenset({"back", "inside", "left", "right"})
"""Words that end names for other reasons; they count only where a camera named the file."""

_CODES = {"F": "front", "R": "rear", "B": "rear", "I": "interior", "L": "left", "T": "telephoto"}
_WORD = re.compile(rf"[-_. ](?P<word>{'|'.join(sorted(CAMERAS, key=len, reverse=True))})$", re.IGNORECASE)
_CODE = re.compile(r"(?:(?<=[-_. ])|(?<=\d))[NEPM]?(?P<code>[FRBILT])[HL]?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileName:
    """What a file name tells.

    Attributes:
        start: When the recording starts, by the camera's clock (its zone is unknown, UTC stands for it).
        camera: ``front``, ``rear`` and so on; empty where the name does not tell.
        base: The name without suffix and camera; files of several cameras that belong together share it.
        recording: Number of a recording in several parts, empty for others.
        part: Which part, from 0.
    """

    start: datetime | None = None
    camera: str = ""
    base: str
    recording: str = ""
    part: int = 0


def parse_name(path: str) -> FileName:
    """Read the name of a video file; ``path`` is relative to the dataset's root."""
    pure = PurePosixPath(path)
    stem = pure.stem
    chapter = _CHAPTER.fullmatch(stem)
    folder_camera = CAMERAS.get(pure.parent.name.lower(), "")
    if chapter:
        part = int(chapter["part"] or 0)
        return FileName(base=stem, camera=folder_camera, recording=chapter["recording"], part=part)
    start, end = _start(stem)
    tail = stem[end:]
    word = _WORD.search(stem)
    if word and (start or word["word"].lower() not in _AMBIGUOUS):
        return FileName(start=start, camera=CAMERAS[word["word"].lower()], base=stem[: word.start()])
    code = _CODE.search(tail) if start else None
    if code:
        return FileName(
            start=start, camera=_CODES[code["code"]], base=stem[: end + code.start()].rstrip("-_. ")
        )
    return FileName(start=start, camera=folder_camera, base=stem)


def _start(stem: str) -> tuple[datetime | None, int]:
    """The time in a name and where it ends."""
    for pattern, century in ((_STAMP, 0), (_SHORT_STAMP, 2000)):
        for match in pattern.finditer(stem):
            fields = match.groupdict()
            micro = int(fields.get("thousandths") or 0) * 1000
            names = ("year", "month", "day", "hour", "minute", "second")
            year, month, day, hour, minute, second = (int(fields[name]) for name in names)
            try:
                start = datetime(year + century, month, day, hour, minute, second, micro, UTC)
            except ValueError:
                continue  # a number that only looks like a date
            return start, match.end()
    return None, 0


_KINDS = """
    camera cont_rec dashcam dcim emergency event events evt evt_rec footage lock locked manual manual_rec
    motion movie normal park parking parking_rec recentclips record recordings ro savedclips sentryclips
    teslacam video videos
"""
_STRUCTURE = re.compile(
    rf"{'|'.join(_KINDS.split())}|{'|'.join(CAMERAS)}|\d{{3}}[a-z_]{{3,5}}|\d{{8}}|\d{{4}}-\d\d-\d\d",
    re.IGNORECASE,
)


def vehicle_of(path: str) -> str:
    """The folders of a file without those that cameras make themselves: by kind, day and camera."""
    folders = PurePosixPath(path).parent.parts
    return "/".join(name for name in folders if not _STRUCTURE.fullmatch(name) and not _STAMP.fullmatch(name))


def folder_of(path: str) -> str:
    """The folder of a file, above a folder of one camera."""
    folder = PurePosixPath(path).parent
    if folder.name.lower() in CAMERAS:
        folder = folder.parent
    return "" if folder == PurePosixPath() else folder.as_posix()

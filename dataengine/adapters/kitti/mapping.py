"""The mapping of the KITTI object devkit: which drive and which moment each training image was taken from.

``train_mapping.txt`` has a line ``date drive frame`` for each image in the order of recording;
``train_rand.txt`` says in one comma-separated line, counted from 1, on which of them image 0, 1, 2, ...
stands. The images were shuffled: two neighbouring numbers are of different drives, and two images of one
second of one drive are far apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from dataengine.errors import InputError

RAND, LINES = "train_rand.txt", "train_mapping.txt"

_LINE = re.compile(r"(?P<date>\S+)\s+(?P<drive>\S+)\s+(?P<frame>\d{1,10})")


@dataclass(frozen=True, slots=True)
class Moment:
    """A drive, and the number of a frame in it, at 10 Hz."""

    drive: str
    frame: int


def read_mapping(rand: Path, lines: Path) -> list[Moment]:
    """The moment of each training image, by its number.

    Raises:
        InputError: The files cannot be read or do not fit together; the message says how.
    """
    moments = []
    for number, line in enumerate(_read(lines).strip().splitlines(), 1):
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise InputError(f"line {number} of {LINES} is not `date drive frame`")
        moments.append(Moment(match["drive"], int(match["frame"])))
    order = [field.strip() for field in _read(rand).replace("\n", ",").split(",") if field.strip()]
    for field in order:
        if not (field.isdecimal() and len(field) < 10 and 1 <= int(field) <= len(moments)):
            raise InputError(f"{field[:20]!r} in {RAND} is no line of {LINES}, which has {len(moments)}")
    return [moments[int(field) - 1] for field in order]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is no text") from error

"""Videos into drives: by time where files tell one, by folder where they do not."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from dataengine.adapters.base import safe_id
from dataengine.adapters.dashcam_names import FileName, folder_of, vehicle_of
from dataengine.adapters.dashcam_probe import VideoHead

DRIVE_GAP_S = 300.0
"""A pause longer than this ends a drive. A stop at a barrier is shorter, a parked car's is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """One readable video file.

    Attributes:
        path: Relative to the dataset's root.
        name: What its name tells.
        head: What it says of itself.
    """

    path: str
    name: FileName
    head: VideoHead


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A video in its drive.

    Attributes:
        film: Which video.
        drive_id: Its drive.
        start_s: When it starts, on a clock that the drive's videos share: seconds since 1970 by the
            camera's clock, or, without one, since the drive's first video, as if the files followed
            each other without a pause.
    """

    film: Film
    drive_id: str
    start_s: float


def drives(films: Iterable[Film]) -> Iterator[Placed]:
    """Videos of one vehicle, placed in drives.

    Times in names, dates in metadata and no times at all are three clocks; a drive keeps to one.
    """
    dated: dict[str, list[tuple[float, float, Film]]] = defaultdict(list)
    undated: dict[str, list[Film]] = defaultdict(list)
    for film in films:
        start = film.name.start or (film.head.created if not film.name.recording else None)
        if start is None:
            undated[f"{folder_of(film.path)}/{film.name.recording}".strip("/")].append(film)
        else:
            clock = "name" if film.name.start else "metadata"
            dated[clock].append((start.timestamp(), film.head.duration_s, film))
    for clock in sorted(dated, reverse=True):
        yield from _by_time(sorted(dated[clock], key=lambda item: (item[0], item[2].path)))
    for group, members in sorted(undated.items()):
        yield from _in_a_row(group, members)


def _by_time(films: list[tuple[float, float, Film]]) -> Iterator[Placed]:
    end, drive_id = -float("inf"), ""
    for start, duration, film in films:
        if start - end > DRIVE_GAP_S:
            stamp = datetime.fromtimestamp(start, UTC).strftime("%Y%m%d-%H%M%S")
            vehicle = vehicle_of(film.path)
            drive_id = safe_id(f"{vehicle}-{stamp}" if vehicle else stamp)
        end = max(end, start + duration)
        yield Placed(film=film, drive_id=drive_id, start_s=start)


def _in_a_row(group: str, films: list[Film]) -> Iterator[Placed]:
    """Files without a time, in the order of their names; those of several cameras side by side."""
    drive_id = safe_id(group or "undated")
    films.sort(key=lambda film: (film.name.part, _natural(film.name.base), film.path))
    start = 0.0
    for _, together in groupby(films, key=lambda film: (film.name.part, film.name.base)):
        side_by_side = list(together)
        for film in side_by_side:
            yield Placed(film=film, drive_id=drive_id, start_s=start)
        start += max(film.head.duration_s for film in side_by_side)


def _natural(text: str) -> list[tuple[bool, int, str]]:
    """A key that orders ``clip10`` after ``clip9``."""
    pieces = re.findall(r"([0-9]{1,18})|([^0-9]+)", text)
    return [(bool(digits), int(digits or 0), digits or other) for digits, other in pieces]

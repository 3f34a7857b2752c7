"""Videos into drives: by time where files tell one, by folder where they do not."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from dataengine.adapters.base import safe_id
from dataengine.adapters.dashcam.names import FileName, folder_of, vehicle_of
from dataengine.adapters.dashcam.probe import VideoHead

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


def by_time(films: Iterable[Film]) -> Iterator[Placed]:
    """Videos of one vehicle, in the order of their starts, cut into drives where it paused.

    Args:
        films: Those whose names tell when they start, or else those whose metadata do: the two clocks may
            differ by a time zone, so a drive keeps to one. They are taken one by one.
    """
    end, drive_id = -float("inf"), ""
    for film in films:
        moment = film.name.start or film.head.created
        assert moment is not None, film.path
        start = moment.timestamp()
        if start - end > DRIVE_GAP_S:
            vehicle, stamp = vehicle_of(film.path), moment.astimezone(UTC).strftime("%Y%m%d-%H%M%S")
            drive_id = safe_id(f"{vehicle}-{stamp}" if vehicle else stamp)
        end = max(end, start + film.head.duration_s)
        yield Placed(film=film, drive_id=drive_id, start_s=start)


def without_time_in_name(films: Iterable[Film]) -> Iterator[Placed]:
    """Videos of one vehicle whose names tell no time: by the date in their metadata, else by folder.

    The parts of one recording are a drive of their own: they repeat the date of the first.
    """
    dated: list[tuple[datetime, str, Film]] = []
    undated: dict[str, list[Film]] = defaultdict(list)
    for film in films:
        if film.head.created is None or film.name.recording:
            undated[f"{folder_of(film.path)}/{film.name.recording}".strip("/")].append(film)
        else:
            dated.append((film.head.created, film.path, film))
    yield from by_time(film for *_, film in sorted(dated, key=lambda item: item[:2]))
    for group, members in sorted(undated.items()):
        yield from _in_a_row(group, members)


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

"""What the official file names of nuScenes tell: ``<log>__<CHANNEL>__<microseconds>.jpg``."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import PurePosixPath

from dataengine.adapters.base import Recording, Still, safe_id
from dataengine.workspace import Outcome

NAME = re.compile(
    r"(?P<log>(?P<vehicle>n\d+)-(?P<date>\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)(?P<zone>[+-]\d{4})?)"
    r"__(?P<channel>CAM_\w+?)__(?P<time_us>\d{1,18})\.jpe?g"
)
CLIP_GAP_S = 5.0
"""Images of one camera further apart than this belong to two clips."""
KEYFRAME_RATE = 2.0


def named_clips(files: Iterable[str], channels: list[str]) -> Iterator[Recording | Outcome]:
    """Clips of unlabelled images by what their names say, and an outcome for each file that is none.

    The log is the drive: without the tables nobody can tell where one scene of it ends. A frame's
    number is the millisecond since the log began, which its name tells too, so that numbers stay
    the same when more files arrive.

    Args:
        files: Paths relative to the dataset's root, sorted.
        channels: Cameras to read; empty reads all.
    """
    groups: dict[tuple[str, str], dict[int, Still]] = defaultdict(dict)
    vehicles = {}
    for name in files:
        match = NAME.fullmatch(PurePosixPath(name).name)
        reason = "no image with an official name (<log>__<CHANNEL>__<microseconds>.jpg), and no tables"
        if match is not None:
            group = groups[match["log"], match["channel"]]
            number = _number(match)
            if number is None:
                reason = "its time is not within a day of its log's"
            elif channels and match["channel"] not in channels:
                reason = f"{match['channel']} is not among dataset.cameras"
            elif number in group:
                reason = f"the same frame as {group[number].image}"
            else:
                vehicles[match["log"]] = match["vehicle"]
                group[number] = Still(number=number, time_s=int(match["time_us"]) / 1e6, image=name)
                continue
        yield Outcome(path=name, status="unused", reason=reason)
    for (log, channel), stills in sorted(groups.items()):
        ordered = [stills[number] for number in sorted(stills)]
        for part in _runs(ordered):
            yield _clip(log, channel, vehicles[log], part)


def _number(match: re.Match[str]) -> int | None:
    zone = match["zone"] or "+0000"
    try:
        start = datetime.strptime(match["date"] + zone, "%Y-%m-%d-%H-%M-%S%z").timestamp()
    except ValueError:
        return None
    number = round(int(match["time_us"]) / 1e3 - start * 1e3)
    return number if 0 <= number < 86_400_000 else None


def _runs(stills: list[Still]) -> Iterator[list[Still]]:
    cuts = [
        at for at, (one, other) in enumerate(pairwise(stills), 1) if other.time_s - one.time_s > CLIP_GAP_S
    ]
    for start, stop in pairwise([0, *cuts, len(stills)]):
        if start < stop:
            yield stills[start:stop]


def _clip(log: str, channel: str, vehicle: str, stills: list[Still]) -> Recording:
    start = stills[0].time_s
    span = stills[-1].time_s - start
    return Recording(
        clip_id=safe_id(f"{log}_{channel}_{stills[0].number:06d}"),
        drive_id=safe_id(log),
        vehicle_id=vehicle,
        camera=channel,
        start_time_s=start,
        fps=(len(stills) - 1) / span if span > 0 else KEYFRAME_RATE,
        source=str(PurePosixPath(stills[0].image).parent),
        files=tuple(still.image for still in stills),
        stills=tuple(replace(still, time_s=still.time_s - start) for still in stills),
    )

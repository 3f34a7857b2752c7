"""comma2k19 on disk: which file of a segment is what.

::

    Chunk_1/<dongle>|<date>/<segment>/          a route is cut into segments of one minute
        video.hevc                              raw stream without times
        global_pose/frame_{times,positions,velocities,orientations,gps_times}
        processed_log/CAN/{speed,steering_angle,wheel_speed,...}/{t,value}
        processed_log/IMU/{accelerometer,gyro,...}/{t,value}
        processed_log/GNSS/{live_gnss_ublox,live_gnss_qcom,...}/{t,value}
        preview.png, raw_log.bz2

The arrays are ``.npy`` without the suffix. The publisher's script for Microsoft's file systems turns
``|`` into ``_``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

VIDEO = "video.hevc"
CLOCK = "global_pose/frame_times"

POSITIONS = "global_pose/frame_positions"
VELOCITIES = "global_pose/frame_velocities"
ORIENTATIONS = "global_pose/frame_orientations"
POSES = {POSITIONS: 3, VELOCITIES: 3, ORIENTATIONS: 4}
"""Columns of the arrays with a row for each frame."""

SPEED = "processed_log/CAN/speed"
STEERING = "processed_log/CAN/steering_angle"
WHEELS = "processed_log/CAN/wheel_speed"
ACCELEROMETER = "processed_log/IMU/accelerometer"
GYRO = "processed_log/IMU/gyro"
GNSS = ("processed_log/GNSS/live_gnss_ublox", "processed_log/GNSS/live_gnss_qcom")
"""The first one that a segment has is read."""
LOGS = {SPEED: 1, STEERING: 1, WHEELS: 4, ACCELEROMETER: 3, GYRO: 3, GNSS[0]: 6, GNSS[1]: 6}
"""Columns of the ``value`` arrays that have a clock of their own, ``t``."""

_ROUTE = re.compile(r"(?P<dongle>[0-9a-f]{16})[|_](?P<start>\d{4}-\d\d-\d\d--\d\d-\d\d-\d\d)")
_SEGMENT = re.compile(r"\d{1,4}")


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One minute of one route.

    Attributes:
        route: ``<dongle>_<date>``.
        number: Counted from 0 within the route.
        folder: Relative to the dataset's root, with a slash at its end; empty for the root itself.
        names: Its files, relative to ``folder``.
    """

    route: str
    number: int
    folder: str
    names: list[str] = field(default_factory=list, compare=False)

    @property
    def dongle(self) -> str:
        """The device, and so the car."""
        return self.route.partition("_")[0]


def segments(root: Path, files: Iterable[str]) -> tuple[list[Segment], list[str]]:
    """Segments in the order of route and number, and files that are in none.

    The root may be the folder of all chunks, one chunk, one route or one segment.

    Args:
        root: The dataset's root.
        files: Every file below it, as from ``base.files_under``.
    """
    above = root.resolve().parts[-2:]
    found: dict[str, Segment] = {}
    strays: list[str] = []
    for name in files:
        parts = (*above, *PurePosixPath(name).parts)
        at = next(
            (
                index
                for index in range(len(parts) - 2)
                if _ROUTE.fullmatch(parts[index]) and _SEGMENT.fullmatch(parts[index + 1])
            ),
            None,
        )
        if at is None:
            strays.append(name)
            continue
        inside = parts[len(above) : max(at + 2, len(above))]
        folder = "".join(f"{part}/" for part in inside)
        if folder not in found:
            route = _ROUTE.fullmatch(parts[at])
            assert route is not None
            found[folder] = Segment(f"{route['dongle']}_{route['start']}", int(parts[at + 1]), folder)
        found[folder].names.append(name.removeprefix(folder))
    return sorted(found.values()), strays

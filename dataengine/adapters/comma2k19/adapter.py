"""comma2k19: 2,019 minutes of commuting on a Californian highway, with CAN, IMU, GNSS and camera poses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine.adapters.arrays import read_array
from dataengine.adapters.base import Adapter, BrokenFileError, Recording, files_under
from dataengine.adapters.comma2k19.check import judge
from dataengine.adapters.comma2k19.layout import CLOCK, LOGS, POSES, VIDEO, Segment, segments
from dataengine.adapters.comma2k19.signals import signals
from dataengine.adapters.telemetry import Telemetry
from dataengine.config import DatasetConfig
from dataengine.errors import ConfigError, InputError
from dataengine.workspace import Outcome

CAMERA = "road"
FRAME_RATE = 20.0
SEGMENT_S = 60.0


class Comma2k19(Adapter):
    """Segments of comma2k19; those without video or clock are quarantined.

    Args:
        root: Folder that holds ``Chunk_1/`` and so on, one of these, or a route in it.
        config: Its cameras may name the one that there is.
    """

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        self.root = root
        self.config = config

    def settings(self) -> dict[str, Any]:
        """None."""
        return {}

    def recordings(self) -> Iterator[Recording | Outcome]:
        """Segments by route and number, then files that are part of none."""
        if set(self.config.cameras) - {CAMERA}:
            raise ConfigError(f"dataset.cameras={self.config.cameras}: comma2k19 has one camera, {CAMERA}")
        found, strays = segments(self.root, files_under(self.root))
        if not found:
            raise InputError(
                f"dataset.root={self.root} holds no comma2k19: looked for <dongle>|<date>/<segment>/{VIDEO}; "
                "see datasets/comma2k19.toml for where to get it"
            )
        for segment in found:
            outcomes = judge(self.root, segment)
            if outcomes[VIDEO].status == "added":
                used = tuple(outcome.path for outcome in outcomes.values() if outcome.status == "added")
                yield _recording(segment, used)
            # what is needed comes first: the reason for all the others
            first = [outcomes.pop(name) for name in (VIDEO, CLOCK)]
            yield from (outcome for outcome in (*first, *outcomes.values()) if outcome.status != "added")
        for name in strays:
            yield Outcome(path=name, status="unused", reason="lies in no folder <dongle>|<date>/<segment>/")

    def frame_times(self, recording: Recording) -> NDArray[np.float64]:
        """When each frame was taken, since the first one, in seconds."""
        times = self._boot_times(recording)
        return np.asarray(times - times[0])

    def telemetry(self, recording: Recording) -> Telemetry:
        """What the car, the phone's sensors and the publisher's pose optimiser measured.

        ``speed_mps`` (CAN, else poses), ``acceleration_mps2`` (from the speed), ``yaw_rate_radps``,
        ``steering_angle_deg``, ``wheel_speeds_mps`` (front left, front right, rear left, rear right),
        ``accelerometer_mps2`` and ``gyro_radps`` (forward, right, down), ``latitude_deg``,
        ``longitude_deg``, ``altitude_m`` (above the WGS 84 ellipsoid) and ``heading_deg`` of the camera,
        and the like with ``gnss_`` before it as the receiver gave them.
        """
        folder, held = recording.source.removesuffix(VIDEO), set(recording.files)
        poses = {
            name: self._read(f"{folder}{name}", columns)
            for name, columns in POSES.items()
            if f"{folder}{name}" in held
        }
        logs = {
            log: (self._read(f"{folder}{log}/t", 1)[:, 0], self._read(f"{folder}{log}/value", columns))
            for log, columns in LOGS.items()
            if f"{folder}{log}/value" in held
        }
        with np.errstate(invalid="ignore", over="ignore"):  # a damaged measurement is NaN, and stays that
            return Telemetry(signals=signals(self._boot_times(recording), poses, logs))

    def _boot_times(self, recording: Recording) -> NDArray[np.float64]:
        name = f"{recording.source.removesuffix(VIDEO)}{CLOCK}"
        times = self._read(name, 1)[:, 0]
        if not np.isfinite(times).all() or (np.diff(times) <= 0).any():
            raise BrokenFileError(name, "times of frames do not rise")
        return times

    def _read(self, name: str, columns: int) -> NDArray[np.float64]:
        try:
            return read_array(self.root / name, columns)
        except (InputError, OSError) as error:
            raise BrokenFileError(name, str(error)) from error


def _recording(segment: Segment, used: tuple[str, ...]) -> Recording:
    return Recording(
        clip_id=f"{segment.route}--{segment.number}",
        drive_id=segment.route,
        vehicle_id=segment.dongle,
        camera=CAMERA,
        start_time_s=SEGMENT_S * segment.number,
        fps=FRAME_RATE,
        source=f"{segment.folder}{VIDEO}",
        files=used,
    )

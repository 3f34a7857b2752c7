"""Rows of one clip, gathered frame by frame into the lake's tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from dataengine.adapters.base import Recording, Telemetry
from dataengine.adapters.labels import FrameLabels, class_ids
from dataengine.cards import Card
from dataengine.frameboxes import FrameBoxes
from dataengine.images import ImageMeasures
from dataengine.schema import CLIPS, FRAMES

_SIGNALS = ("speed_mps", "yaw_rate_radps", "acceleration_mps2")


@dataclass(slots=True)
class Rows:
    """Frames and labels of one recording, in the order in which they are added.

    Attributes:
        recording: Where they come from.
        card: The dataset's card.
        frames: One dictionary a frame, of schema ``FRAMES``.
        labels: The labels of the same frames.
    """

    recording: Recording
    card: Card
    frames: list[dict[str, Any]] = field(default_factory=list)
    labels: list[FrameLabels] = field(default_factory=list)

    def add(
        self,
        *,
        number: int,
        time_s: float,
        size: tuple[int, int],
        measures: ImageMeasures,
        labels: FrameLabels,
        media_root: str,
        image_path: str,
        mask_path: str = "",
        split_hint: str = "",
    ) -> None:
        """Append one frame; ``size`` is (height, width)."""
        self.frames.append(
            {
                "frame_id": f"{self.recording.clip_id}/{number:06d}",
                "clip_id": self.recording.clip_id,
                "drive_id": self.recording.drive_id,
                "frame_number": number,
                "time_s": time_s,
                "media_root": media_root,
                "image_path": image_path,
                "mask_path": mask_path,
                "width": size[1],
                "height": size[0],
                "sharpness": measures.sharpness,
                "brightness": measures.brightness,
                "phash": measures.phash,
                "split_hint": split_hint or self.recording.split_hint,
                "conditions": dict(self.recording.conditions),
            }
        )
        self.labels.append(labels)

    def clip_table(self) -> pa.Table:
        """One row of schema ``CLIPS``."""
        recording, first = self.recording, self.frames[0]
        row = {
            "clip_id": recording.clip_id,
            "drive_id": recording.drive_id,
            "vehicle_id": recording.vehicle_id,
            "camera": recording.camera,
            "start_time_s": recording.start_time_s,
            "fps": recording.fps,
            "num_frames": len(self.frames),
            "width": first["width"],
            "height": first["height"],
            "split_hint": recording.split_hint,
            "conditions": dict(recording.conditions),
            "source": recording.source,
            "licence": self.card.licence,
        }
        return pa.Table.from_pylist([_as_maps(row)], CLIPS)

    def frame_table(self, telemetry: Telemetry | None) -> pa.Table:
        """Rows of schema ``FRAMES``, with telemetry at the frames' times."""
        times = np.array([row["time_s"] for row in self.frames])
        for name, values in at_times(telemetry, times).items():
            for row, value in zip(self.frames, values, strict=True):
                row[name] = None if np.isnan(value) else float(value)
        return pa.Table.from_pylist([_as_maps(row) for row in self.frames], FRAMES)

    def oracle_table(self) -> pa.Table:
        """Rows of schema ``FRAME_BOXES``: the truth of every frame, without objects or with.

        Raises:
            ConfigError: A class name is in no class map.
        """
        ids, ignore = [], []
        for labels in self.labels:
            class_id, ignored = class_ids(labels, self.card, self.recording.source)
            ids.append(class_id)
            ignore.append(ignored)
        return FrameBoxes.build(
            [row["frame_id"] for row in self.frames],
            [len(labels.names) for labels in self.labels],
            np.concatenate([labels.xyxy for labels in self.labels]),
            np.concatenate(ids),
            ignore=np.concatenate(ignore),
            visibility=np.concatenate([labels.visibility for labels in self.labels]),
            track_id=np.concatenate([labels.track_id for labels in self.labels]),
        ).to_table()


def at_times(telemetry: Telemetry | None, times: np.ndarray) -> dict[str, np.ndarray]:
    """Each signal interpolated linearly to ``times`` ``[F]``; NaN where it was not recorded.

    A frame up to one sampling interval before the first or after the last measurement takes that
    measurement: cameras and loggers do not start together.
    """
    if telemetry is None:
        return {name: np.full(len(times), np.nan) for name in _SIGNALS}
    known = telemetry.time_s
    slack = float(np.median(np.diff(known))) if len(known) > 1 else 0.0
    recorded = (times >= known[0] - slack - 1e-9) & (times <= known[-1] + slack + 1e-9)
    return {
        name: np.where(recorded, np.interp(times, known, getattr(telemetry, name)), np.nan)
        for name in _SIGNALS
    }


def _as_maps(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "conditions": sorted(row["conditions"].items())}

"""Rows of one clip, gathered frame by frame into columns of the lake's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine.adapters.base import Recording, Still
from dataengine.adapters.labels import FrameLabels, class_ids
from dataengine.adapters.telemetry import Telemetry
from dataengine.cards import Card
from dataengine.frameboxes import FrameBoxes
from dataengine.images import ImageMeasures
from dataengine.privacy import Regions
from dataengine.schema import BLURRED, CLIPS, FRAMES, TELEMETRY

SIGNALS = ("speed_mps", "yaw_rate_radps", "acceleration_mps2")
"""Signals with a column of their own in the frames table."""

VARYING = (
    "frame_number",
    "time_s",
    "media_root",
    "image_path",
    "mask_path",
    "width",
    "height",
    "sharpness",
    "brightness",
    "plain_share",
    "phash",
    "split_hint",
    "conditions",
)
"""Columns of the frames table that differ from frame to frame of one recording."""


@dataclass(slots=True)
class Rows:
    """Frames and labels of one recording, in the order in which they are added.

    Attributes:
        recording: Where they come from.
        card: Classes and class map of the workspace.
        origin: The card of the recording's own dataset: its name and licence.
        frame_ids: Of the frames so far.
        rows: Values of ``VARYING`` for the same frames.
        labels: The labels of the same frames; ``None`` where nobody labelled one.
        regions: What the anonymiser did to them, if there was one.
    """

    recording: Recording
    card: Card
    origin: Card
    frame_ids: list[str] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    labels: list[FrameLabels | None] = field(default_factory=list)
    regions: list[Regions | None] = field(default_factory=list)

    def add(
        self,
        *,
        number: int,
        time_s: float,
        size: tuple[int, int],
        measures: ImageMeasures,
        labels: FrameLabels | None,
        media_root: str,
        image_path: str,
        still: Still | None = None,
        conditions: Mapping[str, str] | None = None,
        regions: Regions | None = None,
    ) -> None:
        """Append one frame; ``size`` is (height, width)."""
        hint = still.split_hint if still is not None else ""
        self.rows.append(
            (
                number,
                time_s,
                media_root,
                image_path,
                still.mask if still is not None else "",
                size[1],
                size[0],
                measures.sharpness,
                measures.brightness,
                measures.plain_share,
                measures.phash,
                hint or self.recording.split_hint,
                _pairs(
                    {**self.recording.conditions, **conditions} if conditions else self.recording.conditions
                ),
            )
        )
        self.frame_ids.append(f"{self.recording.clip_id}/{number:06d}")
        self.labels.append(labels)
        self.regions.append(regions)

    def tables(self, telemetry: Telemetry | None, max_gap_s: float) -> dict[str, pa.Table]:
        """Rows by lake table; only ``clips`` and ``frames`` are always there.

        Args:
            telemetry: Of the recording.
            max_gap_s: Longest pause across which telemetry is interpolated.

        Raises:
            ConfigError: A class name is in no class map.
        """
        columns = dict(zip(VARYING, zip(*self.rows, strict=True), strict=True))
        times = np.array(columns["time_s"], np.float64)
        measured = telemetry.signals if telemetry is not None else {}
        signals = {name: signal.at(times, max_gap_s) for name, signal in measured.items()}
        found = {
            "clips": self._clips(),
            "frames": self._frames(columns, signals),
            "oracle": self._oracle(),
            "telemetry": self._telemetry(signals),
            "blurred": self._blurred(),
        }
        return {name: table for name, table in found.items() if table is not None}

    def _clips(self) -> pa.Table:
        recording = self.recording
        row = {
            "clip_id": recording.clip_id,
            "drive_id": recording.drive_id,
            "vehicle_id": recording.vehicle_id,
            "camera": recording.camera,
            "start_time_s": recording.start_time_s,
            "fps": recording.fps,
            "num_frames": len(self.frame_ids),
            "width": self.rows[0][VARYING.index("width")],
            "height": self.rows[0][VARYING.index("height")],
            "split_hint": recording.split_hint,
            "conditions": _pairs(recording.conditions),
            "source": recording.source,
            "licence": self.origin.licence,
        }
        return pa.Table.from_pylist([row], CLIPS)

    def _frames(
        self, varying: Mapping[str, Sequence[Any]], signals: Mapping[str, NDArray[np.float64]]
    ) -> pa.Table:
        number = len(self.frame_ids)
        constant = {
            "clip_id": self.recording.clip_id,
            "drive_id": self.recording.drive_id,
            "dataset": self.origin.name,
            "licence": self.origin.licence_kind,
        }
        columns: dict[str, Any] = {**varying, "frame_id": self.frame_ids}
        columns |= {name: signals.get(name, np.full(number, np.nan)) for name in SIGNALS}
        columns |= {
            name: pa.repeat(pa.scalar(value, pa.string()), number) for name, value in constant.items()
        }
        columns["conditions"] = _few_values(varying["conditions"], FRAMES.field("conditions").type)
        arrays = [
            column
            if isinstance(column := columns[item.name], pa.Array)
            else pa.array(column, item.type, from_pandas=True)
            for item in FRAMES
        ]
        return pa.Table.from_arrays(arrays, schema=FRAMES)

    def _oracle(self) -> pa.Table | None:
        """The truth of every labelled frame, without objects or with; ``None`` where none is labelled."""
        known = [labels for labels in self.labels if labels is not None]
        if not known:
            return None
        together = FrameLabels(
            xyxy=np.concatenate([labels.xyxy for labels in known]),
            names=tuple(name for labels in known for name in labels.names),
            ignore=np.concatenate([labels.ignore for labels in known]),
            visibility=np.concatenate([labels.visibility for labels in known]),
            track_id=np.concatenate([labels.track_id for labels in known]),
        )
        ids, ignored = class_ids(together, self.card, self.recording.source)
        return FrameBoxes.build(
            [f for f, labels in zip(self.frame_ids, self.labels, strict=True) if labels is not None],
            [len(labels.names) for labels in known],
            together.xyxy,
            ids,
            ignore=ignored,
            visibility=together.visibility,
            track_id=together.track_id,
        ).to_table()

    def _telemetry(self, signals: Mapping[str, NDArray[np.float64]]) -> pa.Table | None:
        more = {name: values for name, values in sorted(signals.items()) if name not in SIGNALS}
        if not more:
            return None
        rows = [
            {
                "frame_id": frame_id,
                "signals": [
                    (name, np.atleast_1d(values[index]).astype(np.float32).tolist())
                    for name, values in more.items()
                    if np.isfinite(values[index]).all()
                ],
            }
            for index, frame_id in enumerate(self.frame_ids)
        ]
        measured = [row for row in rows if row["signals"]]
        return pa.Table.from_pylist(measured, TELEMETRY) if measured else None

    def _blurred(self) -> pa.Table | None:
        rows = [
            {
                "frame_id": frame_id,
                "rule": regions.rule,
                "num_regions": regions.num_regions,
                "area_share": regions.area_share,
            }
            for frame_id, regions in zip(self.frame_ids, self.regions, strict=True)
            if regions is not None
        ]
        return pa.Table.from_pylist(rows, BLURRED) if rows else None


def _pairs(conditions: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(conditions.items()))


def _few_values(values: Sequence[tuple[tuple[str, str], ...]], kind: pa.DataType) -> pa.Array:
    """An Arrow column of a few different values, each converted once: conditions seldom change in a clip."""
    number = {value: index for index, value in enumerate(dict.fromkeys(values))}
    different = pa.array([list(value) for value in number], kind)
    return different.take(pa.array([number[value] for value in values], pa.int32()))

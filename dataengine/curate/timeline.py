"""Frames of a lake as arrays: which drive, when in it, and how they look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """One entry a frame, ordered by frame id.

    Attributes:
        frame_ids: ``[F]`` object array of ``str``.
        clips: ``[F]`` clip ids.
        drives: ``[F]`` drive ids.
        time_s: ``[F]`` float64, on the clock that the clips of one drive share.
        hints: ``[F]`` the publisher's split, or empty.
        phash: ``[F]`` uint64.
        sharpness: ``[F]`` float32.
        brightness: ``[F]`` float32.
    """

    frame_ids: NDArray[np.object_]
    clips: NDArray[np.object_]
    drives: NDArray[np.object_]
    time_s: NDArray[np.float64]
    hints: NDArray[np.object_]
    phash: NDArray[np.uint64]
    sharpness: NDArray[np.float32]
    brightness: NDArray[np.float32]

    @classmethod
    def from_tables(cls, frames: pa.Table, clips: pa.Table) -> Timeline:
        """Join frames with the start times of their clips."""
        starts = dict(zip(clips["clip_id"].to_pylist(), clips["start_time_s"].to_pylist(), strict=True))
        frames = frames.sort_by("frame_id")
        clip_ids = frames["clip_id"].to_pylist()
        start = np.array([starts.get(clip_id, 0.0) for clip_id in clip_ids], np.float64)
        return cls(
            frame_ids=_strings(frames, "frame_id"),
            clips=_strings(frames, "clip_id"),
            drives=_strings(frames, "drive_id"),
            time_s=start + frames["time_s"].to_numpy(),
            hints=_strings(frames, "split_hint"),
            phash=frames["phash"].to_numpy(),
            sharpness=frames["sharpness"].to_numpy(),
            brightness=frames["brightness"].to_numpy(),
        )

    def by_drive(self) -> dict[str, NDArray[np.int64]]:
        """The frames of each drive in the order of time; drives by name."""
        return _grouped(self.drives, self.time_s)

    def by_clip(self) -> dict[str, NDArray[np.int64]]:
        """The frames of each clip in the order of time; clips by name."""
        return _grouped(self.clips, self.time_s)


def _grouped(keys: NDArray[np.object_], times: NDArray[np.float64]) -> dict[str, NDArray[np.int64]]:
    if not len(keys):
        return {}
    names, group = np.unique(keys.astype(str), return_inverse=True)
    order = np.lexsort((times, group))  # stable: equal times stay in the order of frame ids
    ends = np.cumsum(np.bincount(group))[:-1]
    return dict(zip(names.tolist(), np.split(order, ends), strict=True))


def _strings(table: pa.Table, name: str) -> NDArray[np.object_]:
    values = np.empty(table.num_rows, object)
    values[:] = [value or "" for value in table[name].to_pylist()]
    return values

"""Frames of a lake as arrays: which drive, when in it, and how they look.

Names become numbers at once: a million Python strings would take longer than all that is done with
them, and most of the memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataengine.lake import Lake
from dataengine.schema import SPLITS

COLUMNS = (
    "frame_id",
    "clip_id",
    "drive_id",
    "dataset",
    "time_s",
    "split_hint",
    "phash",
    "sharpness",
    "brightness",
    "plain_share",
)
"""What is read of the table of frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """One entry a frame, ordered by frame id.

    Attributes:
        frame_ids: ``[F]`` strings.
        clips: ``[F]`` int32, number of the clip in the sorted ``clip_names``.
        clip_names: Ids of the clips.
        drives: ``[F]`` int32, number of the drive in the sorted ``drive_names``.
        drive_names: Ids of the drives.
        datasets: ``[F]`` int32, number of the dataset that the frame comes from; a mix has several.
        time_s: ``[F]`` float64, on the clock that the clips of one drive share.
        hints: ``[F]`` int8, the publisher's split as its place in ``schema.SPLITS``; -1 without one.
        labelled: ``[F]`` whether somebody labelled the frame, with objects or without.
        phash: ``[F]`` uint64.
        sharpness: ``[F]`` float32.
        brightness: ``[F]`` float32, 0..1.
        plain_share: ``[F]`` float32, 0..1.
    """

    frame_ids: pa.Array
    clips: NDArray[np.int32]
    clip_names: tuple[str, ...]
    drives: NDArray[np.int32]
    drive_names: tuple[str, ...]
    datasets: NDArray[np.int32]
    time_s: NDArray[np.float64]
    hints: NDArray[np.int8]
    labelled: NDArray[np.bool_]
    phash: NDArray[np.uint64]
    sharpness: NDArray[np.float32]
    brightness: NDArray[np.float32]
    plain_share: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.time_s)

    @classmethod
    def from_lake(cls, lake: Lake) -> Timeline:
        """Every frame of a lake, with the start times of the clips and whether there are labels."""
        frames = lake.read("frames", list(COLUMNS))
        return cls.from_tables(frames, lake.read("clips", ["clip_id", "start_time_s"]), lake.labelled())

    @classmethod
    def from_tables(cls, frames: pa.Table, clips: pa.Table, labelled: pa.Array) -> Timeline:
        """Join frames with the start times of their clips; ``labelled`` holds frame ids."""
        frames = frames.take(pc.sort_indices(frames["frame_id"])).combine_chunks()
        clip, clip_names = _numbered(frames["clip_id"])
        drive, drive_names = _numbered(frames["drive_id"])
        known = dict(zip(clips["clip_id"].to_pylist(), clips["start_time_s"].to_pylist(), strict=True))
        starts = np.array([known.get(name) or 0.0 for name in clip_names], np.float64)
        hints = pc.index_in(frames["split_hint"], pa.array(SPLITS)).fill_null(-1)
        return cls(
            frame_ids=frames["frame_id"].combine_chunks(),
            clips=clip,
            clip_names=clip_names,
            drives=drive,
            drive_names=drive_names,
            datasets=_numbered(frames["dataset"])[0],
            time_s=(starts[clip] if len(clip) else 0.0) + _floats(frames["time_s"]),
            hints=hints.to_numpy().astype(np.int8),
            labelled=pc.is_in(frames["frame_id"], labelled).to_numpy(),
            phash=frames["phash"].fill_null(0).to_numpy().astype(np.uint64),
            sharpness=_floats(frames["sharpness"]).astype(np.float32),
            brightness=_floats(frames["brightness"], 0.5).astype(np.float32),
            plain_share=_floats(frames["plain_share"]).astype(np.float32),
        )

    def name(self, frame: int) -> str:
        """The id of a frame."""
        return str(self.frame_ids[int(frame)].as_py())

    def clip_order(self) -> NDArray[np.int64]:
        """``[F]`` frame numbers, clip by clip, in the order of time."""
        return np.lexsort((self.time_s, self.clips))  # stable: equal times stay in the order of frame ids

    def drive_order(self) -> NDArray[np.int64]:
        """``[F]`` frame numbers, drive by drive, in the order of time."""
        return np.lexsort((self.time_s, self.drives))


def runs_of(codes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Where each run of equal neighbours begins in ``codes`` ``[F]``; empty for no frames."""
    if not len(codes):
        return np.zeros(0, np.int64)
    return np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))


def split_drives(timeline: Timeline, splits: NDArray[np.int8]) -> Iterator[NDArray[np.int64]]:
    """The frames, in the order of time, of each drive that holds more than one split."""
    order = timeline.drive_order()
    begins = runs_of(timeline.drives[order])
    if not len(begins):
        return
    here = splits[order]
    mixed = np.minimum.reduceat(here, begins) != np.maximum.reduceat(here, begins)
    ends = np.append(begins[1:], len(order))
    for begin, end in zip(begins[mixed].tolist(), ends[mixed].tolist(), strict=True):
        yield order[begin:end]


def _numbered(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Each value's place among the sorted values of a column of strings, and those values."""
    encoded = pc.fill_null(column, "").combine_chunks().dictionary_encode()
    names = encoded.dictionary
    order = pc.sort_indices(names).to_numpy()
    place = np.empty(len(names), np.int32)
    place[order] = np.arange(len(names), dtype=np.int32)
    codes = encoded.indices.to_numpy()
    return place[codes] if len(codes) else np.zeros(0, np.int32), tuple(
        names.take(pa.array(order)).to_pylist()
    )


def _floats(column: pa.ChunkedArray, missing: float = 0.0) -> NDArray[np.float64]:
    values: NDArray[np.float64] = column.cast(pa.float64()).fill_null(missing).to_numpy()
    return values

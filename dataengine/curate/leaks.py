"""The leak test where two splits meet in one drive; ``copies`` looks across drives."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dataengine.curate.hashes import hamming
from dataengine.curate.splits import CODE
from dataengine.curate.timeline import Timeline, split_drives
from dataengine.errors import InputError
from dataengine.schema import POOL, SPLITS, TEST_SPLITS, VAL

BOUNDARY_S = 30.0
"""Frames of one drive up to this far apart are compared across a boundary of splits. Later ones look
alike by chance: a plain road, darkness."""

_SIDES = ((POOL,), (VAL,), TEST_SPLITS)
"""The two test sets are one side: neither is learned from, nor steers anything."""


def sides(splits: NDArray[np.int8]) -> NDArray[np.int8]:
    """``[F]`` 0 for the pool, 1 for val, 2 for the test sets, -1 for frames of neither."""
    side_of = np.full(len(SPLITS), -1, np.int8)
    for number, names in enumerate(_SIDES):
        side_of[[CODE[name] for name in names]] = number
    return side_of[splits]


def check(timeline: Timeline, splits: NDArray[np.int8], *, gap_s: float, bits: int) -> None:
    """Raise ``InputError`` where two sides of the splits meet in one drive.

    Args:
        timeline: All frames.
        splits: ``[F]`` split of each frame, as its place in ``schema.SPLITS``.
        gap_s: Seconds that must lie between two sides in one drive.
        bits: Hashes of frames on two sides, in one drive and at most ``BOUNDARY_S`` apart, must
            differ in more than this many bits.
    """
    for frame, other in _meetings(timeline, splits, gap_s, bits):
        seconds = abs(timeline.time_s[other] - timeline.time_s[frame])
        differ = hamming(timeline.phash[[frame]], timeline.phash[[other]])[0]
        raise InputError(
            f"drive {timeline.drive_names[timeline.drives[frame]]} leaks: {timeline.name(frame)} "
            f"({SPLITS[splits[frame]]}) and {timeline.name(other)} ({SPLITS[splits[other]]}) are "
            f"{seconds:.1f} s apart and differ in {differ} of 64 bits of their hashes; raise "
            f"dataset.split_gap_s above {seconds:.1f}, or lower curate.duplicate_bits"
        )


def lookalikes_at_cuts(timeline: Timeline, splits: NDArray[np.int8], bits: int) -> NDArray[np.int64]:
    """Frames of the side that yields which ``check`` would find to look like the other side.

    A cut of our own leaves them out besides its gap, so that slow traffic and a frozen camera end in one
    split.
    """
    frames = {frame for frame, _ in _meetings(timeline, splits, 0.0, bits)}
    return np.array(sorted(frames), np.int64)


def num_identical(timeline: Timeline, splits: NDArray[np.int8]) -> int:
    """Frames of val and test whose hash occurs in the pool, in whatever drive."""
    side = sides(splits)
    return int(np.isin(timeline.phash[side > 0], timeline.phash[side == 0]).sum())


def _meetings(
    timeline: Timeline, splits: NDArray[np.int8], gap_s: float, bits: int
) -> Iterator[tuple[int, int]]:
    """Frames of the side that yields with the first of the other side that they are too near or too like."""
    side = sides(splits)
    for frames in split_drives(timeline, side):
        present = np.unique(side[frames][side[frames] >= 0])
        for position, low in enumerate(present):
            for high in present[position + 1 :]:
                left, right = frames[side[frames] == low], frames[side[frames] == high]
                yield from _between(timeline, left, right, gap_s, bits)


def _between(
    timeline: Timeline, left: NDArray[np.int64], right: NDArray[np.int64], gap_s: float, bits: int
) -> Iterator[tuple[int, int]]:
    """Both sides are in the order of time."""
    times = timeline.time_s[right]
    begins = np.searchsorted(times, timeline.time_s[left] - BOUNDARY_S, "left")
    ends = np.searchsorted(times, timeline.time_s[left] + BOUNDARY_S, "right")
    for place in np.flatnonzero(ends > begins).tolist():
        frame, near = left[place], right[begins[place] : ends[place]]
        apart = np.abs(timeline.time_s[near] - timeline.time_s[frame])
        differing = hamming(timeline.phash[frame : frame + 1], timeline.phash[near])
        found = np.flatnonzero((differing <= bits) | (apart < gap_s - 1e-9))
        if len(found):
            yield int(frame), int(near[found[0]])

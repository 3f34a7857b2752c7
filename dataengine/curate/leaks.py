"""The leak test of the splits: what is judged must not look like what was learned from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.curate.duplicates import hamming
from dataengine.curate.timeline import Timeline
from dataengine.errors import InputError
from dataengine.schema import GAP, POOL, TEST_SPLITS, VAL

BOUNDARY_S = 30.0
"""Frames of one drive up to this far apart are compared across a boundary of splits. Later ones look
alike by chance: a plain road, darkness."""

_SIDES = ((POOL,), (VAL,), TEST_SPLITS)
"""The two test sets are one side: neither is learned from, nor steers anything."""


def check(timeline: Timeline, splits: NDArray[np.object_], *, gap_s: float, bits: int) -> None:
    """Raise ``InputError`` where two sides of the splits meet in one drive.

    Args:
        timeline: All frames.
        splits: ``[F]`` split of each frame.
        gap_s: Seconds that must lie between two sides in one drive.
        bits: Hashes of frames on two sides, in one drive and at most ``BOUNDARY_S`` apart, must
            differ in more than this many bits.
    """
    side = _side(splits)
    for drive, frames in timeline.by_drive().items():
        sides = np.unique(side[frames][side[frames] >= 0])
        for position, low in enumerate(sides):
            for high in sides[position + 1 :]:
                left, right = frames[side[frames] == low], frames[side[frames] == high]
                _check_pair(timeline, splits, drive, left, right, gap_s=gap_s, bits=bits)


def num_identical(timeline: Timeline, splits: NDArray[np.object_]) -> int:
    """Frames of val and test whose hash occurs in the pool, in whatever drive."""
    side = _side(splits)
    return int(np.isin(timeline.phash[side > 0], timeline.phash[side == 0]).sum())


def _side(splits: NDArray[np.object_]) -> NDArray[np.int64]:
    numbers = {name: number for number, names in enumerate(_SIDES) for name in names} | {GAP: -1}
    return np.array([numbers[split] for split in splits], np.int64)


def _check_pair(
    timeline: Timeline,
    splits: NDArray[np.object_],
    drive: str,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    *,
    gap_s: float,
    bits: int,
) -> None:
    for frame in left:
        near = right[np.abs(timeline.time_s[right] - timeline.time_s[frame]) <= BOUNDARY_S]
        if not len(near):
            continue
        apart = np.abs(timeline.time_s[near] - timeline.time_s[frame])
        differing = hamming(timeline.phash[frame], timeline.phash[near])
        leaks = np.flatnonzero((differing <= bits) | (apart < gap_s - 1e-9))
        if len(leaks):
            other = near[leaks[0]]
            seconds, differ = apart[leaks[0]], differing[leaks[0]]
            raise InputError(
                f"drive {drive} leaks: {timeline.frame_ids[frame]} ({splits[frame]}) and "
                f"{timeline.frame_ids[other]} ({splits[other]}) are {seconds:.1f} s apart and differ in "
                f"{differ} of 64 bits of their hashes; raise dataset.split_gap_s above {seconds:.1f}, or "
                "lower curate.duplicate_bits"
            )

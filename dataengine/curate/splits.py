"""Splits by drive: the publisher's where there is one, else drawn; a time gap where a drive is shared.

Test keeps all of its frames, val yields to test, and the pool yields to both: what is judged stays
as published, and what is learned from makes room.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dataengine.curate.timeline import Timeline
from dataengine.schema import GAP, POOL, TEST, TEST_SPLITS, VAL

_YIELDS_TO: Mapping[str, tuple[str, ...]] = {POOL: (VAL, *TEST_SPLITS), VAL: TEST_SPLITS}

_OVERFULL, _TOO_EMPTY = 1.5, 0.5
"""A split made of whole drives holds between these parts of its share; else drives are cut in time."""


def assign(
    timeline: Timeline, *, gap_s: float, val_share: float, test_share: float
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """The split of every frame, and why.

    Args:
        timeline: All frames of the workspace.
        gap_s: Frames of one drive closer in time than this to a split that they yield to are left out.
        val_share: Share of the frames for val, where no frame has a publisher's split.
        test_share: Likewise for test.

    Returns:
        ``[F]`` names out of ``schema.SPLITS``, and ``[F]`` reasons in words.
    """
    if (timeline.hints != "").any():
        splits = np.where(timeline.hints == "", POOL, timeline.hints).astype(object)
        reasons = np.where(timeline.hints == "", "no split published", "published split").astype(object)
    else:
        splits, reasons = _drawn(timeline, val_share, test_share)
    return _with_gaps(timeline, splits, reasons, gap_s)


def draw_drives(sizes: Mapping[str, int], shares: Mapping[str, float]) -> dict[str, str] | None:
    """Give whole drives to splits, in an order that depends on their names alone.

    Args:
        sizes: Frames of each drive.
        shares: Split -> share of all frames, filled in this order; the pool gets the other drives.

    Returns:
        Drive -> split; ``None`` where whole drives cannot come near the shares.
    """
    total = sum(sizes.values())
    given: dict[str, str] = {}
    order = sorted(sizes, key=lambda drive: hashlib.sha256(drive.encode()).digest())
    for split, share in shares.items():
        target, held = share * total, 0
        for drive in order:
            if held < target and drive not in given and held + sizes[drive] <= target * _OVERFULL:
                given[drive] = split
                held += sizes[drive]
        if held < target * _TOO_EMPTY:
            return None
    if len(given) == len(sizes):
        return None
    return {drive: given.get(drive, POOL) for drive in order}


def _drawn(
    timeline: Timeline, val_share: float, test_share: float
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    drives = timeline.by_drive()
    given = draw_drives(
        {drive: len(frames) for drive, frames in drives.items()}, {TEST: test_share, VAL: val_share}
    )
    splits = np.full(len(timeline.frame_ids), POOL, object)
    reasons = np.full(len(timeline.frame_ids), "", object)
    for drive, frames in drives.items():
        if given is not None:
            splits[frames] = given[drive]
            reasons[frames] = "drive drawn whole"
            continue
        val_from = round(len(frames) * (1 - val_share - test_share))
        test_from = round(len(frames) * (1 - test_share))
        splits[frames[val_from:test_from]] = VAL
        splits[frames[test_from:]] = TEST
        reasons[frames] = "too few drives: this one is cut in time"
    return splits, reasons


def _with_gaps(
    timeline: Timeline, splits: NDArray[np.object_], reasons: NDArray[np.object_], gap_s: float
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    gapped, why = splits.copy(), reasons.copy()
    for frames in timeline.by_drive().values():
        here, times = splits[frames], timeline.time_s[frames]
        for split, rivals in _YIELDS_TO.items():
            own = np.flatnonzero(here == split)
            for rival in rivals:
                distance = _distance(times[own], times[here == rival])
                close = frames[own[distance < gap_s - 1e-9]]
                gapped[close] = GAP
                why[close] = f"less than {gap_s:g} s from {rival} in the same drive"
    return gapped, why


def _distance(times: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """From each of ``times`` to the nearest of ``others``, which are sorted; infinite where there is none."""
    if not len(others):
        return np.full(len(times), np.inf)
    after = np.searchsorted(others, times).clip(0, len(others) - 1)
    nearest = np.minimum(np.abs(times - others[after]), np.abs(times - others[(after - 1).clip(0)]))
    return np.asarray(nearest, np.float64)

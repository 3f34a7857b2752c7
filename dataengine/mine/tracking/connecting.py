"""Which of the boxes found in a frame continue which tracks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.tracking.association import cheapest_first, pairs_within
from dataengine.mine.tracking.live import Floats, Found, Live, Rows
from dataengine.mine.tracking.motion import Motion, farthest, surprise
from dataengine.mine.tracking.settings import TrackerSettings

SETTLED = 0.3
"""What is left of the camera's shaking, as a share, once the common shift of the boxes is taken off."""


def connect(
    live: Live, ahead: Motion, found: Found, shake_px: Floats, settings: TrackerSettings
) -> tuple[Rows, Rows]:
    """Connect twice: the first time tells how the camera has turned, the second time that is taken off.

    Args:
        live: The tracks.
        ahead: Where they should be now.
        found: The boxes that are there.
        shake_px: ``[T]`` standard deviation in pixels of what the camera's shaking adds for each track.
        settings: Levels and limits.

    Returns:
        ``[C]`` rows of ``live`` and ``[C]`` rows of ``found`` that belong together.
    """
    pairs = pairs_within(live.segment, found.segment)
    tracks, boxes = _connect(live, ahead, found, pairs, shake_px, settings)
    shift, known = _common_shift(
        live.segment[tracks], found.place[boxes, :2] - ahead.place[tracks, :2], settings.steady_pairs
    )
    moved = np.isin(live.segment, known)
    if not moved.any():
        return tracks, boxes
    place = ahead.place.copy()
    place[moved, :2] += shift[np.searchsorted(known, live.segment[moved])]
    shake_px = np.where(moved, SETTLED * shake_px, shake_px)
    return _connect(live, replace(ahead, place=place), found, pairs, shake_px, settings)


def _connect(
    live: Live,
    ahead: Motion,
    found: Found,
    pairs: tuple[Rows, Rows],
    shake_px: Floats,
    settings: TrackerSettings,
) -> tuple[Rows, Rows]:
    """One pass: sure boxes to sure tracks, fainter boxes to those left, then both to the faint tracks."""
    track, box = pairs
    near = _within_reach(ahead, found, track, box, shake_px, farthest(settings.max_cost))
    track, box = track[near], box[near]
    distance, spread = surprise(ahead, found.place, shake_px, track, box)
    distance += settings.class_cost * (live.class_id[track] != found.class_id[box])
    sure_track = live.best[track] >= settings.sure_score
    sure_box = found.score[box] >= settings.sure_score
    turn = np.where(sure_track, 0, 2) + np.where(sure_box, 0, 1)
    kept = distance <= np.where(turn == 0, settings.max_cost, settings.max_faint_cost)
    track, box, turn, cost = track[kept], box[kept], turn[kept], (distance + spread)[kept]

    free_track, free_box = np.ones(len(live.number), np.bool_), np.ones(len(found.box), np.bool_)
    taken = []
    for stage in range(4):
        rows = np.flatnonzero((turn == stage) & free_track[track] & free_box[box])
        rows = rows[cheapest_first(track[rows], box[rows], cost[rows])]
        free_track[track[rows]] = False
        free_box[box[rows]] = False
        taken.append(rows)
    rows = np.concatenate(taken)
    return track[rows], box[rows]


def _within_reach(
    ahead: Motion, found: Found, track: Rows, box: Rows, shake_px: Floats, limit: float
) -> NDArray[np.bool_]:
    """Pairs that one coordinate of the centre does not rule out alone: a cheap look at all pairs."""
    near = np.ones(len(track), np.bool_)
    doubt = np.square(np.exp(found.place[:, 2:]).mean(axis=1))  # more than what measuring adds
    for axis in (1, 0):
        spread = (ahead.place_var[:, axis] + shake_px**2)[track] + doubt[box]
        near &= np.square(found.place[:, axis][box] - ahead.place[:, axis][track]) <= limit * spread
    return near


def _common_shift(segment: Rows, offset: Floats, least: int) -> tuple[Floats, Rows]:
    """``[S, 2]`` median offset of the connections of each segment with enough of them, and ``[S]`` which."""
    known, count = np.unique(segment, return_counts=True)
    enough = count >= least
    bounds = np.cumsum(count) - count
    shift = np.empty((int(enough.sum()), 2))
    for axis in (0, 1):
        ordered = offset[np.lexsort((offset[:, axis], segment)), axis]
        low, high = (bounds + (count - 1) // 2)[enough], (bounds + count // 2)[enough]
        shift[:, axis] = (ordered[low] + ordered[high]) / 2
    return shift, known[enough]

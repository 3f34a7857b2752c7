"""Which boxes of a clip show the same object: a small tracker that steps through all clips at once.

In every frame the tracks' boxes are predicted from their motion (``motion.py``) and connected to the boxes
found there, in the manner of ByteTrack (Zhang 2022, arXiv 2110.06864): sure boxes first, then the fainter
ones for the tracks that are left. Three things are otherwise. Boxes are compared by distance in units of
their size and of what the motion leaves open, not by overlap: at 2 frames a second most boxes of a pedestrian
do not overlap those of the frame before. Faint boxes may begin tracks too, which find their boxes last, so
that a run of faint boxes is seen as one object. A box of another class may continue a track, at a price.

The first frames of all clips are one step, then all second frames, and so on: a million frames in clips of
ten are ten steps for each block of clips.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.tracking.association import cheapest_first, pair_iou, pairs_within
from dataengine.mine.tracking.motion import Motion, coordinates, surprise
from dataengine.mine.tracking.settings import TrackerSettings
from dataengine.mine.tracking.timeline import Timeline

SEGMENTS_AT_ONCE = 2000
"""Bounds the memory of a step: some 300,000 pairs of a track and a box."""

Rows = NDArray[np.int64]


def link(timeline: Timeline, settings: TrackerSettings, *, backward: bool = False) -> Rows:
    """``[B]`` number of the track of each box, from 0, in the order in which the tracks begin.

    Every box belongs to a track, many to one of their own. Boxes of one frame that overlap almost wholly
    are one object and share their track.

    Args:
        timeline: Frames and boxes.
        settings: Levels and limits.
        backward: Go through every clip from its end.
    """
    frames = replace(timeline, time_s=-timeline.time_s) if backward else timeline
    leader = _leaders(timeline, settings.double_iou)
    track = np.full(timeline.num_boxes, -1, np.int64)
    begin, end = _segments(timeline, settings.max_gap_s)
    begin, end = begin[order := np.argsort(begin - end, kind="stable")], end[order]  # long ones together
    for first in range(0, len(begin), SEGMENTS_AT_ONCE):
        block = slice(first, first + SEGMENTS_AT_ONCE)
        _Steps(frames, settings, leader, track).run(begin[block], end[block], backward=backward)
    track = track[leader]
    return _renumbered(track)


def _segments(timeline: Timeline, max_gap_s: float) -> tuple[Rows, Rows]:
    """First and last + 1 frame of every run of frames that follow each other in time."""
    with np.errstate(invalid="ignore"):
        step = np.diff(timeline.time_s)
        follows = (np.diff(timeline.clip) == 0) & (step > 0) & (step <= max_gap_s)
    bounds = np.concatenate([[0], np.flatnonzero(~follows) + 1, [timeline.num_frames]])
    return bounds[:-1], bounds[1:]


def _leaders(timeline: Timeline, min_iou: float) -> Rows:
    """``[B]`` the box that speaks for each: itself, or the highest-scored one that it all but repeats."""
    leader = np.arange(timeline.num_boxes)
    frame = timeline.frame
    for first in range(0, timeline.num_frames, SEGMENTS_AT_ONCE):
        low, high = timeline.offsets[[first, min(first + SEGMENTS_AT_ONCE, timeline.num_frames)]]
        better, worse = pairs_within(frame[low:high], frame[low:high])
        kept = better < worse  # boxes stand by falling score
        better, worse = better[kept] + low, worse[kept] + low
        close = pair_iou(timeline.xyxy[better], timeline.xyxy[worse]) >= min_iou
        for one, other in zip(better[close].tolist(), worse[close].tolist(), strict=True):
            if leader[one] == one and leader[other] == other:
                leader[other] = one
    return leader


def _renumbered(track: Rows) -> Rows:
    """Numbers without holes, in the order of the first box."""
    _, first, inverse = np.unique(track, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Live:
    """Tracks that may still find a box; by segment, ``[T]`` each.

    ``time_s`` is when the track was last seen, ``missed`` how many frames ago, ``best`` its highest score.
    """

    number: Rows
    segment: Rows
    class_id: Rows
    best: NDArray[np.float64]
    time_s: NDArray[np.float64]
    missed: Rows
    motion: Motion

    def take(self, rows: Rows | NDArray[np.bool_]) -> _Live:
        plain = {name: getattr(self, name)[rows] for name in _PLAIN}
        return _Live(**plain, motion=self.motion.take(rows))

    def join(self, other: _Live) -> _Live:
        plain = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in _PLAIN}
        return _Live(**plain, motion=self.motion.join(other.motion))


_PLAIN = ("number", "segment", "class_id", "best", "time_s", "missed")


class _Steps:
    """One block of segments, from its first frames to its last; writes into ``track``."""

    def __init__(self, timeline: Timeline, settings: TrackerSettings, leader: Rows, track: Rows) -> None:
        self._line, self._settings, self._track = timeline, settings, track
        self._is_leader = leader == np.arange(len(leader))

    def run(self, begin: Rows, end: Rows, *, backward: bool) -> None:
        live = self._born(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
        for step in range(int((end - begin).max(initial=0))):
            active = np.flatnonzero(end - begin > step)
            frames = end[active] - 1 - step if backward else begin[active] + step
            live = self._step(live, active, frames, len(begin))

    def _step(self, live: _Live, segments: Rows, frames: Rows, num_segments: int) -> _Live:
        line = self._line
        now = np.full(num_segments, np.nan)
        now[segments] = line.time_s[frames]
        live = live.take(~np.isnan(now[live.segment]))
        gone = now[live.segment] - live.time_s
        limits = self._settings
        kept = (live.missed <= limits.max_missed) | (gone <= limits.max_lost_s)
        live, gone = live.take(kept), gone[kept]

        counts = line.offsets[frames + 1] - line.offsets[frames]
        before = np.repeat(np.cumsum(counts) - counts, counts)
        boxes = np.repeat(line.offsets[frames], counts) + np.arange(int(counts.sum())) - before
        owner = np.repeat(segments, counts)
        owner, boxes = owner[self._is_leader[boxes]], boxes[self._is_leader[boxes]]

        places = coordinates(line.xyxy[boxes])
        rows, found = self._connect(live, live.motion.after(gone), owner, boxes, places)
        self._track[boxes[found]] = live.number[rows]
        free = np.ones(len(boxes), np.bool_)
        free[found] = False
        lost = np.ones(len(live.number), np.bool_)
        lost[rows] = False
        hit = live.take(rows)
        seen = _Live(
            number=hit.number,
            segment=hit.segment,
            class_id=np.where(
                line.score[boxes[found]] >= hit.best, line.class_id[boxes[found]], hit.class_id
            ),
            best=np.maximum(hit.best, line.score[boxes[found]]),
            time_s=now[hit.segment],
            missed=np.zeros_like(rows),
            motion=hit.motion.after(gone[rows]).seen(places[found]),
        )
        waiting = live.take(lost)
        waiting = replace(waiting, missed=waiting.missed + 1)
        born = self._born(boxes[free], owner[free], now[owner[free]])
        everyone = seen.join(waiting).join(born)
        return everyone.take(np.lexsort((everyone.number, everyone.segment)))

    def _born(self, boxes: Rows, segment: Rows, time_s: NDArray[np.float64]) -> _Live:
        """A track for each of some boxes; it is numbered after its first box."""
        line = self._line
        self._track[boxes] = boxes
        return _Live(
            number=boxes,
            segment=segment,
            class_id=line.class_id[boxes],
            best=line.score[boxes].astype(np.float64),
            time_s=time_s,
            missed=np.zeros_like(boxes),
            motion=Motion.begin(coordinates(line.xyxy[boxes])),
        )

    def _connect(
        self, live: _Live, ahead: Motion, owner: Rows, boxes: Rows, places: NDArray[np.float64]
    ) -> tuple[Rows, Rows]:
        """Numbers of tracks, and of the boxes that continue them."""
        track, box = pairs_within(live.segment, owner)
        near = _within_reach(ahead, places, track, box, self._settings.max_cost)
        track, box = track[near], box[near]
        distance, spread = surprise(ahead.take(track), places[box])
        distance += self._settings.class_cost * (live.class_id[track] != self._line.class_id[boxes[box]])
        kept = distance <= self._settings.max_cost
        track, box, cost = track[kept], box[kept], (distance + spread)[kept]
        sure_track = live.best[track] >= self._settings.sure_score
        sure_box = self._line.score[boxes[box]] >= self._settings.sure_score
        turn = np.where(sure_track, np.where(sure_box, 0, 1), np.where(sure_box, 2, 3))
        free_track = np.ones(len(live.number), np.bool_)
        free_box = np.ones(len(boxes), np.bool_)
        for stage in range(4):
            rows = np.flatnonzero((turn == stage) & free_track[track] & free_box[box])
            rows = rows[cheapest_first(track[rows], box[rows], cost[rows])]
            free_track[track[rows]] = False
            free_box[box[rows]] = False
            turn[rows] = -1
        taken = turn == -1
        return track[taken], box[taken]


def _within_reach(
    ahead: Motion, places: NDArray[np.float64], track: Rows, box: Rows, max_cost: float
) -> NDArray[np.bool_]:
    """Pairs that their horizontal distance alone does not rule out: a cheap look at every pair."""
    size = np.exp(places[:, 2:]).mean(axis=1)
    spread = ahead.place_var[:, 0][track] + size[box] ** 2
    distance = (places[:, 0][box] - ahead.place[:, 0][track]) ** 2
    near: NDArray[np.bool_] = distance <= max_cost * spread
    return near

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

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dataengine.frameboxes import box_rows
from dataengine.mine.tracking.association import pair_iou, pairs_within
from dataengine.mine.tracking.connecting import connect
from dataengine.mine.tracking.live import Found, Live
from dataengine.mine.tracking.motion import coordinates
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
    begin, end = segments(timeline, settings.max_gap_s)
    begin, end = begin[order := np.argsort(begin - end, kind="stable")], end[order]  # long ones together
    for first in range(0, len(begin), SEGMENTS_AT_ONCE):
        block = slice(first, first + SEGMENTS_AT_ONCE)
        _Steps(frames, settings, leader, track).run(begin[block], end[block], backward=backward)
    track = track[leader]
    return _renumbered(track)


def segments(timeline: Timeline, max_gap_s: float) -> tuple[Rows, Rows]:
    """First, and last + 1, frame of every run of frames that follow each other closely in time."""
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


class _Steps:
    """One block of segments, from its first frames to its last; writes into ``track``."""

    def __init__(self, timeline: Timeline, settings: TrackerSettings, leader: Rows, track: Rows) -> None:
        self._line, self._settings, self._track = timeline, settings, track
        self._is_leader = leader == np.arange(len(leader))
        self._shake_px = settings.shake * np.nan_to_num(timeline.size[:, 0])

    def run(self, begin: Rows, end: Rows, *, backward: bool) -> None:
        """Go through the frames ``begin:end`` of each segment side by side."""
        live = Live.begin(self._found(begin[:0], begin[:0]))
        for step in range(int((end - begin).max(initial=0))):
            active = np.flatnonzero(end - begin > step)
            frames = end[active] - 1 - step if backward else begin[active] + step
            live = self._step(live, active, frames)

    def _step(self, live: Live, segments: Rows, frames: Rows) -> Live:
        """One frame of each of some segments; tracks of segments that have ended are dropped."""
        place = np.minimum(np.searchsorted(segments, live.segment), len(segments) - 1)
        gone = self._line.time_s[frames][place] - live.time_s
        limits = self._settings
        kept = (live.missed <= limits.max_missed) | (gone <= limits.max_lost_s)
        kept &= segments[place] == live.segment
        live, gone, place = live.take(kept), gone[kept], place[kept]

        found = self._found(segments, frames)
        ahead = live.motion.after(gone)
        rows, boxes = connect(live, ahead, found, self._shake_px[frames][place], limits)
        self._track[found.box[boxes]] = live.number[rows]
        lost, new = np.ones(len(live.number), np.bool_), np.ones(len(found.box), np.bool_)
        lost[rows], new[boxes] = False, False
        born = Live.begin(found.take(new))
        self._track[born.number] = born.number
        return live.take(rows).seen(ahead.take(rows), found.take(boxes)).join(live.take(lost).unseen(), born)

    def _found(self, segments: Rows, frames: Rows) -> Found:
        """The boxes of those frames that speak for themselves."""
        line = self._line
        boxes, counts = box_rows(line.offsets, frames), np.diff(line.offsets)[frames]
        kept = self._is_leader[boxes]
        boxes, owner = boxes[kept], np.repeat(np.arange(len(frames)), counts)[kept]
        return Found(
            box=boxes,
            segment=segments[owner],
            class_id=line.class_id[boxes],
            score=line.score[boxes].astype(np.float64),
            time_s=line.time_s[frames][owner],
            place=coordinates(line.xyxy[boxes]),
        )

"""The tracks of a pool as the signs look at them."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.candidates import Candidates
from dataengine.mine.tracking import TrackerSettings, Tracks, link, segments, tracks
from dataengine.mine.tracking.association import pair_iou, pairs_within

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]
Boxes = NDArray[np.float32] | NDArray[np.float64]

SMALL = 0.04
"""Boxes whose mean side is below this share of the image's width may well come and go: they are far away."""

SAME_PLACE = 0.3
"""Overlap from which a box lies where another should be."""


class Scene:
    """The timeline of a pool with its tracks, and the questions that several signs ask of it.

    Args:
        candidates: The pool.
        settings: Of the tracker.

    Attributes:
        sure_score: Score from which a box counts as an object.
        tracks: The tracks.
        line: Their timeline; boxes and frames below are numbers in it.
        chain: ``[S]`` int64 sure boxes by track, then time; one for each frame of a track.
        is_first: ``[S]`` bool: the first sure box of its track.
        is_last: ``[S]`` bool: the last one.
        has_before: ``[F]`` bool: the frame follows closely on another of its clip.
        has_after: ``[F]`` bool: another frame of its clip follows closely.
    """

    def __init__(self, candidates: Candidates, settings: TrackerSettings | None = None) -> None:
        self._settings = settings or TrackerSettings()
        self.sure_score = self._settings.sure_score
        self._classes = candidates.classes
        self.tracks: Tracks = tracks(candidates, self._settings)
        self.line = self.tracks.timeline
        self.chain = self._chain(self.tracks.boxes)
        track = self.tracks.boxes[self.chain]
        self.is_first = np.diff(track, prepend=-1) != 0
        self.is_last = np.diff(track, append=-1) != 0
        begin, end = segments(self.line, self._settings.max_gap_s)
        self.has_before = np.ones(self.line.num_frames, np.bool_)
        self.has_after = self.has_before.copy()
        self.has_before[begin[begin < end]] = False
        self.has_after[end[begin < end] - 1] = False

    @cached_property
    def backward(self) -> Rows:
        """``[B]`` track of each box when time runs backward."""
        return link(self.line, self._settings, backward=True)

    @cached_property
    def frame_of_candidate(self) -> Rows:
        """``[N]`` number of each candidate's frame in the timeline."""
        frames = np.flatnonzero(self.line.candidate >= 0)
        return frames[np.argsort(self.line.candidate[frames])]

    def class_of(self, track: Rows) -> Rows:
        """``[E]`` the class that the scores along each track favour."""
        mean = self.tracks.mean[track]
        return mean.argmax(axis=1) if len(mean) else np.zeros(0, np.int64)

    def name(self, track: int) -> str:
        """The class of a track, in words."""
        return self._classes[int(self.tracks.mean[track].argmax())]

    def box_name(self, box: int) -> str:
        """The class of a box."""
        return self._classes[int(self.line.class_id[box])]

    def links(self, track: Rows) -> tuple[Rows, Rows]:
        """Pairs of sure boxes in neighbouring frames that ``[B]`` track numbers connect."""
        chain = self._chain(track)
        frame = self.line.frame[chain]
        linked = (np.diff(track[chain]) == 0) & (np.diff(frame) == 1)
        return chain[:-1][linked], chain[1:][linked]

    def inside(self, box: Rows) -> NDArray[np.bool_]:
        """Boxes that are neither small nor within their own size of a side or the foot of the image.

        Where the size of the image is not known, none is.
        """
        line = self.line
        size = line.size[line.frame[box]]
        left, top, right, foot = line.xyxy[box].astype(np.float64).T
        side = (right - left + foot - top) / 2
        with np.errstate(invalid="ignore"):
            far = (left >= side) & (size[:, 0] - right >= side) & (size[:, 1] - foot >= side / 2)
            large: NDArray[np.bool_] = far & (side >= SMALL * size[:, 0])
        return large

    def hidden(self, frame: Rows, xyxy: Boxes) -> Floats:
        """``[E]`` share in 0..1 of a place in a frame that one sure, nearer box covers.

        Nearer is what stands lower in the image.
        """
        place, box = self._sure_boxes_of(frame)
        one, other = np.asarray(xyxy, np.float64)[place], self.line.xyxy[box].astype(np.float64)
        sides = np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2])
        area = np.prod(np.maximum(one[:, 2:] - one[:, :2], 1e-9), axis=1)
        cover = np.where(other[:, 3] > one[:, 3], np.prod(np.maximum(sides, 0), axis=1) / area, 0)
        share = np.zeros(len(frame))
        np.maximum.at(share, place, np.minimum(cover, 1))
        return share

    def found(self, frame: Rows, xyxy: Boxes) -> NDArray[np.bool_]:
        """``[E]`` whether a sure box of the frame, of whatever track, overlaps a place."""
        place, box = self._sure_boxes_of(frame)
        overlap = pair_iou(np.asarray(xyxy, np.float64)[place], self.line.xyxy[box]) >= SAME_PLACE
        answer = np.zeros(len(frame), np.bool_)
        answer[place[overlap]] = True
        return answer

    def beside(self) -> tuple[Rows, Floats, Floats]:
        """Boxes with what their tracks say in the frames next to them.

        Returns:
            ``[E]`` the best box of each frame of each track, and ``[E]`` each the track's score in the frame
            before and in the one after: 0 where it has no box there, NaN where there is no such frame.
        """
        line = self.line
        key = self.tracks.boxes * line.num_frames + line.frame
        order = np.argsort(key, kind="stable")  # boxes of a frame stand by falling score
        box = order[np.diff(key[order], prepend=-1) != 0]
        key, score = key[box], line.score[box].astype(np.float64)
        frame = line.frame[box]

        def look(step: int, exists: NDArray[np.bool_]) -> Floats:
            at = np.minimum(np.searchsorted(key, key + step), max(0, len(key) - 1))
            there = np.where(key[at] == key + step, score[at], 0.0)
            return np.where(exists[frame], there, np.nan)

        return box, look(-1, self.has_before), look(1, self.has_after)

    def through(self) -> Rows:
        """``[F]`` how many tracks go through each frame, from their first sure box to their last."""
        steps = np.zeros(self.line.num_frames + 1, np.int64)
        frame = self.line.frame[self.chain]
        np.add.at(steps, frame[self.is_first], 1)
        np.add.at(steps, frame[self.is_last] + 1, -1)
        return np.cumsum(steps)[:-1]

    def _sure_boxes_of(self, frame: Rows) -> tuple[Rows, Rows]:
        """All pairs of an element of ``[E]`` frame numbers and a sure box of that frame."""
        sure = np.flatnonzero(self.line.score >= self._settings.sure_score)
        order = np.argsort(frame, kind="stable")
        place, box = pairs_within(frame[order], self.line.frame[sure])
        return order[place], sure[box]

    def _chain(self, track: Rows) -> Rows:
        """Sure boxes by track, then time; the best one of each frame of a track."""
        line = self.line
        frame = line.frame
        sure = np.flatnonzero(line.score >= self._settings.sure_score)
        sure = sure[np.lexsort((frame[sure], track[sure]))]  # boxes of a frame stand by falling score
        fresh = np.ones(len(sure), np.bool_)
        fresh[1:] = (np.diff(track[sure]) != 0) | (np.diff(frame[sure]) != 0)
        return sure[fresh]

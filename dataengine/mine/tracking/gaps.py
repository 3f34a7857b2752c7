"""Boxes that are not there: frames that a track goes through without a sure box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.tracking.motion import coordinates, corners
from dataengine.mine.tracking.settings import TrackerSettings
from dataengine.mine.tracking.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridges:
    """Frames between two sure boxes of a track that hold no sure box of it; one row for each.

    Attributes:
        frame: ``[G]`` int64 number of the frame in the timeline.
        track: ``[G]`` int64 number of the track.
        before: ``[G]`` int64 the last sure box, a number in the timeline.
        after: ``[G]`` int64 the next sure box.
        within: ``[G]`` float32 in 0..1: score of the faint box there, 0 where there is none.
        xyxy: ``[G, 4]`` float64 where the object should be: the faint box, or the two sure ones interpolated.
    """

    frame: NDArray[np.int64]
    track: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    within: NDArray[np.float32]
    xyxy: NDArray[np.float64]


def bridges(line: Timeline, boxes: NDArray[np.int64], settings: TrackerSettings) -> Bridges:
    """The gaps of every track.

    Args:
        line: Frames and boxes.
        boxes: ``[B]`` number of the track of each box.
        settings: The level of a sure box.
    """
    frame = line.frame
    sure = np.flatnonzero(line.score >= settings.sure_score)
    sure = sure[np.lexsort((frame[sure], boxes[sure]))]
    if len(sure) < 2:
        sure = sure[:0]
    before, after = sure[:-1], sure[1:]
    missing = np.where(boxes[before] == boxes[after], frame[after] - frame[before] - 1, 0)
    kept = missing > 0
    before, after, missing = before[kept], after[kept], missing[kept]
    nth = np.arange(int(missing.sum())) - np.repeat(np.cumsum(missing) - missing, missing)
    before, after = np.repeat(before, missing), np.repeat(after, missing)
    place, track = frame[before] + 1 + nth, boxes[before]

    share = (line.time_s[place] - line.time_s[frame[before]])[:, None]
    share = share / (line.time_s[frame[after]] - line.time_s[frame[before]])[:, None]
    start, end = coordinates(line.xyxy[before]), coordinates(line.xyxy[after])
    xyxy = corners(start + share * (end - start))

    # The faint box of this track in this frame, where there is one; boxes stand by falling score.
    key = boxes * line.num_frames + frame
    order = np.argsort(key, kind="stable")
    wanted = track * line.num_frames + place
    at = np.minimum(np.searchsorted(key[order], wanted), max(0, len(key) - 1))
    hit = key[order][at] == wanted if len(key) else np.zeros(0, np.bool_)
    faint = order[at[hit]]
    within = np.zeros(len(place), np.float32)
    within[hit] = line.score[faint]
    xyxy[hit] = line.xyxy[faint]
    return Bridges(frame=place, track=track, before=before, after=after, within=within, xyxy=xyxy)

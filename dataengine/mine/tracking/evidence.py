"""What the tracks say of every predicted box and of every frame of a pool."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.candidates import Candidates
from dataengine.mine.tracking.gaps import Bridges, bridges
from dataengine.mine.tracking.settings import TrackerSettings
from dataengine.mine.tracking.timeline import Timeline
from dataengine.mine.tracking.tracker import link


@dataclass(frozen=True, kw_only=True)
class Tracks:
    """The tracks of a pool: which predicted boxes show one object, and what that says of it.

    Tracks run through the labelled frames of the candidates' clips too, with what the model predicts there.
    ``B`` counts the rows of ``candidates.predictions.boxes``, all of them, in their order; ``N`` the
    candidates, in theirs; ``T`` the tracks.

    Attributes:
        track: ``[B]`` int64 number of the track of each predicted box, -1 for boxes too faint to be tracked.
        length: ``[T]`` int64 frames in which the track has a box.
        span: ``[T]`` int64 frames from its first box to its last; more than ``length`` where it was lost.
        mean: ``[T, K]`` float32 in 0..1: mean over the track's frames of the score of each class, the highest
            one of the frame.
        max: ``[T, K]`` float32 in 0..1: highest score of each class along the track.
        at_gap: ``[N]`` bool: a track with a sure box goes through the frame without a sure box in it.
        gaps: The boxes that belong there.
        timeline: The frames in time order, candidates and labelled ones.
        boxes: ``[b]`` int64 number of the track of each box of the timeline.
    """

    track: NDArray[np.int64]
    length: NDArray[np.int64]
    span: NDArray[np.int64]
    mean: NDArray[np.float32]
    max: NDArray[np.float32]
    at_gap: NDArray[np.bool_]
    gaps: Bridges
    timeline: Timeline
    boxes: NDArray[np.int64]

    @property
    def num_tracks(self) -> int:
        """Number of tracks, those of a single box counted too."""
        return len(self.length)

    @cached_property
    def box_length(self) -> NDArray[np.int64]:
        """``[B]`` length of each box's track, 0 for boxes too faint to be tracked."""
        return np.append(self.length, 0)[self.track]

    @cached_property
    def box_mean(self) -> NDArray[np.float32]:
        """``[B, K]`` ``mean`` of each box's track, 0 for boxes too faint to be tracked."""
        return np.concatenate([self.mean, np.zeros_like(self.mean, shape=(1, self.mean.shape[1]))])[
            self.track
        ]

    @cached_property
    def box_max(self) -> NDArray[np.float32]:
        """``[B, K]`` ``max`` of each box's track, 0 for boxes too faint to be tracked."""
        return np.concatenate([self.max, np.zeros_like(self.max, shape=(1, self.max.shape[1]))])[self.track]


def tracks(candidates: Candidates, settings: TrackerSettings | None = None) -> Tracks:
    """Follow every predicted object through its clip.

    Args:
        candidates: The pool, with predictions; the labelled frames of its clips join where they are known.
        settings: Levels and limits of the tracker.
    """
    settings = settings or TrackerSettings()
    line = Timeline.of(candidates, settings.faint_score)
    boxes = link(line, settings)
    frame, count = line.frame, int(boxes.max(initial=-1)) + 1
    length, span, mean, highest = _along(line, boxes, frame, count)
    track = np.full(candidates.predictions.boxes.num_boxes, -1, np.int64)
    track[line.row[line.row >= 0]] = boxes[line.row >= 0]
    found = bridges(line, boxes, settings)
    at_gap = np.zeros(line.num_frames, np.bool_)
    at_gap[found.frame] = True
    by_candidate = np.zeros(len(candidates), np.bool_)
    by_candidate[line.candidate[line.candidate >= 0]] = at_gap[line.candidate >= 0]
    return Tracks(
        track=track,
        length=length,
        span=span,
        mean=mean,
        max=highest,
        at_gap=by_candidate,
        gaps=found,
        timeline=line,
        boxes=boxes,
    )


def _along(
    line: Timeline, boxes: NDArray[np.int64], frame: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """Length, span, and mean and highest class scores of every track; boxes of one frame count once."""
    order = np.lexsort((frame, boxes))
    track, at = boxes[order], frame[order]
    starts = np.flatnonzero(np.diff(track, prepend=-1) | np.diff(at, prepend=-1))
    num_classes = line.class_scores.shape[1]
    if not len(starts):
        nothing = np.zeros((0, num_classes), np.float32)
        return np.zeros(0, np.int64), np.zeros(0, np.int64), nothing, nothing
    scores = np.maximum.reduceat(line.class_scores[order], starts, axis=0)
    track, at = track[starts], at[starts]
    length = np.bincount(track, minlength=count)
    first = np.flatnonzero(np.diff(track, prepend=-1))
    last = np.append(first[1:], len(track)) - 1
    mean = np.add.reduceat(scores, first, axis=0) / length[:, None]
    return (
        length,
        at[last] - at[first] + 1,
        mean.astype(np.float32),
        np.maximum.reduceat(scores, first, axis=0),
    )

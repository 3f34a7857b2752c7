"""Tracks while they are followed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.tracking.motion import Motion

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The boxes of the present frame of many segments, by segment.

    Attributes:
        box: ``[M]`` int64 number of the box in the timeline.
        segment: ``[M]`` int64 number of its segment, rising.
        class_id: ``[M]`` int64.
        score: ``[M]`` float64 in 0..1.
        time_s: ``[M]`` float64 time of its frame.
        place: ``[M, 4]`` float64 coordinates.
    """

    box: Rows
    segment: Rows
    class_id: Rows
    score: Floats
    time_s: Floats
    place: Floats

    def take(self, rows: Rows | NDArray[np.bool_]) -> Found:
        """Some of the boxes."""
        return Found(**{name: getattr(self, name)[rows] for name in Found.__dataclass_fields__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Tracks that may still find a box, by segment.

    Attributes:
        number: ``[T]`` int64 number of the track: that of its first box.
        segment: ``[T]`` int64 number of its segment, rising.
        class_id: ``[T]`` int64 class of its best box.
        best: ``[T]`` float64 its highest score.
        time_s: ``[T]`` float64 when it was last seen.
        missed: ``[T]`` int64 frames since.
        motion: Its box and where that moves, when it was last seen.
    """

    number: Rows
    segment: Rows
    class_id: Rows
    best: Floats
    time_s: Floats
    missed: Rows
    motion: Motion

    @classmethod
    def begin(cls, found: Found) -> Live:
        """A track for each of some boxes."""
        return cls(
            number=found.box,
            segment=found.segment,
            class_id=found.class_id,
            best=found.score,
            time_s=found.time_s,
            missed=np.zeros_like(found.box),
            motion=Motion.begin(found.place),
        )

    def take(self, rows: Rows | NDArray[np.bool_]) -> Live:
        """Some of the tracks."""
        return Live(**{n: getattr(self, n)[rows] for n in _PLAIN}, motion=self.motion.take(rows))

    def join(self, *others: Live) -> Live:
        """These tracks and others, by segment and number."""
        every = (self, *others)
        plain = {name: np.concatenate([getattr(live, name) for live in every]) for name in _PLAIN}
        motion = self.motion.join(*(live.motion for live in others))
        return Live(**plain, motion=motion).take(np.lexsort((plain["number"], plain["segment"])))

    def seen(self, ahead: Motion, found: Found) -> Live:
        """The tracks after each was found again; ``ahead`` is where it was thought to be."""
        return replace(
            self,
            class_id=np.where(found.score >= self.best, found.class_id, self.class_id),
            best=np.maximum(self.best, found.score),
            time_s=found.time_s,
            missed=np.zeros_like(self.missed),
            motion=ahead.seen(found.place),
        )

    def unseen(self) -> Live:
        """The tracks after a frame in which none of them was found."""
        return replace(self, missed=self.missed + 1)


_PLAIN = tuple(name for name in Live.__dataclass_fields__ if name != "motion")

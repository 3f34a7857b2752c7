"""Which frames to keep, and the shortest ways to decode them: pure arithmetic on an index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import floor

import numpy as np
from numpy.typing import NDArray

from dataengine.ingest.video.index import VideoIndex

TICK_S = 1e-4
"""Times are this forgiving: containers round them to their own ticks."""


class Ticks:
    """Picks the first frame at or after each multiple of ``1 / fps`` seconds.

    Args:
        fps: Frames per second to keep; ``None`` keeps all.
    """

    def __init__(self, fps: float | None) -> None:
        self._fps = fps
        self._due_s = 0.0

    def takes(self, time_s: float) -> bool:
        """Whether the next frame, shown at ``time_s``, is to be kept."""
        if self._fps is None:
            return True
        if time_s < self._due_s - TICK_S:
            return False
        self._due_s = (floor((time_s + TICK_S) * self._fps) + 1) / self._fps
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Part of a video, by presentation time since its first frame.

    Attributes:
        from_s: Where it starts.
        to_s: Where it ends, exclusive; ``None`` is the video's end.
    """

    from_s: float = 0.0
    to_s: float | None = None

    def of(self, times: NDArray[np.float64]) -> tuple[int, int]:
        """The frames ``[start, stop)`` of the stretch, from every frame's time."""
        start = int(np.searchsorted(times, self.from_s - TICK_S))
        stop = len(times) if self.to_s is None else int(np.searchsorted(times, self.to_s - TICK_S))
        return start, max(start, stop)

    def place(self, time_s: float) -> float:
        """Time since the stretch's start."""
        return max(time_s - self.from_s, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stretch of packets to decode in one go.

    Attributes:
        sent: Positions of the packets to decode, in decoding order; the first is an entry.
        wanted: Positions of the frames to keep, in the order in which they are shown.
    """

    sent: tuple[int, ...]
    wanted: tuple[int, ...]


def seconds(ticks: NDArray[np.int64], time_base: Fraction) -> NDArray[np.float64]:
    """``[F]`` times in seconds, correctly rounded for anything below 2**53 ticks."""
    exact = ticks.astype(np.float64) * time_base.numerator
    return np.asarray(exact / time_base.denominator)


def runs(index: VideoIndex, wanted: NDArray[np.int64]) -> Iterator[Run]:
    """The packets to decode for the wanted frames, and no others.

    Each frame is entered at the last entry before it. What follows an entry but is shown before it refers
    to earlier packets; such a frame is entered one entry sooner. Frames that none refers to are skipped
    unless wanted. A run goes on over entries for as long as frames lie closer than those.

    Args:
        index: The video's.
        wanted: Positions of frames in the index, in the order in which they are shown.
    """
    entries = np.flatnonzero(index.enters)
    start, last = -1, -1
    frames: list[int] = []
    for position in wanted.tolist():
        entry = _entry(index, entries, position)
        if frames and entry > last:
            yield _run(index, start, last, frames)
            frames = []
        if not frames:
            start, last = entry, entry
        last = max(last, position)
        frames.append(position)
    if frames:
        yield _run(index, start, last, frames)


def _entry(index: VideoIndex, entries: NDArray[np.int64], position: int) -> int:
    number = int(np.searchsorted(entries, position, side="right")) - 1
    while index.pts[position] < index.pts[entries[number]]:
        number -= 1
    return int(entries[number])


def _run(index: VideoIndex, start: int, last: int, frames: list[int]) -> Run:
    positions = np.arange(start, last + 1)
    needed = ~index.unused[start : last + 1] | np.isin(positions, frames)
    needed &= index.pts[start : last + 1] >= index.pts[start]
    needed[0] = True
    return Run(sent=tuple(positions[needed].tolist()), wanted=tuple(frames))

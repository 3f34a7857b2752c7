"""Frames of a video at a steady rate, by presentation time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dataengine.errors import InputError
from dataengine.ingest.video.decoding import PlanError, Planned, Video, decode_all, fault, open_video
from dataengine.ingest.video.index import VideoIndex, read_index, tells_time
from dataengine.ingest.video.picture import Clock, Converter, Picture
from dataengine.ingest.video.plan import TICK_S, Stretch, Ticks, runs, seconds

_SPARE_TIMES = 2
"""A recorder that stops in the middle of a frame leaves this many more times than frames, or fewer."""


def sample(
    path: Path,
    fps: float | None,
    *,
    from_s: float = 0.0,
    to_s: float | None = None,
    times: NDArray[np.float64] | None = None,
    clock: Clock | None = None,
) -> Iterator[Picture]:
    """Yield the first frame of a video at or after each multiple of ``1 / fps`` seconds.

    Only the groups of pictures that hold such frames are decoded, and of those no more than the frames
    need. So damage between them, which they do not depend on, is not seen.

    Args:
        path: The video.
        fps: Frames per second to keep; ``None`` keeps all. A slower video keeps all, once.
        from_s: Where to start, by presentation time since the video's first frame; the ticks count from
            here.
        to_s: Where to end, exclusive; ``None`` is the video's end.
        times: ``[N]`` rising times of the video's frames in seconds, instead of the container's.
        clock: Adds up the time that reading, decoding and converting take.

    Raises:
        InputError: The file is no video; or, after the frames before the fault, it is cut short or
            damaged. Damage that the decoder conceals with old pixels counts as damage.
    """
    stretch = Stretch(from_s=from_s, to_s=to_s)
    clock = clock or Clock()
    began = time.perf_counter()
    try:
        for picture in _pictures(path, fps, stretch, times):
            clock.decode_s += time.perf_counter() - began
            yield picture
            began = time.perf_counter()
    finally:
        clock.decode_s += time.perf_counter() - began


def _pictures(
    path: Path, fps: float | None, stretch: Stretch, times: NDArray[np.float64] | None
) -> Iterator[Picture]:
    index, shown_at = _times_of(path)
    after_s = -1.0
    if index is not None:
        try:
            for picture in _planned(path, index, fps, stretch, shown_at if times is None else times):
                after_s = picture.time_s
                yield picture
        except PlanError:
            pass  # decoded as it comes, from where the plan failed
        else:
            return
    for picture in _unplanned(path, fps, stretch, times):
        if picture.time_s > after_s:
            yield picture


def _times_of(path: Path) -> tuple[VideoIndex | None, NDArray[np.float64]]:
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"not a readable video ({error.strerror})") from error
    return _indexed(os.fspath(path), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=2)
def _indexed(path: str, _mtime_ns: int, _size: int) -> tuple[VideoIndex | None, NDArray[np.float64]]:
    """The index of a video and the times of its frames; kept, as many episodes may lie in one file."""
    video = open_video(Path(path))
    with video.container:
        index = read_index(video.container, video.stream)
        if index is None or not len(index.shown):
            return None, np.zeros(0)
        if not index.stamped:
            return index, np.arange(len(index.shown)) / _rate(video)
        ticks = index.pts[index.shown]
        return index, seconds(ticks - ticks[0], video.stream.time_base)


def _planned(
    path: Path, index: VideoIndex, fps: float | None, stretch: Stretch, times: NDArray[np.float64]
) -> Iterator[Picture]:
    """The chosen frames, by way of the index.

    Raises:
        InputError: The video is damaged.
        PlanError: Its index is not true.
    """
    timed = times[: len(index.shown)]
    start, stop = stretch.of(timed)
    ticks = Ticks(fps)
    chosen = [n for n in range(start, stop) if ticks.takes(stretch.place(float(timed[n])))]
    numbers = iter(chosen)
    convert = Converter()
    with closing(Planned(path, index)) as video:
        for run in runs(index, index.shown[chosen]):
            for frame in video.frames(run):
                number = next(numbers)
                yield Picture(number - start, stretch.place(float(timed[number])), convert(frame))
    if not chosen and not index.fault:
        raise InputError(_nothing(stretch))
    if index.fault and (stretch.to_s is None or stop == len(timed)):
        raise InputError(fault(index.fault, len(index.shown), index.num_expected))
    _check_count(len(index.shown), times)


def _unplanned(
    path: Path, fps: float | None, stretch: Stretch, times: NDArray[np.float64] | None
) -> Iterator[Picture]:
    """The chosen frames, by decoding everything up to the last of them."""
    video = open_video(path)
    with video.container:
        watch = _Watch(video)
        convert, ticks = Converter(), Ticks(fps)
        num_decoded = num_inside = 0
        for frame in decode_all(video):
            if times is not None and num_decoded == len(times):
                break
            time_s = float(times[num_decoded]) if times is not None else watch.read(frame.pts, num_decoded)
            num_decoded += 1
            if stretch.to_s is not None and time_s >= stretch.to_s - TICK_S:
                break
            if time_s < stretch.from_s - TICK_S:
                continue
            num_inside += 1
            if ticks.takes(stretch.place(time_s)):
                yield Picture(num_inside - 1, stretch.place(time_s), convert(frame))
        if not num_inside:
            raise InputError(_nothing(stretch))
        if times is not None and stretch.to_s is None:
            _check_count(num_decoded, times)


class _Watch:
    """Times of frames whose container may count none, or start over in the middle."""

    def __init__(self, video: Video) -> None:
        self._rate = _rate(video)
        self._time_base = video.stream.time_base
        self._trusted = tells_time(video.stream)
        self._start: int | None = None
        self._last_s = -1.0
        self._from: tuple[float, int] = (0.0, 0)

    def read(self, pts: int | None, number: int) -> float:
        """Time of the next frame since the first; it rises, whatever the container says."""
        since_s, since = self._from
        by_rate = since_s + (number - since) / self._rate
        if pts is None or not self._trusted:
            time_s = by_rate
        else:
            if self._start is None:
                self._start = pts - round(by_rate / self._time_base)
            time_s = float((pts - self._start) * self._time_base)
            if time_s <= self._last_s:  # the clock was set back: it goes on from here
                time_s = self._last_s + 1 / self._rate
                self._start = pts - round(time_s / self._time_base)
            self._from = (time_s, number)
        self._last_s = time_s
        return time_s


def _rate(video: Video) -> float:
    return float(video.stream.guessed_rate or video.stream.average_rate or 25)


def _nothing(stretch: Stretch) -> str:
    if stretch.from_s or stretch.to_s is not None:
        end = "its end" if stretch.to_s is None else f"{stretch.to_s:g} s"
        return f"holds no frame from {stretch.from_s:g} s to {end}"
    return "holds no frame that decodes"


def _check_count(num_frames: int, times: NDArray[np.float64] | None) -> None:
    if times is not None and abs(num_frames - len(times)) > _SPARE_TIMES:
        raise InputError(f"holds {num_frames} frames for the {len(times)} times that were recorded with it")

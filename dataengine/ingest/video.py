"""Frames of a video at a steady rate, by presentation time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from dataengine.errors import InputError

_TICK_S = 1e-4
"""Times are this forgiving: containers round them to their own ticks."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame of a video.

    Attributes:
        number: Place in the video's presentation order, from 0; frames that were skipped count.
        time_s: Presentation time since the first frame.
        bgr: ``[H, W, 3]`` uint8.
    """

    number: int
    time_s: float
    bgr: NDArray[np.uint8]


@dataclass(slots=True)
class Clock:
    """Seconds spent in the two halves of ingest, added up."""

    decode_s: float = 0.0
    write_s: float = 0.0


def sample(
    path: Path,
    fps: float | None,
    *,
    from_s: float = 0.0,  # noqa: ARG001
    to_s: float | None = None,  # noqa: ARG001
    times: NDArray[np.float64] | None = None,  # noqa: ARG001
    clock: Clock | None = None,  # noqa: ARG001
) -> Iterator[Picture]:
    """Decode a video and yield the first frame at or after each multiple of ``1 / fps`` seconds.

    Args:
        path: The video.
        fps: Frames per second to keep; ``None`` keeps all. A slower video keeps all, once.

    Raises:
        InputError: The file is no video; or, after the frames before the fault, it is cut short or
            damaged. Damage that the decoder conceals with old pixels counts as damage.
    """
    try:
        container = av.open(str(path))
    except (FFmpegError, OSError) as error:
        raise InputError(f"not a readable video ({error.strerror})") from error
    with container:
        if not container.streams.video:
            raise InputError("holds no video stream")
        stream = container.streams.video[0]
        # one thread a file: files are decoded side by side
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"err_detect": "explode"}
        convert = av.video.reformatter.VideoReformatter()
        start, due_s, number = 0, 0.0, 0
        for number, frame in enumerate(_decoded(container, stream), 1):
            ticks = frame.pts if frame.pts is not None else number - 1
            start = ticks if number == 1 else start
            time_s = float((ticks - start) * stream.time_base)
            if fps is not None and time_s < due_s - _TICK_S:
                continue
            if fps is not None:
                due_s = (np.floor((time_s + _TICK_S) * fps) + 1) / fps
            image = convert.reformat(frame, format="bgr24").to_ndarray()
            yield Picture(number - 1, time_s, image)
        if number == 0:
            raise InputError("holds no frame that decodes")


def _decoded(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    num_packets = num_frames = 0
    try:
        for packet in container.demux(stream):
            num_packets += packet.size > 0
            if packet.is_corrupt:
                break
            for frame in packet.decode():
                num_frames += 1
                yield frame
        else:
            if num_packets >= stream.frames:
                return
    except FFmpegError as error:
        raise InputError(
            f"damaged after {num_frames} frames of {stream.frames or '?'} ({error.strerror})"
        ) from error
    raise InputError(f"cut short after {num_frames} frames of {stream.frames}")

"""Small videos of every kind, whose frames carry their own numbers as a pattern that survives compression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 96, 64
_BLOCK = 12
_BITS = 16


def painted(number: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """``[H, W, 3]`` RGB: sixteen black or white blocks spell the number, below them something moves."""
    picture = np.full((height, width, 3), 90, np.uint8)
    for bit in range(_BITS):
        row, column = divmod(bit, _BITS // 2)
        area = (slice(row * _BLOCK, (row + 1) * _BLOCK), slice(column * _BLOCK, (column + 1) * _BLOCK))
        picture[area] = 230 if number >> bit & 1 else 20
    left = number * 5 % (width - 16)
    picture[2 * _BLOCK + 8 : 2 * _BLOCK + 24, left : left + 16] = (200, 60, 40)
    return picture


def number_of(bgr: NDArray[np.uint8]) -> int:
    """The number that a painted frame spells."""
    centre = slice(_BLOCK // 4, -_BLOCK // 4)
    total = 0
    for bit in range(_BITS):
        row, column = divmod(bit, _BITS // 2)
        block = bgr[row * _BLOCK : (row + 1) * _BLOCK, column * _BLOCK : (column + 1) * _BLOCK]
        total |= int(block[centre, centre].mean() > 128) << bit
    return total


def write_film(
    path: Path,
    num_frames: int = 60,
    *,
    codec: str = "libx264",
    fps: int = 30,
    gop: int = 12,
    bframes: int = 0,
    options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
    form: str | None = None,
    ticks: Sequence[int] | None = None,
    rotation: int = 0,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write a video of painted frames.

    Args:
        path: Where; its suffix names the container unless ``form`` does.
        num_frames: How many.
        codec: An encoder of FFmpeg's.
        fps: Frame rate.
        gop: Frames from one keyframe to the next.
        bframes: Frames in a row that refer to later ones; encoders that have none ignore it.
        options: For the encoder.
        container_options: For the muxer.
        form: Name of the container.
        ticks: Presentation times in milliseconds, instead of an even rate.
        rotation: Degrees counterclockwise that a player has to turn the video.
        metadata: Of the container, such as ``creation_time``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    time_base = Fraction(1, 1000) if ticks else Fraction(1, fps)
    with av.open(str(path), "w", format=form, options=dict(container_options or {})) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=fps, options=_options(codec, gop, bframes, options or {}))
        stream.width, stream.height = WIDTH, HEIGHT
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = gop
        stream.time_base = stream.codec_context.time_base = time_base
        if bframes and codec in ("mpeg2video", "mpeg4"):
            stream.codec_context.max_b_frames = bframes
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(num_frames):
            frame = av.VideoFrame.from_ndarray(painted(number), format="rgb24")
            frame.pts, frame.time_base = (ticks[number] if ticks else number), time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _options(codec: str, gop: int, bframes: int, more: Mapping[str, str]) -> dict[str, str]:
    if codec == "libx264":
        x264 = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={bframes}:b-adapt=0:threads=1"
        extra = more.get("x264-params")
        params = f"{x264}:{extra}" if extra else x264
        return {"preset": "veryfast", "crf": "20", **more, "x264-params": params}
    if codec == "libx265":
        x265 = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={bframes}:b-adapt=0:pools=1:log-level=none"
        extra = more.get("x265-params")
        return {"preset": "ultrafast", **more, "x265-params": f"{x265}:{extra}" if extra else x265}
    if codec == "libsvtav1":
        return {"preset": "12", "svtav1-params": f"keyint={gop}:lp=1", **more}
    return dict(more)


def chosen(times: Sequence[float], fps: float | None) -> list[int]:
    """The selection rule once more, from its definition: the first frame at or after each tick."""
    if fps is None:
        return list(range(len(times)))
    kept: list[int] = []
    for tick in range(int(times[-1] * fps + 1e-3) + 1):
        after = [n for n, time in enumerate(times) if time >= tick / fps - 1e-4]
        if after and after[0] not in kept:
            kept.append(after[0])
    return kept

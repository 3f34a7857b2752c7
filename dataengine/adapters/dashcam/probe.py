"""The head of a video file: rate, length and date, without decoding it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import av
from av.error import FFmpegError
from av.stream import Disposition

from dataengine.errors import InputError

_FIRST_YEAR = 2005
"""A camera whose clock was never set writes 1904, 1970 or 2000."""

_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,hevc,h264,m4v"
_DEFAULT_RATE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoHead:
    """What a video says of itself.

    Attributes:
        fps: Frames per second, on average.
        duration_s: Length; 0 where it is not said.
        created: Date of creation in its metadata, where that can be one. It is the recording's start with
            most cameras, and its end with a few. The file's own date is not taken: copying changes it.
    """

    fps: float
    duration_s: float
    created: datetime | None


def read_head(path: Path) -> VideoHead:
    """Read the head of a video.

    Raises:
        InputError: It is no video.
    """
    if path.exists() and not path.is_file():
        raise InputError("not a readable video (not a regular file)")  # a pipe would be waited for
    options = {"protocol_whitelist": "file", "format_whitelist": _CONTAINERS}
    try:
        with av.open(str(path.absolute()), options=options, metadata_errors="replace") as container:
            # a preview picture is a stream too
            moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
            if not moving:
                raise InputError("holds no video stream")
            stream = moving[0]
            rate = float(stream.average_rate or stream.guessed_rate or _DEFAULT_RATE)
            own = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
            duration = own or (container.duration or 0) / av.time_base
            created = container.metadata.get("creation_time") or stream.metadata.get("creation_time")
    except (FFmpegError, OSError, ValueError) as error:
        raise InputError(f"not a readable video ({getattr(error, 'strerror', None) or error})") from error
    return VideoHead(
        fps=rate if 0 < rate <= 1000 else _DEFAULT_RATE,
        duration_s=max(duration, 0.0),
        created=_date(created),
    )


def _date(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
    return found if found.year >= _FIRST_YEAR else None

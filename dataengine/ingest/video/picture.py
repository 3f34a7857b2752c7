"""From a decoded frame to an upright picture, and the clock of the work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from dataengine.errors import InputError

if TYPE_CHECKING:
    import av

Bgr = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame of a video.

    Attributes:
        number: Place in the presentation order of the stretch that is read, from 0; frames that were
            skipped count.
        time_s: Presentation time since the stretch's start.
        bgr: ``[H, W, 3]`` uint8, upright.
    """

    number: int
    time_s: float
    bgr: Bgr


@dataclass(slots=True)
class Clock:
    """Seconds spent in the two halves of ingest, added up.

    Attributes:
        decode_s: Reading, decoding and colour conversion.
        write_s: Compressing and storing.
    """

    decode_s: float = 0.0
    write_s: float = 0.0


class Converter:
    """Turns decoded frames into BGR, upright and without interlacing.

    It keeps the scaler's tables from frame to frame. Pixels are taken as they are stored: a video whose
    pixels are not square stays squeezed.
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> Bgr:
        """``[H, W, 3]`` uint8 BGR.

        Raises:
            InputError: Its pixels are of a kind that cannot be converted.
        """
        try:
            # one thread: by itself the scaler would start one for every core of the machine
            converted = self._reformatter.reformat(frame, format="bgr24", threads=1)
        except (FFmpegError, ValueError) as error:
            raise InputError(f"its pixels ({frame.format.name}) cannot be converted to colours") from error
        bgr: Bgr = converted.to_ndarray().astype(np.uint8, copy=False)
        if frame.interlaced_frame:
            bgr = _without_second_field(bgr)
        quarters = round(frame.rotation / 90) % 4
        return np.ascontiguousarray(np.rot90(bgr, quarters)) if quarters else bgr


def _without_second_field(bgr: Bgr) -> Bgr:
    """Replace odd lines by the mean of their neighbours.

    The two fields were exposed at different moments: what moves would have the teeth of a comb.
    """
    even = bgr[::2].astype(np.uint16)
    below = np.concatenate([even[1:], even[-1:]])
    smooth = bgr.copy()
    smooth[1::2] = ((even + below + 1) // 2)[: len(bgr) // 2]
    return smooth

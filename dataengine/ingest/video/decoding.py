"""Decoding: a whole video frame by frame, or the runs of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from av.stream import Disposition

from dataengine.errors import InputError
from dataengine.ingest.video.endings import is_cut_short, num_expected
from dataengine.ingest.video.index import VideoIndex
from dataengine.ingest.video.plan import Run

_MAX_PIXELS = 1 << 27
"""Twice the largest video there is (16K): a header of a few bytes must not ask for gigabytes."""

_WORTH_SEEKING = 64
"""Skipping fewer packets than this by reading them is cheaper than looking them up."""


_ONLY_VIDEO_FILES = {
    "protocol_whitelist": "file",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,"
    "obu,ivf,flv,asf,ogg,mxf,mjpeg",
}
"""A file may call itself a video and be a playlist, which would have FFmpeg open other files or addresses."""


class PlanError(Exception):
    """A file is not what its index says; it has to be decoded as it comes."""


@dataclass(frozen=True, slots=True)
class Video:
    """An open video file.

    Attributes:
        container: To be closed by whoever opened it.
        stream: Its first stream of moving pictures.
    """

    container: av.container.InputContainer
    stream: av.VideoStream


def open_video(path: Path) -> Video:
    """Open a video for decoding on one thread, with damage told rather than concealed.

    Raises:
        InputError: The file is missing, no video, or holds sound alone.
    """
    if path.exists() and not path.is_file():
        raise InputError("not a readable video (not a regular file)")  # a pipe would be waited for
    try:
        # absolute, or the part before a colon is taken for a protocol
        container = av.open(str(path.absolute()), options=_ONLY_VIDEO_FILES, metadata_errors="replace")
    except (FFmpegError, OSError, ValueError) as error:
        raise InputError(f"not a readable video ({getattr(error, 'strerror', None) or error})") from error
    # a dashcam's preview picture is a stream too; a stream of an unknown codec has no context
    moving = [
        stream
        for stream in container.streams.video
        if stream.codec_context is not None and not stream.disposition & Disposition.attached_pic
    ]
    if not moving:
        container.close()
        raise InputError("holds no video stream")
    stream = moving[0]
    # one thread a file: files are decoded side by side
    stream.codec_context.thread_count = 1
    stream.codec_context.options = {"err_detect": "explode", "max_pixels": str(_MAX_PIXELS)}
    return Video(container, stream)


def decode_all(video: Video) -> Iterator[av.VideoFrame]:
    """Every frame in the order in which they are shown.

    Raises:
        InputError: After the frames before the fault, the video is cut short or damaged.
    """
    num_packets = num_frames = 0
    beginning = _Beginning()
    try:
        for packet in video.container.demux(video.stream):
            if packet.is_corrupt:
                break
            num_packets += packet.size > 0
            if packet.size and beginning.lacks_what_it_needs(packet):
                continue
            for frame in packet.decode():
                num_frames += 1
                yield frame
        else:
            if not is_cut_short(video.stream, num_packets):
                return
    except FFmpegError as error:
        expected = num_expected(video.stream)
        raise InputError(fault("damaged", num_frames, expected, error.strerror)) from error
    raise InputError(fault("cut short", num_frames, num_expected(video.stream)))


def fault(what: str, num_frames: int, expected: int, why: str | None = None) -> str:
    """What to say of a video that does not go on: what, after how many frames of how many, and why."""
    total = f" of {expected}" if expected else ""
    return f"{what} after {num_frames} frames{total}{f' ({why})' if why else ''}"


class _Beginning:
    """Tells packets of a recording whose beginning was cut off: they refer to what is not there."""

    def __init__(self) -> None:
        self._num_keys = 0
        self._start: int | None = None

    def lacks_what_it_needs(self, packet: av.Packet) -> bool:
        if self._num_keys > 1:
            return False
        if packet.is_keyframe:
            self._num_keys += 1
            self._start = packet.pts if self._start is None else self._start
        if not self._num_keys:
            return True
        return packet.pts is not None and self._start is not None and bool(packet.pts < self._start)


class Planned:
    """Decodes the runs of a plan.

    Args:
        path: The video; it is opened anew where it cannot be wound to.
        index: What its packets say of themselves.
    """

    def __init__(self, path: Path, index: VideoIndex) -> None:
        self._path = path
        self._index = index
        self._video = open_video(path)
        self._context = self._video.stream.codec_context  # outlives a reopened file
        self._packets: Iterator[av.Packet] = self._video.container.demux(self._video.stream)
        self._next = 0
        self._seeks = index.stamped
        self._numbers = np.full(len(index.pts), -1, np.int64)
        self._numbers[index.shown] = np.arange(len(index.shown))

    def close(self) -> None:
        """Close the file."""
        self._video.container.close()

    def frames(self, run: Run) -> Iterator[av.VideoFrame]:
        """The wanted frames of a run; the runs of a plan are to be asked for in their order.

        Raises:
            InputError: The video is damaged there.
            PlanError: The file does not hold what the index says.
        """
        context = self._context
        sent = np.array(run.sent)
        shown = sent[self._numbers[sent] >= 0]
        due = iter(shown[np.argsort(self._numbers[shown])].tolist())
        left = set(run.wanted)
        num_frames = 0
        try:
            for packet in self._run_packets(run):
                for frame in context.decode(packet):
                    position = self._checked(frame, due, first=num_frames == 0)
                    num_frames += 1
                    if position in left:
                        left.remove(position)
                        yield frame
                if not left:
                    break
            context.flush_buffers()
        except FFmpegError as error:
            if not num_frames:
                raise PlanError("nothing decodes from here") from error
            done = int(self._numbers[run.wanted[-len(left) :][0]])
            raise InputError(fault("damaged", done, self._index.num_expected, error.strerror)) from error
        if left:
            raise PlanError("a frame did not come out")

    def _checked(self, frame: av.VideoFrame, due: Iterator[int], *, first: bool) -> int:
        """The position of a frame that came out of the decoder, if it is the one that was to come."""
        position = next(due, None)
        if position is None or frame.pts != self._index.pts[position] or frame.is_corrupt:
            raise PlanError("another frame came out")
        if first and not frame.key_frame:
            raise PlanError("no keyframe where one was announced")
        return position

    def _run_packets(self, run: Run) -> Iterator[av.Packet | None]:
        """The packets of a run, and ``None``, which makes the decoder give what it holds back."""
        for position in run.sent:
            packet = self._packet(position)
            if not self._index.stamped:
                packet.pts = packet.dts = position
            yield packet
        yield None

    def _packet(self, position: int) -> av.Packet:
        if self._seeks and position - self._next > _WORTH_SEEKING:
            self._wind_to(position)
        while True:
            packet = self._read()
            if self._next - 1 == position:
                return packet

    def _wind_to(self, position: int) -> None:
        """Wind to a packet at or before the position, or else to the beginning."""
        stream = self._video.stream
        try:
            self._video.container.seek(int(self._index.pts[position]), stream=stream)
            packets = self._video.container.demux(stream)
            first = next(packet for packet in packets if packet.size)
        except (FFmpegError, StopIteration):
            self._rewind()
            return
        found = np.flatnonzero(self._index.pts == first.pts)
        if found.size and found[0] <= position and first.size == self._index.size[found[0]]:
            self._packets, self._next = chain([first], packets), int(found[0])
        else:
            self._rewind()

    def _rewind(self) -> None:
        """Start over, and wind no more: this container does not lead to where it is asked to."""
        self._seeks = False
        self._video.container.close()
        self._video = open_video(self._path)
        self._packets = self._video.container.demux(self._video.stream)
        self._next = 0

    def _read(self) -> av.Packet:
        for packet in self._packets:
            if not packet.size:
                continue
            if self._next == len(self._index.pts):
                break
            stamp = packet.pts if self._index.stamped else self._next
            expected = (self._index.pts[self._next], self._index.size[self._next])
            if (stamp, packet.size) != expected:
                break
            self._next += 1
            return packet
        raise PlanError("the packets differ from those of the index")

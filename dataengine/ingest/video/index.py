"""The index of a video: every packet's time and role, read without decoding.

Packets are read in decoding order. A packet is shown at its presentation time, so sorting those gives
every frame its number, and the frames to keep can be chosen before anything is decoded.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from dataengine.ingest.video.endings import is_cut_short, num_expected
from dataengine.ingest.video.nal import Slice, SliceReader

if TYPE_CHECKING:
    import av

_CODECS = frozenset(
    ["h264", "hevc", "av1", "vp9", "mjpeg", "mpeg4", "mpeg2video", "mpeg1video", "prores", "dnxhd", "ffv1"]
)
"""One packet is one frame in these; others are decoded whole. (VP8 has packets that show nothing.)"""

_MAX_REORDER = 64
"""A frame shown this many places from where it was sent is a jump of the clock, not a B-frame."""

_ABSENT = np.iinfo(np.int64).min
_PROGRESSIVE = (0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoIndex:
    """Packets of a video in decoding order, as far as they are whole.

    Attributes:
        pts: ``[N]`` int64 presentation times in ticks of the stream.
        size: ``[N]`` sizes in bytes; with ``pts`` they tell a packet from all others.
        enters: ``[N]`` whether decoding can start here.
        unused: ``[N]`` whether no other frame refers to this one.
        shown: ``[N]`` positions of the frames in the order in which they are shown; what an edit list
            hides, or what comes before the first entry, is not among them.
        stamped: Packets carry times; otherwise ``pts`` is their place, and there is nothing to seek by.
        num_expected: Packets that the container says it holds; 0 where it does not say.
        fault: What ended the reading too early; empty if nothing did.
    """

    pts: NDArray[np.int64]
    size: NDArray[np.int64]
    enters: NDArray[np.bool_]
    unused: NDArray[np.bool_]
    shown: NDArray[np.int64]
    stamped: bool
    num_expected: int
    fault: str = ""


@dataclass(slots=True)
class _Packets:
    """Columns on the way into an index."""

    pts: array[int] = field(default_factory=lambda: array("q"))
    dts: array[int] = field(default_factory=lambda: array("q"))
    size: array[int] = field(default_factory=lambda: array("q"))
    key: bytearray = field(default_factory=bytearray)
    hidden: bytearray = field(default_factory=bytearray)
    slices: list[Slice | None] = field(default_factory=list)
    reconfigured: bool = False
    fault: str = ""


def read_index(container: av.container.InputContainer, stream: av.VideoStream) -> VideoIndex | None:
    """Read all packets of a freshly opened video; ``None`` where they do not tell when each frame is shown.

    Packets are read up to the first that is damaged or missing.
    """
    codec = stream.codec_context.name
    if codec not in _CODECS and stream.codec_context.codec.canonical_name not in _CODECS:
        return None
    packets = _read(container, stream)
    if not packets.pts or packets.reconfigured:
        return None
    stamped = tells_time(stream) and any(pts != _ABSENT for pts in packets.pts)
    if not stamped and stream.codec_context.has_b_frames:
        return None
    pts = np.array(packets.pts if stamped else range(len(packets.pts)), np.int64)
    key = np.frombuffer(packets.key, np.bool_)
    enters, unused = _roles(packets, key, stamped=stamped)
    if stream.codec_context.field_order not in _PROGRESSIVE:
        unused[:] = False  # the first slice speaks for one field only
    if not enters.any() or not _is_in_order(pts, key):
        return None
    entry = int(enters.argmax())
    visible = ~np.frombuffer(packets.hidden, np.bool_) & (pts >= pts[entry])
    visible[:entry] = False
    if packets.fault:
        visible &= pts <= _last_certain(pts, packets.dts, stamped=stamped)
    order = np.argsort(pts, kind="stable")
    return VideoIndex(
        pts=pts,
        size=np.array(packets.size, np.int64),
        enters=enters,
        unused=unused,
        shown=order[visible[order]],
        stamped=stamped,
        num_expected=num_expected(stream),
        fault=packets.fault,
    )


def tells_time(stream: av.VideoStream) -> bool:
    """Whether the container says when frames are shown.

    AVI says when they are decoded; where B-frames change the order, its times are guesses.
    """
    return not (stream.container.format.name == "avi" and stream.codec_context.has_b_frames)


def _read(container: av.container.InputContainer, stream: av.VideoStream) -> _Packets:
    packets = _Packets()
    codec = stream.codec_context.name
    reader = SliceReader(codec, stream.codec_context.extradata) if codec in ("h264", "hevc") else None
    try:
        for packet in container.demux(stream):
            if packet.is_corrupt:
                packets.fault = "cut short"
                break
            if not packet.size:
                continue  # the end, or a place where an AVI repeats its last picture
            # a new configuration travels with one packet, and may not be skipped with it
            packets.reconfigured |= bool(packets.pts) and packet.has_sidedata("new_extradata")
            packets.pts.append(_ABSENT if packet.pts is None else packet.pts)
            packets.dts.append(_ABSENT if packet.dts is None else packet.dts)
            packets.size.append(packet.size)
            packets.key.append(packet.is_keyframe)
            packets.hidden.append(packet.is_discard)
            packets.slices.append(reader.read(memoryview(packet)) if reader else None)
    except FFmpegError as error:
        packets.fault = f"cannot be read on ({error.strerror})"
    if not packets.fault and is_cut_short(stream, len(packets.pts)):
        packets.fault = "cut short"
    return packets


def _roles(
    packets: _Packets, key: NDArray[np.bool_], *, stamped: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which packets can be entered at, and which no other refers to."""
    slices = packets.slices
    if all(found is None for found in slices):
        return key.copy(), np.zeros(len(key), np.bool_)
    top = max(found.layer for found in slices if found)
    starts = [bool(found and (found.starts if stamped else found.starts_cleanly)) for found in slices]
    unused = [bool(found and found.unused and found.layer == top) for found in slices]
    enters = np.array(starts)
    if key.any():
        enters[key.argmax()] = True  # nothing before it decodes, whatever kind of entry it is
    return enters, np.array(unused)


def _is_in_order(pts: NDArray[np.int64], key: NDArray[np.bool_]) -> bool:
    """Whether the clock runs through: all times known, none twice, none far from its place."""
    if (pts == _ABSENT).any() or len(np.unique(pts)) < len(pts):
        return False
    place = np.empty(len(pts), np.int64)
    place[np.argsort(pts)] = np.arange(len(pts))
    highest_before = np.maximum.accumulate(np.concatenate([[pts[0] - 1], pts[:-1]]))
    in_turn = (pts > highest_before)[key].all()
    return bool(in_turn and (np.abs(place - np.arange(len(pts))) < _MAX_REORDER).all())


def _last_certain(pts: NDArray[np.int64], dts: array[int], *, stamped: bool) -> int:
    """The last time before which no frame can be missing: what is lost was to be decoded, so shown, later."""
    if stamped and dts[-1] != _ABSENT:
        return max(dts[-1], int(pts[0]))
    if (np.diff(pts) > 0).all():
        return int(pts[-1])
    return int(np.sort(pts)[max(len(pts) - _MAX_REORDER, 1) - 1])

"""Whether a file ends before its container says that it does.

Demuxers report the end of a shortened file like any other end. What a container notes of its own length
differs: MP4 has a table of all samples, AVI and Matroska the sizes of their outermost chunks (RIFF, 1991;
RFC 8794). MPEG-TS and raw streams note nothing; there the loss of the end cannot be told.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import av

_SEGMENT = b"\x18\x53\x80\x67"


def num_expected(stream: av.VideoStream) -> int:
    """Packets that the container says it holds; 0 where it does not say.

    The table of an MP4 is the better witness: the count in its header includes what an edit list cuts off.
    An AVI counts pictures that it leaves out as repeated, too.
    """
    name = stream.container.format.name
    if "mp4" in name:
        return len(stream.index_entries)
    return 0 if name == "avi" else int(stream.frames)


def is_cut_short(stream: av.VideoStream, num_packets: int) -> bool:
    """Whether the file ends before what its container announces, after reading it to the end."""
    name, path = stream.container.format.name, Path(stream.container.name)
    if name == "avi":
        return _goes_beyond_end(path, _riff_end)
    if "matroska" in name:
        return _goes_beyond_end(path, _segment_end)
    return num_packets < num_expected(stream)


def _goes_beyond_end(path: Path, announced: Callable[[BinaryIO, int], int]) -> bool:
    end = path.stat().st_size
    with path.open("rb") as file:
        return announced(file, end) > end + 1  # a chunk's padding byte may be left out


def _riff_end(file: BinaryIO, end: int) -> int:
    """Where the last RIFF chunk ends; one that was never closed goes on for ever."""
    at = 0
    while at < end:
        file.seek(at)
        tag, size = file.read(4), int.from_bytes(file.read(4), "little")
        if tag != b"RIFF":
            break  # padding behind the last chunk
        if not size:
            return end + 2
        at += 8 + size + size % 2
    return at


def _segment_end(file: BinaryIO, _end: int) -> int:
    """Where Matroska's segment ends; 0 for a live stream, which never knew."""
    file.seek(4)
    header = _variable_size(file)
    file.seek(file.tell() + max(header, 0))
    if file.read(4) != _SEGMENT:
        return 0
    size = _variable_size(file)
    return file.tell() + size if size >= 0 else 0


def _variable_size(file: BinaryIO) -> int:
    """A size whose first set bit tells its length (RFC 8794, section 4); -1 for unknown."""
    first = file.read(1)
    if not first or not first[0]:
        return -1
    length = 9 - first[0].bit_length()
    value = int.from_bytes(first + file.read(length - 1), "big")
    marker = 1 << 7 * length
    return -1 if value == 2 * marker - 1 else value & (marker - 1)

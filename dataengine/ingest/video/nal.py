"""What the first slice of a packet tells: whether decoding can start there, and whether others need it.

Containers flag keyframes loosely: in H.264 also pictures whose followers refer to what came before. The
slice's own header cannot be wrong about that. Sources: ITU-T H.264 (08/2021), table 7-1; ITU-T H.265
(08/2021), table 7-1; avcC and hvcC boxes, ISO/IEC 14496-15.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_SCANNED_BYTES = 1 << 16
"""The first slice comes after parameter sets and supplements, which are shorter than this."""

_START_CODE = b"\0\0\1"


@dataclass(frozen=True, slots=True)
class Slice:
    """The first slice of a packet.

    Attributes:
        starts: Decoding can start here: nothing shown later refers to anything sent earlier.
        starts_cleanly: Moreover nothing sent later is shown earlier.
        unused: No other picture refers to this one.
        layer: Temporal layer; a picture may be unused in its own and still be used in a higher one.
    """

    starts: bool
    starts_cleanly: bool
    unused: bool
    layer: int = 0


class SliceReader:
    """Reads the first slices of one stream's packets.

    Args:
        codec: ``h264`` or ``hevc``.
        extradata: The stream's configuration record; tells how its units are delimited.
    """

    def __init__(self, codec: str, extradata: bytes | None) -> None:
        self._parse = _h264 if codec == "h264" else _hevc
        record = extradata or b""
        at = 4 if codec == "h264" else 21
        in_record = len(record) > at and record[0] == 1
        self._length_size = (record[at] & 3) + 1 if in_record else 0

    def read(self, packet: memoryview) -> Slice | None:
        """The packet's first slice; ``None`` if there is none to be found."""
        data = bytes(packet[:_SCANNED_BYTES])
        for at in self._units(data):
            if at + 1 < len(data):
                found = self._parse(data[at], data[at + 1])
                if found is not None:
                    return found
        return None

    def _units(self, data: bytes) -> Iterator[int]:
        """Where each unit's header is."""
        at = 0
        if not self._length_size:
            while (at := data.find(_START_CODE, at)) >= 0:
                at += len(_START_CODE)
                yield at
            return
        while at + self._length_size < len(data):
            length = int.from_bytes(data[at : at + self._length_size], "big")
            yield at + self._length_size
            at += self._length_size + length


@lru_cache  # the same few objects for all packets
def _h264(first: int, _second: int) -> Slice | None:
    kind, referred_to = first & 31, first >> 5 & 3
    if kind not in (1, 2, 5):
        return None
    return Slice(starts=kind == 5, starts_cleanly=kind == 5, unused=referred_to == 0)


@lru_cache
def _hevc(first: int, second: int) -> Slice | None:
    kind, layer = first >> 1 & 63, (second & 7) - 1
    if kind > 31:
        return None
    return Slice(
        starts=16 <= kind <= 21,  # BLA, IDR and CRA; what of the others' leading pictures is left out
        starts_cleanly=kind in (19, 20),
        unused=kind < 16 and kind % 2 == 0,
        layer=layer,
    )

"""Ways in which files go bad: cut, flipped, emptied, mislabelled, lying about their size."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

MEDIA = {".png", ".jpg", ".jpeg", ".mp4", ".mov", ".mkv", ".avi", ".hevc"}
HUGE = 60_000
"""A side of 60,000 pixels: 3.6 gigapixels, 10.8 GB if anybody believes it."""


def truncate(path: Path) -> None:
    """Keep the first 60 %."""
    _rewrite(path, lambda data: data[: len(data) * 6 // 10])


def cut_short(path: Path) -> None:
    """Keep ten bytes: less than any header."""
    _rewrite(path, lambda data: data[:10])


def empty(path: Path) -> None:
    """Keep nothing."""
    _rewrite(path, lambda _: b"")


def flip_bits(path: Path, seed: int = 0, number: int = 12) -> None:
    """Flip bits all over the file, the header too."""

    def flipped(data: bytes) -> bytes:
        rng = np.random.default_rng(seed)
        spoilt = bytearray(data)
        for place in rng.integers(0, len(spoilt), number) if spoilt else ():
            spoilt[int(place)] ^= 1 << int(rng.integers(0, 8))
        return bytes(spoilt)

    _rewrite(path, flipped)


def garble(path: Path) -> None:
    """Random bytes behind a suffix that promises something."""
    size = min(max(path.stat().st_size, 64), 4096)
    _rewrite(path, lambda _: np.random.default_rng(1).bytes(size))


def swap_kind(path: Path) -> None:
    """A wrong extension: text where an image is expected, an image where text is."""
    _rewrite(path, lambda _: b"hello, \xe9 world\n" if path.suffix.lower() in MEDIA else png(4, 4))


def nest(path: Path) -> None:
    """JSON 10,000 deep; of anything else, just so many brackets."""
    _rewrite(path, lambda _: b'{"a":' * 5000 + b"[" * 5000 + b"]" * 5000 + b"}" * 5000)


def not_numbers(path: Path) -> None:
    """NaN, infinities and a number of 400 digits in place of the numbers of a text file."""

    def spoilt(data: bytes) -> bytes:
        words = [b"NaN", b"Infinity", b"-1e999", b"9" * 400]
        lines = data.splitlines()
        return b"".join(_with_word(line, words[at % len(words)]) + b"\n" for at, line in enumerate(lines))

    if path.suffix.lower() in {".json", ".jsonl", ".csv", ".txt", ".xml", ".gpx", ".yaml"}:
        _rewrite(path, spoilt)


def huge_size(path: Path) -> None:
    """Let the header of an image or of a video claim ``HUGE`` x ``HUGE`` pixels."""
    kinds: dict[bytes, Callable[[bytes], bytes]] = {b"\x89PNG": _huge_png, b"\xff\xd8": _huge_jpeg}
    data = path.read_bytes()
    change = next((patch for magic, patch in kinds.items() if data.startswith(magic)), None)
    if change is None and data[4:8] == b"ftyp":
        change = _huge_mp4
    if change is not None:
        _rewrite(path, change)


EVERY: dict[str, Callable[[Path], None]] = {
    "truncated": truncate,
    "cut_short": cut_short,
    "empty": empty,
    "flipped": flip_bits,
    "garbled": garble,
    "of_another_kind": swap_kind,
    "nested": nest,
    "not_numbers": not_numbers,
    "huge": huge_size,
}


def png(width: int, height: int, *, claim: tuple[int, int] | None = None) -> bytes:
    """A black PNG; its header may claim another size, with a checksum that holds."""
    shown = claim or (width, height)
    rows = b"".join(b"\0" + bytes(3 * width) for _ in range(height))
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", *shown, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def odd_names(folder: Path) -> list[Path]:
    """Small files whose names are hard to print, split or decode, in a folder; returns them."""
    names: list[bytes] = [
        b"with space.png",
        b"line\nbreak.txt",
        b"tab\tquote\"'.json",
        "ümläut-日本語-🚗.png".encode(),
        "e\u0301.png".encode(),  # not in the form that a Mac would write
        b"\xff\xfe-no-text.png",
        b"--help.csv",
        b"hash#000001.png",
        b"percent%20.mp4",
        b"back\\slash.txt",
        b"n" * 250 + b".png",
        b"COM1.jpg",
    ]
    made = []
    for name in names:
        path = folder / os.fsdecode(name)
        path.write_bytes(png(8, 8) if name.endswith(b".png") else b"")
        made.append(path)
    return made


def _rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    data = change(path.read_bytes())
    path.unlink()  # a small copy may hold hard links to real data
    path.write_bytes(data)


def _with_word(line: bytes, word: bytes) -> bytes:
    """The line with its last number replaced."""
    end = next((at for at in range(len(line), 0, -1) if line[at - 1 : at].isdigit()), 0)
    start = end
    while start and line[start - 1 : start] in b"0123456789.-" and line[start - 1 : start]:
        start -= 1
    return line[:start] + word + line[end:] if end else line


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _huge_png(data: bytes) -> bytes:
    header = struct.pack(">II", HUGE, HUGE) + data[24:29]
    return data[:8] + _chunk(b"IHDR", header) + data[33:]


def _huge_jpeg(data: bytes) -> bytes:
    spoilt = bytearray(data)
    at = 2
    while at + 9 < len(spoilt) and spoilt[at] == 0xFF:
        marker, size = spoilt[at + 1], int.from_bytes(spoilt[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xC2:  # start of frame: precision, height, width
            spoilt[at + 5 : at + 9] = struct.pack(">HH", HUGE, HUGE)
            break
        at += 2 + size
    return bytes(spoilt)


def _huge_mp4(data: bytes) -> bytes:
    """Width and height of the first sample entry (ISO 14496-12, VisualSampleEntry), and of the track."""
    spoilt = bytearray(data)
    for entry in (b"avc1", b"hvc1", b"hev1", b"av01", b"mp4v"):
        at = data.find(entry)
        if at > 0:
            spoilt[at + 28 : at + 32] = struct.pack(">HH", HUGE, HUGE)
    at = data.find(b"tkhd")
    if at > 0:
        size = int.from_bytes(data[at - 4 : at], "big")
        spoilt[at - 4 + size - 8 : at - 4 + size] = struct.pack(">II", HUGE << 16, HUGE << 16)
    return bytes(spoilt)

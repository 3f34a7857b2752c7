"""What a zip or a tar file holds, entry by entry, with nothing unpacked yet."""

from __future__ import annotations

import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, cast

from dataengine.errors import InputError
from dataengine.fetch.names import RefusedError

_HEADER_LIMIT = 1 << 24
_PADDING_LIMIT = 1 << 26
_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: a folder, or a file that ``open`` reads.

    Attributes:
        name: As the archive gives it; not to be trusted.
        is_folder: Whether it is a folder.
        num_bytes: Size that the archive declares.
        open: Opens the content.
    """

    name: str
    is_folder: bool
    num_bytes: int
    open: Callable[[], IO[bytes]]


def kind_of(path: Path) -> str:
    """``zip``, ``gzip``, ``tar``, or empty for a file that is none of them, by its first bytes."""
    with path.open("rb") as handle:
        head = handle.read(512)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    return "tar" if head[257:262] == b"ustar" else ""


def declared_bytes(path: Path, kind: str) -> int:
    """Bytes that the archive says it unpacks to; its own size where only reading all of it would tell."""
    if kind != "zip":
        return path.stat().st_size
    with open_archive(path, kind) as entries:
        return sum(entry.num_bytes for entry in entries)


@contextmanager
def open_archive(path: Path, kind: str) -> Iterator[Iterator[Entry]]:
    """Open a zip or a tar (plain or gzipped) and iterate over its entries.

    Raises:
        RefusedError: While iterating: an entry is a link, a device, encrypted.
        InputError: Here or while iterating: the archive is damaged.
    """
    try:
        if kind == "zip":
            with zipfile.ZipFile(path) as archive:
                yield _zip_entries(archive)
        else:
            with gzip.open(path) if kind == "gzip" else path.open("rb") as raw:
                bounded = _Bounded(cast(IO[bytes], raw))
                with tarfile.open(fileobj=bounded, mode="r:") as archive:  # type: ignore[call-overload]
                    yield _tar_entries(archive, bounded)
    except _BROKEN as error:
        raise InputError(f"{path.name}: the archive is damaged ({error or type(error).__name__})") from error


_BROKEN = (
    zipfile.BadZipFile,
    NotImplementedError,  # a zip's unknown compression
    tarfile.TarError,
    OSError,  # gzip's own, and seeks to where a flipped bit points
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,  # numbers and names that are none
    OverflowError,
    RecursionError,
)


def _zip_entries(archive: zipfile.ZipFile) -> Iterator[Entry]:
    for info in archive.infolist():
        mode = info.external_attr >> 16
        if info.orig_filename != info.filename:
            raise RefusedError(info.orig_filename, "has a NUL in its name")
        if info.flag_bits & _ENCRYPTED:
            raise RefusedError(info.filename, "is encrypted")
        if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise RefusedError(info.filename, "is a link or a device")
        yield Entry(info.filename, info.is_dir(), info.file_size, partial(archive.open, info))


def _tar_entries(archive: tarfile.TarFile, raw: _Bounded) -> Iterator[Entry]:
    while (member := archive.next()) is not None:
        if not (member.isdir() or member.isreg()) or member.issparse():
            raise RefusedError(member.name, "is a link, a device or a sparse file")
        yield Entry(member.name, member.isdir(), member.size, partial(_content, archive, member))
        archive.members = []  # type: ignore[attr-defined]  # tarfile would remember every entry
    if raw.last != bytes(tarfile.BLOCKSIZE):  # tarfile takes a cut or a broken header for the end
        raise tarfile.ReadError("it ends without an end mark")
    raw.read_out()


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member)
    assert content is not None
    return content


class _Bounded:
    """A file whose single reads are bounded: a header that claims gigabytes is not read into memory."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self.seek, self.tell = raw.seek, raw.tell
        self.last = b""

    def read(self, num_bytes: int) -> bytes:
        """Read, and keep it in ``last``."""
        if num_bytes > _HEADER_LIMIT:
            raise tarfile.ReadError(f"a header claims {num_bytes:,} bytes")
        self.last = self._raw.read(num_bytes)
        return self.last

    def read_out(self) -> None:
        """Read the padding at the end, after which gzip checks its checksum."""
        for _ in range(_PADDING_LIMIT // _HEADER_LIMIT):
            if not self._raw.read(_HEADER_LIMIT):
                return
        raise tarfile.ReadError("its padding does not end")

"""Unpack an archive into a fresh folder: nothing outside it, nothing but files, and no bombs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dataengine.errors import InputError
from dataengine.fetch.archives import Entry, declared_bytes, kind_of, open_archive
from dataengine.fetch.names import Names, RefusedError
from dataengine.fetch.store import StoredFile, check_room, in_words, mistakes
from dataengine.progress import bar

_CHUNK = 1 << 20
_BETWEEN_CHECKS = 256 << 20
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
"""Names of files that are unpacked; others are put in place as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What counts as a bomb.

    Attributes:
        entries: Most entries.
        num_bytes: Most bytes, unpacked.
        ratio: Most bytes unpacked for each byte of the archive. Images hardly shrink; a folder of label
            text rarely shrinks twentyfold.
        free_bytes: Up to so many bytes any ratio is fine.
    """

    entries: int = 2_000_000
    num_bytes: int = 500 * 10**9
    ratio: float = 100.0
    free_bytes: int = 64 << 20


def unpack(archive: Path, folder: Path, *, strip: int = 0, limits: Limits | None = None) -> list[StoredFile]:
    """Unpack a zip, a tar or a gzipped tar.

    Args:
        archive: The file; what it is, its first bytes tell.
        folder: A new folder; what is in it after an error is to be thrown away.
        strip: Leading folders of the archive's paths that are left out.
        limits: What counts as a bomb.

    Returns:
        Every file, its path relative to ``folder``.

    Raises:
        InputError: It is no archive, damaged, or holds what may not be unpacked.
    """
    kind = kind_of(archive)
    if not kind:
        raise InputError(f"{archive.name}: no zip or tar, {_what_instead(archive)}")
    job = _Unpacking(folder, Names(strip), limits or Limits(), archive.stat().st_size)
    try:
        check_room(folder, declared_bytes(archive, kind))
        with (
            open_archive(archive, kind) as entries,
            bar(f"unpacking {archive.name}", None, "files") as advance,
        ):
            for entry in entries:
                job.add(entry)
                advance(1)
    except RefusedError as error:
        raise InputError(f"{archive.name}: {error}; nothing of this archive is used") from error
    if not job.files:
        raise InputError(f"{archive.name}: the archive holds no files")
    return job.files


class _Unpacking:
    """The unpacking of one archive of ``archive_bytes``."""

    def __init__(self, folder: Path, names: Names, limits: Limits, archive_bytes: int) -> None:
        self._folder, self._names, self._limits = folder, names, limits
        self._most_bytes = min(limits.num_bytes, max(limits.free_bytes, int(limits.ratio * archive_bytes)))
        self._entries = self._bytes = self._checked = 0
        self.files: list[StoredFile] = []

    def add(self, entry: Entry) -> None:
        """Unpack one entry, or raise ``RefusedError``."""
        self._entries += 1
        if self._entries > self._limits.entries:
            raise RefusedError(entry.name, f"is entry number {self._entries:,}: too many")
        self._weigh(entry, entry.num_bytes)
        path = self._names.place(entry.name, is_folder=entry.is_folder)
        if path is None:
            return
        target = self._folder / path
        with mistakes(target):
            (target if entry.is_folder else target.parent).mkdir(parents=True, exist_ok=True)
        if not entry.is_folder:
            self.files.append(self._write(entry, target, str(path)))

    def _write(self, entry: Entry, target: Path, name: str) -> StoredFile:
        digest, num_bytes = hashlib.sha256(), 0
        with entry.open() as source, _new(target) as handle:
            while data := source.read(_CHUNK):
                num_bytes += len(data)
                if num_bytes > entry.num_bytes:
                    raise RefusedError(
                        entry.name, f"holds more than the {entry.num_bytes:,} bytes it declares"
                    )
                with mistakes(target):
                    handle.write(data)
                digest.update(data)
        if num_bytes < entry.num_bytes:
            raise RefusedError(entry.name, f"is cut after {num_bytes:,} of {entry.num_bytes:,} bytes")
        self._bytes += num_bytes
        return StoredFile(name, num_bytes, digest.hexdigest())

    def _weigh(self, entry: Entry, num_bytes: int) -> None:
        """Refuse a bomb before it is unpacked, and stop before the disk is full."""
        total = self._bytes + num_bytes
        if num_bytes < 0 or total > self._most_bytes:
            raise RefusedError(
                entry.name,
                f"brings the total to {in_words(total)}, over the limit of {in_words(self._most_bytes)}",
            )
        if total >= self._checked:
            check_room(self._folder, num_bytes)
            self._checked = self._bytes + _BETWEEN_CHECKS


def _new(target: Path) -> IO[bytes]:
    with mistakes(target):
        return target.open("xb")


def _what_instead(path: Path) -> str:
    with path.open("rb") as handle:
        head = handle.read(64)
    if head.lstrip()[:1] == b"<":
        return "but a web page: the publisher moved it or wants a login; open the address in a browser"
    return f"it begins with {head[:8]!r}: fetch it by hand and look"

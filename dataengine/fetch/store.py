"""The hidden folder ``.fetch`` in a dataset's root: half-fetched files, and what was fetched before.

Adapters skip hidden folders, so nothing in here is ever taken for a part of the dataset.
``checksums.json`` remembers the SHA-256 of every download and of every file that came out of it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dataengine import files
from dataengine.errors import InputError

FOLDER = ".fetch"
_VERSION = 1
_SPARE_BYTES = 256 << 20


class DiskError(InputError):
    """The disk is full or may not be written: what was fetched so far is good and is kept."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of a dataset: its path relative to the root, size and hex SHA-256."""

    path: str
    num_bytes: int
    sha256: str

    def __post_init__(self) -> None:
        if not (type(self.path) is type(self.sha256) is str and type(self.num_bytes) is int):
            raise TypeError("a file is a path, a size and a digest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One finished download.

    Attributes:
        sha256: Hex digest of the file as it came.
        num_bytes: Its size.
        fetched: Day, ISO 8601.
        files: What lies in the root because of it.
    """

    sha256: str
    num_bytes: int
    fetched: str
    files: tuple[StoredFile, ...]

    @classmethod
    def from_json(cls, value: dict[str, object]) -> Record:
        """Read ``asdict`` back; ``TypeError``, ``KeyError`` or ``ValueError`` for anything else."""
        plain = dict(value)
        listed = plain.pop("files")
        if not isinstance(listed, list):
            raise TypeError("files is no list")
        return cls(**plain, files=tuple(StoredFile(**item) for item in listed))  # type: ignore[arg-type]


class Store:
    """The ``.fetch`` folder of one dataset's root.

    Args:
        root: The dataset's folder; it need not exist.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / FOLDER

    def archive(self, url: str) -> Path:
        """Where the file at an address is kept until it is unpacked; its name ends like the address."""
        return self.folder / f"{hashlib.sha256(url.encode()).hexdigest()[:8]}-{file_name(url)}"

    def fetched_bytes(self, url: str) -> int:
        """How much of the file at an address is here already."""
        archive = self.archive(url)
        ends = (archive, archive.with_name(archive.name + ".part"))
        return max(path.stat().st_size if path.exists() else 0 for path in ends)

    def records(self) -> dict[str, Record]:
        """What was fetched, by address.

        Raises:
            InputError: ``checksums.json`` is damaged.
        """
        path = self.folder / "checksums.json"
        if not path.exists():
            return {}
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
            if value["format_version"] != _VERSION:
                raise ValueError(f"format version {value['format_version']}")
            return {url: Record.from_json(record) for url, record in value["downloads"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(
                f"{path} is damaged ({error}); remove it, and the next download records checksums anew"
            ) from error

    def remember(self, url: str, record: Record) -> None:
        """Add or replace the record of an address."""
        value = {known: asdict(old) for known, old in {**self.records(), url: record}.items()}
        with mistakes(self.folder):
            files.write_json(self.folder / "checksums.json", {"format_version": _VERSION, "downloads": value})

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process at a time fetch into this root."""
        with mistakes(self.root):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = (self.folder / "lock").open("w")
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(
                    f"{self.root}: another download is at work here; wait for it, or choose another root=PATH"
                ) from None
            yield


def file_name(url: str) -> str:
    """The last part of an address as a harmless file name."""
    last = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]
    return re.sub(r"[^\w.+-]", "-", last).lstrip(".")[-100:] or "download"


def check_room(folder: Path, num_bytes: int) -> None:
    """Raise ``DiskError`` unless so many bytes and some to spare are free on a folder's disk."""
    free = shutil.disk_usage(folder).free
    if num_bytes + _SPARE_BYTES > free:
        raise DiskError(
            f"{folder}: {in_words(num_bytes)} and {in_words(_SPARE_BYTES)} to spare are needed, "
            f"{in_words(free)} are free; "
            "free some space or choose another root=PATH, the same command continues"
        )


@contextmanager
def mistakes(path: Path) -> Iterator[None]:
    """Turn a full disk, a folder without rights, a file in the way into one line, a ``DiskError``."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskError(
                f"{where}: the disk is full; free some space and run the same command again, it continues"
            ) from error
        raise DiskError(
            f"{where}: cannot be written ({os.strerror(error.errno or 0)}); choose another root=PATH"
        ) from error


def in_words(num_bytes: float) -> str:
    """A size for people: ``12.6 GB`` (decimal units, as publishers give them)."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if num_bytes < 1000:
            return f"{num_bytes:.0f} {unit}" if unit == "bytes" else f"{num_bytes:.1f} {unit}"
        num_bytes /= 1000
    return f"{num_bytes:.1f} TB"

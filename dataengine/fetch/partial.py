"""A file that is being fetched: ``X.part`` with what came so far, ``X.part.json`` with whose bytes it holds.

The description is written before the first byte, so a process that is killed at any instant leaves
a pair from which the next one can continue, or a part without a description, which is thrown away.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from dataengine import files
from dataengine.fetch.store import mistakes


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Which version of which file the bytes belong to.

    Attributes:
        url: Its address.
        etag: The server's name for this version; empty where it gives none.
        modified: The server's date of it; empty where it gives none.
        num_bytes: Its size; 0 where the server does not say.
    """

    url: str
    etag: str = ""
    modified: str = ""
    num_bytes: int = 0

    @property
    def validator(self) -> str:
        """What ``If-Range`` may hold: a strong tag, else a date, else nothing (RFC 9110, 13.1.5)."""
        return self.modified if self.etag.startswith("W/") or not self.etag else self.etag


class PartialFile:
    """One download under way.

    Args:
        path: The whole file, once it is whole.
        url: Its address; a part of another address is not continued.
    """

    def __init__(self, path: Path, url: str) -> None:
        self.path = path
        self.part = path.with_name(path.name + ".part")
        self._description = path.with_name(path.name + ".part.json")
        self.version = self._read(url)
        self.most = self.size
        """The most bytes of one version that were ever here: rising means progress."""
        if self.version == Version(url=url):
            self.restart(self.version)

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self.part.stat().st_size if self.part.exists() else 0

    def restart(self, version: Version) -> None:
        """Throw away what is here and begin on a version."""
        with mistakes(self.part):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.part.unlink(missing_ok=True)
            files.write_json(self._description, asdict(version))
        if version != self.version:
            self.most = 0
        self.version = version

    @contextmanager
    def appending(self) -> Iterator[Callable[[bytes], int]]:
        """Give a function that adds bytes at the end and returns how many are here now."""
        with mistakes(self.part):
            handle = self.part.open("ab")
        size = self.size

        def append(data: bytes) -> int:
            nonlocal size
            with mistakes(self.part):
                handle.write(data)
                handle.flush()
            size += len(data)
            self.most = max(self.most, size)
            return size

        with handle:
            yield append

    def finish(self) -> None:
        """Give the whole file its name."""
        with mistakes(self.path):
            self.part.touch()
            self.part.replace(self.path)
            self._description.unlink(missing_ok=True)

    def discard(self) -> None:
        """Leave nothing."""
        with mistakes(self.part):
            self.part.unlink(missing_ok=True)
            self._description.unlink(missing_ok=True)

    def _read(self, url: str) -> Version:
        try:
            value = json.loads(self._description.read_text(encoding="utf-8"))
            version = Version(**value)
        except (OSError, ValueError, TypeError, RecursionError):
            return Version(url=url)
        known = (
            version.url == url
            and isinstance(version.etag, str)
            and isinstance(version.modified, str)
            and type(version.num_bytes) is int
        )
        return version if known else Version(url=url)

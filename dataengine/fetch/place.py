"""Move unpacked files into a dataset's root: whole folders at once, and never over a file that differs."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from dataengine import files
from dataengine.errors import InputError
from dataengine.fetch.store import Record, StoredFile, mistakes


class Staging:
    """One download between its archive and its place.

    ``X.unpacking`` is filled; when it is whole, with its list of files, it is renamed to ``X.unpacked``,
    from which a process that comes after a kill goes on moving.

    Args:
        archive: The downloaded file, whose name the folders take.
        into: Folder below the root, or empty.
    """

    def __init__(self, archive: Path, into: str) -> None:
        self._filling = archive.with_name(archive.name + ".unpacking")
        self._whole = archive.with_name(archive.name + ".unpacked")
        self._into = into

    @property
    def is_whole(self) -> bool:
        """Whether everything is unpacked and waits to be moved."""
        return self._whole.is_dir()

    def begin(self) -> Path:
        """An empty folder to unpack into."""
        self.discard()
        folder = self._filling / "files"
        with mistakes(folder):
            folder.mkdir(parents=True)
        return folder

    def complete(self, stored: list[StoredFile], sha256: str, num_bytes: int) -> None:
        """All of ``stored`` is there: note it, below ``into``, and mark the folder as whole.

        Args:
            stored: The files, relative to the folder that ``begin`` gave.
            sha256: Hex digest of what was downloaded.
            num_bytes: Its size.
        """
        content, inner = self._filling / "files", Path(self._into).name
        if inner and [item.name for item in content.iterdir()] == [inner] and (content / inner).is_dir():
            # the archive brings the folder itself: not a second one inside it
            content, stored = content / inner, [_below(inner, item) for item in stored]
        record = Record(
            sha256=sha256,
            num_bytes=num_bytes,
            fetched=datetime.now(UTC).date().isoformat(),
            files=tuple(replace(item, path=str(Path(self._into, item.path))) for item in stored),
        )
        with mistakes(self._filling):
            content.rename(self._filling / "placed")
            files.write_json(self._filling / "record.json", asdict(record))
            self._filling.rename(self._whole)

    def move(self, root: Path) -> Record:
        """Move everything to where it belongs; returns what to remember.

        Raises:
            InputError: A file is in the way that differs; nothing was moved then.
        """
        record = Record.from_json(json.loads((self._whole / "record.json").read_text(encoding="utf-8")))
        target = root / self._into
        source = self._whole / "placed"
        if source.exists():
            _check(source, target)
            with mistakes(target):
                target.mkdir(parents=True, exist_ok=True)
                _merge(source, target)
        return record

    def discard(self) -> None:
        """Leave nothing."""
        for folder in (self._filling, self._whole):
            shutil.rmtree(folder, ignore_errors=True)


def _below(folder: str, item: StoredFile) -> StoredFile:
    return replace(item, path=item.path.removeprefix(f"{folder}/"))


def _check(source: Path, target: Path) -> None:
    """Raise unless every file of ``source`` has a free place below ``target``, or its equal there."""
    if not (target.exists() or target.is_symlink()):
        return
    if target.is_dir() and source.is_dir():
        for item in sorted(source.iterdir()):
            _check(item, target / item.name)
    elif not (target.is_file() and source.is_file() and _equal(source, target)):
        raise InputError(
            f"{target} is there already and differs from what was fetched; move it away, or choose another "
            "root=PATH, and run the same command again"
        )


def _equal(one: Path, other: Path) -> bool:
    return one.stat().st_size == other.stat().st_size and files.sha256(one) == files.sha256(other)


def _merge(source: Path, target: Path) -> None:
    for item in sorted(source.iterdir()):
        place = target / item.name
        if item.is_dir() and place.is_dir():
            _merge(item, place)
        else:
            item.replace(place)

"""Which names of an archive may become files: inside the folder, once each, on every file system."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

from dataengine.fetch import store


class RefusedError(Exception):
    """An entry that may not be unpacked: its name, and why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name!r} {reason}")


class Names:
    """The names of one archive so far.

    Args:
        strip: Leading folders of every path that are left out.
    """

    def __init__(self, strip: int = 0) -> None:
        self._strip = strip
        self._files: set[str] = set()
        self._folders: dict[str, str] = {}

    def place(self, name: str, *, is_folder: bool) -> PurePosixPath | None:
        """Where an entry goes, relative to the folder; ``None`` for a folder that is left out.

        Raises:
            RefusedError: The name is absolute, climbs out, or meets another one (in a file system that
                does not tell ``A`` from ``a`` too).
        """
        parts = _parts(name)
        if len(parts) <= self._strip:
            if is_folder:
                return None
            raise RefusedError(name, f"lies above the {self._strip} folders that are left out")
        path = PurePosixPath(*parts[self._strip :])
        for folder in [*reversed(path.parents)][1:] + ([path] if is_folder else []):
            self._enter(name, str(folder))
        if not is_folder:
            key = _folded(str(path))
            if key in self._files or key in self._folders:
                raise RefusedError(name, "stands there twice (or differs in upper and lower case alone)")
            self._files.add(key)
        return path

    def _enter(self, name: str, folder: str) -> None:
        key = _folded(folder)
        if key in self._files:
            raise RefusedError(name, f"lies below {folder!r}, which is a file")
        if self._folders.setdefault(key, folder) != folder:
            raise RefusedError(
                name, f"differs from the folder {self._folders[key]!r} in upper and lower case alone"
            )


def _parts(name: str) -> list[str]:
    if "\0" in name or "\\" in name:
        raise RefusedError(name, "has a NUL or a backslash in its name")
    if name.startswith("/") or name[1:2] == ":":
        raise RefusedError(name, "is an absolute path")
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise RefusedError(name, "climbs out of the folder")
    if any(_folded(part) == store.FOLDER for part in parts):
        raise RefusedError(name, f"lies in {store.FOLDER}, where downloads keep their books")
    return parts


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()

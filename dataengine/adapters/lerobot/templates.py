"""Path templates of ``meta/info.json``, formatted and read back without trust.

A template names files of the dataset, so it may hold the format's own fields, plain widths and relative
folders, and nothing else: ``{episode_index:06d}`` but no ``{episode_index.__class__}``, no ``:0999999999d``,
no ``..``.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection
from pathlib import PurePosixPath

from dataengine.errors import InputError

_WIDTH = r"(0?\d{1,2})?d?"
_TEXT_FIELDS = frozenset({"video_key"})


class PathTemplate:
    """One template.

    Args:
        text: As in ``info.json``.
        fields: Fields that it may hold.
        needed: Fields without which it cannot tell files apart.

    Raises:
        InputError: It is malformed, holds or lacks a field, or leads out of the dataset.
    """

    def __init__(self, text: str, fields: Collection[str], needed: Collection[str]) -> None:
        self.text = text
        held: set[str] = set()
        pattern = ""
        try:
            pieces = list(string.Formatter().parse(text))
        except ValueError as error:
            raise InputError(f"template {text[:200]!r} is malformed ({error})") from error
        for literal, name, width, conversion in pieces:
            pattern += re.escape(literal)
            if name is None:
                continue
            wide = "" if name in _TEXT_FIELDS else _WIDTH
            if name not in fields or conversion or not re.fullmatch(wide, width or ""):
                raise InputError(
                    f"template {text[:200]!r}: only {', '.join(sorted(fields))} may be filled in"
                )
            values = "[^/]+" if name in _TEXT_FIELDS else "[0-9]{1,9}"
            # the second time a field is only passed over: `match` fills the template in to compare
            pattern += values if name in held else f"(?P<{name}>{values})"
            held.add(name)
        if not set(needed) <= held:
            raise InputError(f"template {text[:200]!r} lacks {', '.join(sorted(set(needed) - held))}")
        self._fields = held
        self._pattern = re.compile(pattern)
        self.format(**{name: "x" if name in _TEXT_FIELDS else 0 for name in fields})

    def format(self, **values: int | str) -> str:
        """The path for some values; superfluous ones are left out.

        Raises:
            InputError: It leads out of the dataset.
        """
        path = self.text.format(**{name: values[name] for name in self._fields})
        parts = path.split("/")
        if PurePosixPath(path).is_absolute() or {"\\", "\0"} & set(path) or {"", ".", ".."} & set(parts):
            raise InputError(f"path {path[:200]!r} leads out of the dataset")
        return path

    def match(self, path: str) -> dict[str, int | str] | None:
        """The values that give a path; ``None`` if none do."""
        found = self._pattern.fullmatch(path)
        if found is None:
            return None
        values: dict[str, int | str] = {
            name: text if name in _TEXT_FIELDS else int(text) for name, text in found.groupdict().items()
        }
        return values if self.text.format(**values) == path else None

"""What ``dataset.fields`` says of a folder of images: drives, clips, cameras and numbers, by their paths."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from dataengine.errors import ConfigError

PATTERNS = ("drive", "clip", "camera", "number")
LARGEST_NUMBER = 2**31 - 1
"""Frame numbers are int32 in the lake; a longer run of digits is a time or a code."""

_NUMBER_AT_END = re.compile(r"(\d+)$")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one image belongs; ``number`` is ``None`` where its name does not say."""

    drive: str
    clip: str
    camera: str
    number: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The settings of ``dataset.fields``, checked.

    Attributes:
        patterns: Regular expressions, searched in an image's path relative to the root. The value is
            the group of the setting's name, else the first group, else the whole match.
        fps: Frame numbers per second.
        options: Settings of one format alone.
    """

    patterns: Mapping[str, re.Pattern[str]]
    fps: float
    options: Mapping[str, str]

    @property
    def labels(self) -> tuple[str, ...]:
        """Label files, relative to the root; none given, they are looked for."""
        return tuple(part.strip() for part in self.options.get("labels", "").split(",") if part.strip())

    @classmethod
    def parse(cls, values: Mapping[str, str], options: Collection[str] = ()) -> Fields:
        """Check settings as a user wrote them; empty values count as not given.

        Raises:
            ConfigError: A name is unknown, a pattern is no regular expression, ``fps`` no number above 0.
        """
        known = (*PATTERNS, "fps", *options)
        given = {name: value for name, value in values.items() if value}
        for name in given:
            if name not in known:
                raise ConfigError(f"dataset.fields.{name}: no such field; choose from {', '.join(known)}")
        return cls(
            patterns={name: _compiled(name, given[name]) for name in PATTERNS if name in given},
            fps=rate(given.get("fps", "1")),
            options={name: given[name] for name in options if name in given},
        )

    def place(self, path: str) -> Place | None:
        """Where an image belongs; ``None`` if a pattern that was given is not found in its path."""
        found = {name: _search(name, pattern, path) for name, pattern in self.patterns.items()}
        if None in found.values():
            return None
        drive = found.get("drive") or folder_name(path)
        digits = found.get("number") if "number" in self.patterns else _trailing_digits(path)
        return Place(drive, found.get("clip") or "", found.get("camera") or "", _number(digits))

    def plain(self) -> dict[str, str | float]:
        """The settings as JSON values, for a fingerprint."""
        patterns = {name: pattern.pattern for name, pattern in self.patterns.items()}
        return {**patterns, "fps": self.fps, **self.options}


def folder_name(path: str) -> str:
    """The folder of an image as a name: the drive unless something else is known."""
    folder = str(PurePosixPath(path).parent)
    return "all" if folder == "." else folder.replace("/", ".")


def _compiled(name: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ConfigError(
            f"dataset.fields.{name}={pattern!r} is no regular expression ({error}); "
            r"for instance '(Town\d+)_' takes Town01 from images/Town01_000020.jpg"
        ) from error


def rate(value: str) -> float:
    """``fps`` as a number; ``ConfigError`` unless it is above 0."""
    try:
        fps = float(value)
    except ValueError:
        fps = 0.0
    if not 0 < fps <= 1e9:
        raise ConfigError(
            f"dataset.fields.fps={value} must be a number above 0: by how much the numbers of images "
            "grow in a second"
        )
    return fps


def _search(name: str, pattern: re.Pattern[str], path: str) -> str | None:
    match = pattern.search(path)
    if match is None:
        return None
    groups = match.groupdict()
    value = groups[name] if name in groups else match.group(1 if pattern.groups else 0)
    return value or None


def _trailing_digits(path: str) -> str | None:
    match = _NUMBER_AT_END.search(PurePosixPath(path).stem)
    return match.group(1) if match else None


def _number(digits: str | None) -> int | None:
    if digits is None or not digits.isascii() or not digits.isdigit() or len(digits) > 20:
        return None
    number = int(digits)
    return number if number <= LARGEST_NUMBER else None

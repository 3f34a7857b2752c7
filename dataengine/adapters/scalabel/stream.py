"""Frames out of a Scalabel or BDD100K JSON file, one by one, whatever the file's size.

Three shapes are read: a list of frames; ``{"frames": [...], "config": ...}``; and BDD100K's oldest, one
file an image, ``{"name": ..., "frames": [{"timestamp", "objects"}], "attributes": ...}``, whose single
frame has neither name nor attributes of its own. A file is decoded in pieces, so what is held is one
frame and at most ``PIECE`` characters more: BDD100K's lists have hundreds of megabytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from dataengine.errors import InputError

PIECE = 1 << 20
"""Characters read at a time."""

MAX_VALUE = 1 << 26
"""Characters that one frame may take; a longer one is taken for a quote or bracket that never closes."""

_SPACE = " \t\n\r"
_DECODER = json.JSONDecoder()


class NoFramesError(InputError):
    """A readable JSON file that holds no list of frames."""


def frames_of(path: Path) -> Iterator[dict[str, Any]]:
    """Every frame of a file, as its dictionary; one of the oldest shape gets its file's name and attributes.

    Raises:
        NoFramesError: The JSON holds something else.
        InputError: The file cannot be read, or is damaged from here on: what was yielded before stands.
    """
    try:
        with path.open(encoding="utf-8-sig") as stream:
            text = _Text(stream)
            if text.peek() == "[":
                for value in text.items():
                    yield from _flat(_frame(value))
            elif text.peek() == "{":
                yield from _frames_of_object(text, path.stem)
            elif text.peek():
                raise NoFramesError("neither a list of frames nor an object that holds one")
            else:
                raise InputError("empty file")
            if text.peek():
                raise InputError("more text after the end of its JSON")
    except RecursionError as error:
        raise InputError("nested too deep") from error
    except UnicodeDecodeError as error:
        raise InputError("no UTF-8 text") from error
    except ValueError as error:
        raise InputError(f"no JSON from some point on ({error})") from error
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})") from error


def _frames_of_object(text: _Text, stem: str) -> Iterator[dict[str, Any]]:
    """Frames of an object; those of the oldest shape wait for the object's end, where its attributes are."""
    rest: dict[str, Any] = {}
    old: list[dict[str, Any]] = []
    found = False
    for key in text.keys():  # noqa: SIM118 - no mapping: it reads on
        if key != "frames" or text.peek() != "[":
            rest[key] = text.value()
            continue
        found = True
        for value in text.items():
            frame = _frame(value)
            if "objects" in frame:
                old.append(frame)
            else:
                yield frame
    if not found:
        raise NoFramesError(f"no list of frames, but {', '.join(sorted(rest)[:5]) or 'an empty object'}")
    for frame in old:
        yield {"name": rest.get("name") or stem, "attributes": rest.get("attributes"), **frame}


def _flat(frame: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A frame, or those within it: files of the oldest shape are found joined into one list."""
    inner = frame.get("frames")
    if not isinstance(inner, list):
        yield frame
        return
    for value in inner:
        yield {"name": frame.get("name"), "attributes": frame.get("attributes"), **_frame(value)}


def _frame(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NoFramesError(f"a list of something else than frames ({type(value).__name__})")
    return value


class _Text:
    """A JSON text that is read from start to end, a value at a time."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._text = ""
        self._at = 0

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def value(self) -> Any:
        """The next value, whole."""
        self.peek()
        while True:
            try:
                found, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                # cut at the piece's end, or damaged: only more text can tell
                if len(self._text) - self._at > MAX_VALUE or not self._more():
                    raise
            else:
                if end < len(self._text) or not self._more():  # a number may go on in the next piece
                    self._at = end
                    return found

    def items(self) -> Iterator[Any]:
        """The values of the list that starts here."""
        self._take("[")
        if self._taken("]"):
            return
        while True:
            yield self.value()
            if self._taken("]"):
                return
            self._take(",")

    def keys(self) -> Iterator[str]:
        """The keys of the object that starts here; the caller reads each one's value before the next."""
        self._take("{")
        if self._taken("}"):
            return
        while True:
            if self.peek() != '"':
                self._take('"')
            key = self.value()
            self._take(":")
            yield str(key)
            if self._taken("}"):
                return
            self._take(",")

    def _taken(self, character: str) -> bool:
        if self.peek() != character:
            return False
        self._at += 1
        return True

    def _take(self, character: str) -> None:
        if not self._taken(character):
            found = self.peek()
            raise ValueError(
                f"{character!r} expected, {found!r} found" if found else f"it ends before {character!r}"
            )

    def _more(self) -> bool:
        """Drop what was read and append a piece, as long as what is left: decoding again stays linear."""
        left = self._text[self._at :]
        piece = self._stream.read(max(PIECE, len(left)))
        self._text, self._at = left + piece, 0
        return bool(piece)

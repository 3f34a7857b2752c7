"""Tables of nuScenes, record by record: each is one JSON array, and the largest holds gigabytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO, TypeVar

from dataengine.adapters.base import BrokenFileError
from dataengine.adapters.rigid import BEYOND

_CHUNK = 1 << 20
_LONGEST_RECORD = 16 << 20
"""Characters; a record of any table holds some hundreds."""
_BETWEEN = re.compile(r"[\s,]*")

T = TypeVar("T")

Table = Callable[[str, Callable[[dict[str, Any]], Any]], Iterator[Any]]
"""From a table's name, and what to make of a record, to what was made of each."""


def read(root: Path, name: str, build: Callable[[dict[str, Any]], T]) -> Iterator[T]:
    """What ``build`` makes of every record of a table.

    Args:
        root: The dataset's root.
        name: The table's path below it.
        build: From a record to what is kept of it; it may raise what comes of missing or odd fields.

    Raises:
        BrokenFileError: The file is no JSON array of objects, or ``build`` refused one of them.
    """
    for number, record in enumerate(_records(root / name, name)):
        try:
            built = build(record)
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            reason = (
                f"record {number} lacks a field, has one of the wrong type, or refers to a record that is "
                f"not there ({error!r}); fetch the tables again"
            )
            raise BrokenFileError(name, reason) from error
        yield built


def _records(path: Path, name: str) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from _array(file, name)
    except (OSError, ValueError) as error:  # UnicodeDecodeError is a ValueError
        raise BrokenFileError(name, f"not readable JSON ({error}); fetch it again") from error
    except RecursionError as error:
        raise BrokenFileError(name, "nested too deeply; fetch it again") from error


def _array(file: TextIO, name: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    text, at = file.read(_CHUNK), 0
    while not text.strip() and (more := file.read(_CHUNK)):
        text = more
    start = len(text) - len(text.lstrip())
    if text[start : start + 1] != "[":
        raise BrokenFileError(name, f"{'not a JSON array' if text.strip() else 'empty file'}; fetch it again")
    at = start + 1
    while True:
        at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
        if text[at : at + 1] == "]":
            return
        try:
            record, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            # a record that the chunk's end cuts reads on; one that is damaged ends here
            more = file.read(_CHUNK) if len(text) - at < _LONGEST_RECORD else ""
            if not more:
                reason = "cut short or damaged" if at < len(text) else "cut short"
                raise BrokenFileError(name, f"{reason}: {error.msg}; fetch it again") from error
            text, at = text[at:] + more, 0
            continue
        if not isinstance(record, dict):
            raise BrokenFileError(name, "not a JSON array of objects; fetch it again")
        yield record
        at = end


def numbers(record: dict[str, Any], key: str, count: int) -> list[float]:
    """``count`` numbers of a field, as from ``number``.

    Raises:
        ValueError: There are more or fewer.
        TypeError: One is no number.
    """
    values = [number(value) for value in record[key]]
    if len(values) != count:
        raise ValueError(f"{key} holds {len(values)} numbers, not {count}")
    return values


def number(value: Any) -> float:
    """A number; one that is beyond any quantity of a table comes out as NaN."""
    found = float(value)
    return found if abs(found) < BEYOND else float("nan")


def microseconds(record: dict[str, Any], key: str = "timestamp") -> int:
    """A time that fits a 64-bit integer."""
    value = int(record[key])
    if not 0 <= value < 1 << 62:
        raise ValueError(f"{key} {value} is no time")
    return value


def text(record: dict[str, Any], key: str) -> str:
    """A field that must be text."""
    value = record[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is no text")
    return value

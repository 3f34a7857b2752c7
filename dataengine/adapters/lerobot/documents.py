"""JSON and lines of JSON, read without trust."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dataengine.errors import InputError


def load_json(path: Path) -> Any:
    """The value of a JSON file.

    Raises:
        InputError: It cannot be read, is empty, or is no JSON.
    """
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})") from error


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Line numbers from 1 and the objects on these lines; ``None`` for a line that holds none.

    Raises:
        InputError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    value = parse(line)
                except InputError:
                    value = None
                yield number, value if isinstance(value, dict) else None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})") from error


def parse(data: bytes) -> Any:
    """The value of some JSON text; ``InputError`` if it is none."""
    if not data.strip():
        raise InputError("empty file")
    try:
        return json.loads(data.decode("utf-8-sig"))
    except RecursionError as error:
        raise InputError("JSON is nested too deeply") from error
    except ValueError as error:
        raise InputError(f"not JSON ({(str(error).splitlines() or ['?'])[0]})") from error

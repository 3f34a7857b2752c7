"""Telemetry beside a video, in a file of the same name: CSV, JSON or GPX."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from dataengine.adapters.dashcam.columns import Record, column_name, to_telemetry
from dataengine.adapters.dashcam.gpx import gpx_records
from dataengine.adapters.telemetry import Telemetry
from dataengine.errors import InputError

SUFFIXES = (".csv", ".json", ".gpx")
"""Of sidecars, the preferred first where a video has several."""

_MAX_BYTES = 64 << 20
"""An hour of 100 Hz telemetry is a third of this; what is larger is no sidecar of one video."""

_LISTS = ("records", "telemetry", "samples", "data", "points", "gps")


def read_sidecar(path: Path, start: datetime | None) -> Telemetry:
    """The signals of a sidecar; see ``dashcam.columns`` for the names and units that are understood.

    CSV has a header line and commas, semicolons or tabs. JSON is a list of records, an object with such
    a list under ``records`` (``telemetry``, ``samples``, ``data``, ``points``, ``gps``), or an object of
    equally long columns. GPX may be 1.0 or 1.1.

    Args:
        path: The file.
        start: When the video starts, by the camera's clock, if that is known.

    Raises:
        InputError: It cannot be read, or holds no telemetry; the message does not name the file.
    """
    try:
        if path.exists() and not path.is_file():
            raise InputError("not a regular file")
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"larger than {_MAX_BYTES >> 20} MB, which is no telemetry of one video")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})") from error
    if not data.strip():
        raise InputError("empty file")
    suffix = path.suffix.lower()
    if suffix == ".gpx":
        return to_telemetry(gpx_records(data), start)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 text (byte {error.start})") from error
    return to_telemetry(_csv_records(text) if suffix == ".csv" else _json_records(text), start)


def _csv_records(text: str) -> Iterable[Record]:
    text = text.lstrip()
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise InputError(f"not CSV ({error})") from error
    names = [column_name(name) for name in rows[0]] if rows else []
    return (dict(zip(names, row, strict=False)) for row in rows[1:])


def _json_records(text: str) -> Iterable[Record]:
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise InputError("JSON is nested too deeply") from error
    except ValueError as error:
        raise InputError(f"not JSON ({error})") from error
    if isinstance(value, dict):
        value = next((value[name] for name in _LISTS if isinstance(value.get(name), list)), value)
    if isinstance(value, dict):
        value = _from_columns(value)
    if not isinstance(value, list) or not any(isinstance(record, dict) for record in value):
        raise InputError("holds no list of records")
    return (
        {column_name(str(name)): entry for name, entry in record.items()}
        for record in value
        if isinstance(record, dict)
    )


def _from_columns(value: dict[str, Any]) -> list[dict[str, Any]]:
    columns = {name: column for name, column in value.items() if isinstance(column, list)}
    if len({len(column) for column in columns.values()}) != 1:
        raise InputError("holds neither records nor equally long columns")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

"""What the rows of a LeRobot episode hold: signals and packed images.

A row is a frame: ``timestamp`` (seconds since the episode's start), ``frame_index``, ``episode_index``,
``index``, ``task_index``, and a column for each feature that is no video.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dataengine.adapters.lerobot.tables import Floats, is_list, matrix, numbers, opened
from dataengine.adapters.telemetry import Between, Signal
from dataengine.errors import InputError

_BOOKKEEPING = frozenset({"timestamp", "frame_index", "episode_index", "index", "task_index"})
_MOST_VALUES = 1024
"""Columns with more values a row than this are no signal of a robot (embeddings, clouds of points)."""
_BATCH_IMAGES = 16


def signals(path: Path, episode: int | None, fps: float) -> dict[str, Signal]:
    """Every numeric feature of an episode: states are read linearly, actions hold until the next.

    Floats of any name count, integers where they are an observation or an action. Nested lists (chunks of
    actions) are flattened row by row; a column whose rows differ in length is left out.

    Args:
        path: The table.
        episode: Rows of which episode; ``None`` for all rows.
        fps: Tells the times of rows in a table without any.

    Raises:
        InputError: The table cannot be read, or its times are none.
    """
    found: dict[str, Signal] = {}
    with opened(path) as table:
        names = [name for name, kind in table.columns.items() if _is_signal(name, kind)]
        rows = table.rows(["timestamp", "frame_index", *names], episode)
        if not rows.num_rows:
            return found
        times = _times(rows, fps)
        for name in names:
            values = matrix(rows[name])
            if values is not None and values.size <= _MOST_VALUES * len(values):
                held = name.startswith(("action", "next."))
                between = Between.previous if held else Between.linear
                found[name] = Signal(time_s=times, values=values, between=between)
    return found


def images(path: Path, episode: int | None, key: str, fps: float) -> Iterator[tuple[int, float, bytes]]:
    """Frame number, time in seconds and compressed bytes of each image of an episode, in order.

    Raises:
        InputError: The table cannot be read, or a row holds no image.
    """
    with opened(path) as table:
        if key not in table.columns:
            raise InputError(f"has no column {key}")
        number = -1
        for rows in table.batches(["timestamp", "frame_index", key], episode, _BATCH_IMAGES):
            times = _times(rows, fps, first=number + 1)
            stated = numbers(rows, "frame_index")
            for row, packed in enumerate(rows[key].to_pylist()):
                before, number = number, number + 1 if stated is None else _whole(stated[row])
                if number <= before:
                    raise InputError(f"frame_index does not rise after {before}")
                data = packed.get("bytes") if isinstance(packed, dict) else None
                if not data:
                    raise InputError(f"frame {number} holds no image")
                yield number, float(times[row]), data


def image_columns(path: Path) -> tuple[str, ...]:
    """Columns that hold packed images; none where the table cannot be read."""
    try:
        with opened(path) as table:
            return tuple(
                name
                for name, kind in table.columns.items()
                if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0
            )
    except InputError:
        return ()


def frame_rate(path: Path) -> float | None:
    """Frames per second by a table's own times; ``None`` where they do not tell."""
    times = _column(path, "timestamp")
    steps = np.diff(times[:1000]) if times is not None else np.zeros(0)
    steps = steps[np.isfinite(steps) & (steps > 1e-4)]
    return round(float(1 / np.median(steps)), 3) if len(steps) else None


def task_number(path: Path) -> int | None:
    """The task of a table's first row; ``None`` where it does not tell."""
    tasks = _column(path, "task_index")
    return int(tasks[0]) if tasks is not None and len(tasks) and np.isfinite(tasks[0]) else None


def _column(path: Path, name: str) -> Floats | None:
    try:
        with opened(path) as table:
            return numbers(table.rows([name]), name)
    except InputError:
        return None


def _times(rows: Any, fps: float, first: int = 0) -> Floats:
    times = numbers(rows, "timestamp")
    if times is None:
        stated = numbers(rows, "frame_index")
        times = (np.arange(first, first + rows.num_rows) if stated is None else stated) / fps
    if not np.isfinite(times).all() or (np.diff(times) < 0).any():
        raise InputError("timestamps are no numbers or go backwards")
    return times


def _whole(value: float) -> int:
    if not 0 <= value < 2**31:
        raise InputError(f"frame_index {value:g} is no frame number")
    return int(value)


def _is_signal(name: str, kind: pa.DataType) -> bool:
    if name in _BOOKKEEPING:
        return False
    while is_list(kind):
        kind = kind.value_type
    whole = pa.types.is_integer(kind) and name.startswith(("observation", "action"))
    return bool(whole or pa.types.is_floating(kind))

"""Rows of LeRobot's data tables: signals and packed images of one episode.

A row is a frame: ``timestamp`` (seconds since the episode's start), ``frame_index``, ``episode_index``,
``index``, ``task_index``, and a column for each feature that is no video.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dataengine.adapters.telemetry import Between, Signal
from dataengine.errors import InputError

Floats = NDArray[np.float64]

_BOOKKEEPING = frozenset({"timestamp", "frame_index", "episode_index", "index", "task_index"})
_FAULTS = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError, MemoryError)
"""What pyarrow raises for tables that are torn, flipped or not what they say."""
_MOST_VALUES = 1024
"""Columns with more values a row than this are no signal of a robot (embeddings, clouds of points)."""
_BATCH_IMAGES = 16


def image_columns(path: Path) -> tuple[str, ...]:
    """Columns that hold packed images; none where the table cannot be read."""
    try:
        with _opened(path) as table:
            return tuple(
                str(column.name)
                for column in table.schema_arrow
                if pa.types.is_struct(column.type) and column.type.get_field_index("bytes") >= 0
            )
    except InputError:
        return ()


def frame_rate(path: Path) -> float | None:
    """Frames per second by a table's own times; ``None`` where they do not tell."""
    try:
        with _guarded():
            times = _numbers(episode_rows(path, None, ["timestamp"]), "timestamp")
    except InputError:
        return None
    steps = np.diff(times[:1000]) if times is not None else np.zeros(0)
    steps = steps[np.isfinite(steps) & (steps > 1e-4)]
    return round(float(1 / np.median(steps)), 3) if len(steps) else None


def task_number(path: Path) -> int | None:
    """The task of a table's first row; ``None`` where it does not tell."""
    try:
        with _guarded():
            tasks = _numbers(episode_rows(path, None, ["task_index"]), "task_index")
    except InputError:
        return None
    return int(tasks[0]) if tasks is not None and len(tasks) and np.isfinite(tasks[0]) else None


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
    with _opened(path) as table:
        schema = table.schema_arrow
        names = [column.name for column in schema if _is_signal(column.name, column.type)]
        clock = [name for name in ("timestamp", "frame_index") if name in schema.names]
        rows = episode_rows(path, episode, [*clock, *names])
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
    with _opened(path) as table:
        names = table.schema_arrow.names
        if key not in names:
            raise InputError(f"has no column {key}")
        clock = [name for name in ("timestamp", "frame_index") if name in names]
        number = -1
        for rows in _batches(path, episode, [*clock, key], _BATCH_IMAGES):
            times = _times(rows, fps, first=number + 1)
            numbers = _numbers(rows, "frame_index")
            for row, packed in enumerate(rows[key].to_pylist()):
                before, number = number, number + 1 if numbers is None else _whole(numbers[row])
                if number <= before:
                    raise InputError(f"frame_index does not rise after {before}")
                data = packed.get("bytes") if isinstance(packed, dict) else None
                if not data:
                    raise InputError(f"frame {number} holds no image")
                yield number, float(times[row]), data


def episode_rows(path: Path, episode: int | None, columns: Sequence[str]) -> pa.Table:
    """The rows of one episode, or all, as a table of some columns; those that are not there are left out.

    Raises:
        InputError: The table cannot be read.
    """
    batches = list(_batches(path, episode, columns, 65_536))
    return pa.Table.from_batches(batches) if batches else pa.table({})


def read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Every row of a small table as a dictionary; columns that are not there are left out.

    Raises:
        InputError: The table cannot be read.
    """
    with _guarded():
        rows: list[dict[str, Any]] = episode_rows(path, None, columns).to_pylist()
        return rows


def matrix(column: Any) -> Floats | None:
    """``[N]`` or ``[N, D]`` float64 of a column of numbers or of equally long lists; NaN for what is null.

    ``None`` where rows differ in length.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if array.null_count and _is_list(array.type):
        known = matrix(array.drop_null())
        if known is None or known.ndim < 2:
            return None
        values = np.full((len(array), known.shape[1]), np.nan)
        values[np.asarray(array.is_valid())] = known
        return values
    if not _is_list(array.type):
        return np.asarray(array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
    lengths = pc.unique(pc.list_value_length(array)).to_pylist()
    if len(lengths) != 1 or not lengths[0]:
        return None
    inner = matrix(array.flatten())
    return None if inner is None else inner.reshape(len(array), -1)


def _batches(path: Path, episode: int | None, columns: Sequence[str], size: int) -> Iterator[pa.RecordBatch]:
    with _opened(path) as table:
        held = [name for name in columns if name in table.schema_arrow.names]
        if episode is not None and "episode_index" not in table.schema_arrow.names:
            raise InputError("has no column episode_index")
        wanted = [*held, "episode_index"] if episode is not None and "episode_index" not in held else held
        for batch in table.iter_batches(size, row_groups=_groups(table, episode), columns=wanted):
            rows = pa.Table.from_batches([batch])
            if episode is not None:
                rows = rows.filter(pc.equal(rows["episode_index"], episode))
            if rows.num_rows:
                yield from rows.select(held).combine_chunks().to_batches()


def _groups(table: pq.ParquetFile, episode: int | None) -> list[int]:
    """Row groups that hold rows of an episode, so that no other's states and images are read.

    Told by the column itself: asking for its statistics ends the process (pyarrow 26) where the footer
    is damaged.
    """
    groups = list(range(table.num_row_groups))
    if episode is None:
        return groups
    numbers = (table.read_row_group(group, columns=["episode_index"])["episode_index"] for group in groups)
    return [
        group
        for group, column in zip(groups, numbers, strict=True)
        if episode in pc.unique(column).to_pylist()
    ]


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    """An open table, guarded."""
    with _guarded(), pq.ParquetFile(path) as table:
        yield table


@contextmanager
def _guarded() -> Iterator[None]:
    """Whatever turns out to be wrong with a table while it is opened or read is an ``InputError``."""
    try:
        yield
    except _FAULTS as error:
        raise InputError(f"not a readable table ({(str(error).splitlines() or ['?'])[0]})") from error


def _times(rows: Any, fps: float, first: int = 0) -> Floats:
    times = _numbers(rows, "timestamp")
    if times is None:
        numbers = _numbers(rows, "frame_index")
        times = (np.arange(first, first + rows.num_rows) if numbers is None else numbers) / fps
    if not np.isfinite(times).all() or (np.diff(times) < 0).any():
        raise InputError("timestamps are no numbers or go backwards")
    return times


def _numbers(rows: Any, name: str) -> Floats | None:
    """``[N]`` values of a column of scalars or lists of one; ``None`` where it is absent or no such thing."""
    if name not in rows.schema.names:
        return None
    kind = rows.schema.field(name).type
    if not _is_number(kind) and not (_is_list(kind) and _is_number(kind.value_type)):
        return None
    values = matrix(rows[name])
    return None if values is None or values.size != rows.num_rows else values.ravel()


def _whole(value: float) -> int:
    if not 0 <= value < 2**31:
        raise InputError(f"frame_index {value:g} is no frame number")
    return int(value)


def _is_signal(name: str, kind: pa.DataType) -> bool:
    if name in _BOOKKEEPING:
        return False
    while _is_list(kind):
        kind = kind.value_type
    whole = pa.types.is_integer(kind) and name.startswith(("observation", "action"))
    return bool(whole or pa.types.is_floating(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))

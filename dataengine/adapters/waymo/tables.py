"""Parquet components of Waymo's perception data, read by column and, for images, a few rows at a time.

A column is called after its component: ``[CameraBoxComponent].box.center.x``; the columns that rows
are joined on are ``key.*``. Published files hold an ``index`` column too, which says nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dataengine.adapters.base import BrokenFileError
from dataengine.errors import first_line

SEGMENT, TIME, CAMERA = "key.segment_context_name", "key.frame_timestamp_micros", "key.camera_name"

_BATCH_ROWS = 4
"""Images in memory at once; a JPEG of 1920x1280 has about 400 kB."""
_BUFFER_BYTES = 1 << 20


def columns(root: Path, name: str, wanted: Mapping[str, pa.DataType]) -> dict[str, NDArray[Any]]:
    """Some columns of a component, whole.

    Args:
        root: The dataset's root.
        name: The file's path below it.
        wanted: Column -> type to read it as. Floating numbers come with NaN for null, text as objects with
            an empty one for null, lists of one length as ``[N, length]``.

    Raises:
        BrokenFileError: The file cannot be read, lacks a column, or one is of another type, or a whole
            number is null.
    """
    with _opened(root, name) as file:
        lacking = [column for column in wanted if column not in file.schema_arrow.names]
        if lacking:
            raise BrokenFileError(name, f"lacks the column {lacking[0]}; fetch it again")
        table = file.read(list(wanted))
        return {column: _values(table[column].combine_chunks(), kind) for column, kind in wanted.items()}


def has_columns(root: Path, name: str, wanted: Mapping[str, pa.DataType]) -> bool:
    """Whether a component has all of some columns; ``BrokenFileError`` if it cannot be read."""
    with _opened(root, name) as file:
        return set(wanted) <= set(file.schema_arrow.names)


def blobs(root: Path, name: str, column: str, rows: NDArray[np.int64]) -> Iterator[bytes]:
    """The bytes in some rows of a column, in the order asked for.

    A row group's column is streamed by its pages, and never held whole where it has several. (Arrow's
    writer checks a page's size every 1,024 rows unless told otherwise: a smaller group is one page.) Rows
    in the order of the file are read in one pass; each step back begins another.

    Raises:
        BrokenFileError: The file cannot be read, or from some row on.
    """
    steps_back = np.flatnonzero(np.diff(rows) < 0) + 1
    for run in np.split(rows, steps_back):
        with _opened(root, name) as file:
            sizes = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
            starts = np.cumsum([0, *sizes])
            for group in range(file.num_row_groups):
                here = run[(run >= starts[group]) & (run < starts[group + 1])] - starts[group]
                if len(here):
                    yield from _group_blobs(file, group, column, here)


def _group_blobs(file: pq.ParquetFile, group: int, column: str, rows: NDArray[np.int64]) -> Iterator[bytes]:
    first = 0
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, row_groups=[group], columns=[column]):
        for row in rows[(rows >= first) & (rows < first + batch.num_rows)]:
            value = batch.column(0)[int(row) - first].as_py()
            yield value if isinstance(value, bytes) else b""
        first += batch.num_rows
        if first > rows[-1]:
            return


@contextmanager
def _opened(root: Path, name: str) -> Iterator[pq.ParquetFile]:
    """Open a component; whatever Arrow finds wrong in it, then or later, names the file."""
    try:
        with pq.ParquetFile(root / name, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file:
            yield file
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise BrokenFileError(name, f"not readable Parquet ({first_line(error)}); fetch it again") from error


def _values(column: pa.Array, kind: pa.DataType) -> NDArray[Any]:
    if pa.types.is_fixed_size_list(kind):
        lists = column.cast(pa.list_(kind.value_type))
        values = lists.flatten().to_numpy(zero_copy_only=False)
        if lists.null_count or len(values) != len(lists) * kind.list_size:
            raise ValueError(f"a list is not of {kind.list_size} numbers")
        return np.asarray(values, np.float64).reshape(len(lists), kind.list_size)
    column = column.cast(kind)
    if pa.types.is_string(kind):
        column = column.fill_null("")
    elif column.null_count and not pa.types.is_floating(kind):
        raise ValueError("a key or a type is null")
    return np.asarray(column.to_numpy(zero_copy_only=False))

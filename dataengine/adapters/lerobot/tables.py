"""LeRobot's parquet files, read without trust: rows of one episode, and columns as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dataengine.errors import InputError

Floats = NDArray[np.float64]

EPISODE = "episode_index"
_FAULTS = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError, MemoryError)
"""What pyarrow raises for tables that are torn, flipped or not what they say."""
_BATCH_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class Table:
    """An open table; use it within ``opened``, which guards what is read from it."""

    path: Path
    file: pq.ParquetFile

    @property
    def columns(self) -> dict[str, pa.DataType]:
        """Type of each column, by name."""
        return {column.name: column.type for column in self.file.schema_arrow}

    def batches(
        self, columns: Sequence[str], episode: int | None = None, size: int = _BATCH_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Rows of one episode, or all, a few at a time; columns that are not there are left out."""
        there = self.columns
        wanted = [name for name in columns if name in there]
        groups = list(range(self.file.num_row_groups))
        if episode is None:
            yield from self.file.iter_batches(size, row_groups=groups, columns=wanted)
            return
        if EPISODE not in there:
            raise InputError(f"has no column {EPISODE}")
        status = self.path.stat()
        held_by = _episodes_by_group(self.path, status.st_mtime_ns, status.st_size)
        groups = [group for group in groups if episode in held_by[group]]
        for batch in self.file.iter_batches(size, row_groups=groups, columns=list({*wanted, EPISODE})):
            rows = pa.Table.from_batches([batch])
            rows = rows.filter(pc.equal(rows[EPISODE], episode)).select(wanted)
            if rows.num_rows:
                yield from rows.combine_chunks().to_batches()

    def rows(self, columns: Sequence[str], episode: int | None = None) -> pa.Table:
        """All that ``batches`` gives, as one table."""
        batches = list(self.batches(columns, episode))
        return pa.Table.from_batches(batches) if batches else pa.table({})


@contextmanager
def opened(path: Path) -> Iterator[Table]:
    """An open table; whatever turns out to be wrong with it, now or later, is an ``InputError``."""
    try:
        with pq.ParquetFile(path) as file:
            yield Table(path, file)
    except _FAULTS as error:
        raise InputError(f"not a readable table ({(str(error).splitlines() or ['?'])[0]})") from error


def read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Every row of a small table as a dictionary; columns that are not there are left out.

    Raises:
        InputError: The table cannot be read.
    """
    with opened(path) as table:
        rows: list[dict[str, Any]] = table.rows(columns).to_pylist()
        return rows


def numbers(rows: Any, name: str) -> Floats | None:
    """``[N]`` values of a column of scalars or lists of one; ``None`` where it is absent or no such thing."""
    if name not in rows.schema.names:
        return None
    kind = rows.schema.field(name).type
    if not is_number(kind.value_type if is_list(kind) else kind):
        return None
    values = matrix(rows[name])
    return None if values is None or values.size != rows.num_rows else values.ravel()


def matrix(column: Any) -> Floats | None:
    """``[N]`` or ``[N, D]`` float64 of a column of numbers or of equally long lists; NaN for what is null.

    Lists within lists are flattened row by row. ``None`` where rows differ in length.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if array.null_count and is_list(array.type):
        known = matrix(array.drop_null())
        if known is None or known.ndim < 2:
            return None
        values = np.full((len(array), known.shape[1]), np.nan)
        values[np.asarray(array.is_valid())] = known
        return values
    if not is_list(array.type):
        return np.asarray(array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
    lengths = pc.unique(pc.list_value_length(array)).to_pylist()
    if len(lengths) != 1 or not lengths[0]:
        return None
    inner = matrix(array.flatten())
    return None if inner is None else inner.reshape(len(array), -1)


def is_number(kind: pa.DataType) -> bool:
    """Whether a type is a float or an integer."""
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def is_list(kind: pa.DataType) -> bool:
    """Whether a type is a list of any sort."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


@lru_cache(maxsize=4)
def _episodes_by_group(path: Path, _mtime_ns: int, _size: int) -> list[frozenset[int]]:
    """The episodes in each row group, so that no other's states and images are read; many ask in a row.

    Told by the column itself: asking for its statistics ends the process (pyarrow 26) where the footer
    is damaged.
    """
    with opened(path) as table:
        columns = (
            table.file.read_row_group(group, columns=[EPISODE])[EPISODE]
            for group in range(table.file.num_row_groups)
        )
        return [frozenset(pc.unique(column).to_pylist()) for column in columns]

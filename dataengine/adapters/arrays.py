"""NumPy arrays on disk, read without trust: the header is checked before the data, nothing is unpickled."""

from __future__ import annotations

import math
import tokenize
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dataengine.errors import InputError, first_line

_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_HEADER_FAULTS = (
    OSError,
    ValueError,
    TypeError,
    EOFError,
    OverflowError,
    RecursionError,
    MemoryError,
    SyntaxError,
    tokenize.TokenError,
)
"""A header is a Python literal, which NumPy parses, and parses again as Python 2's if it cannot."""
_NUMBERS = "fiu"
"""Kinds of dtype that are measurements: floats and integers."""


def check_array(path: Path, columns: int) -> int:
    """The number of rows of an array file, told from its header and size alone.

    Args:
        path: A ``.npy`` file, whatever its name.
        columns: Values a row: ``[N]`` and ``[N, 1]`` have one.

    Raises:
        InputError: It is no array, not of numbers, of another shape, or shorter than its header says.
    """
    shape, dtype, offset = _header(path)
    if dtype.kind not in _NUMBERS:
        raise InputError(f"array of {dtype}, not of numbers")
    if not 1 <= len(shape) <= 2 or shape[0] < 0 or (shape[1:] or (1,)) != (columns,):
        wanted = f"N x {columns}" if columns > 1 else "N"
        raise InputError(f"array of {' x '.join(map(str, shape)) or 'no'} values; {wanted} are needed")
    needed = offset + math.prod(shape) * dtype.itemsize
    held = path.stat().st_size
    if held < needed:
        raise InputError(f"cut short: {held:,} bytes of {needed:,}")
    return shape[0]


def read_array(path: Path, columns: int) -> NDArray[np.float64]:
    """``[N, columns]`` float64 values of an array file.

    Raises:
        InputError: As ``check_array``.
    """
    rows = check_array(path, columns)
    try:
        with warnings.catch_warnings(action="ignore"):  # as in the header
            stored = np.asarray(np.load(path, allow_pickle=False), np.float64)
    except (OSError, ValueError) as error:
        raise InputError(f"not a readable array ({first_line(error)})") from error
    return stored.reshape(rows, columns)


def in_time_order(
    time_s: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measurements sorted by time, without those whose time is no number; loggers write a few late."""
    known = np.flatnonzero(np.isfinite(time_s))
    order = known[np.argsort(time_s[known], kind="stable")]
    return time_s[order], values[order]


def _header(path: Path) -> tuple[tuple[int, ...], np.dtype[np.generic], int]:
    """Shape, dtype and where the data starts."""
    try:
        with path.open("rb") as file, warnings.catch_warnings(action="ignore"):
            # Python 2 wrote some of these, and NumPy warns of its long integers
            version = np.lib.format.read_magic(file)
            if version not in _HEADER_READERS:
                raise InputError(f"array of format version {version[0]}.{version[1]}")
            shape, _, dtype = _HEADER_READERS[version](file)
            return shape, dtype, file.tell()
    except _HEADER_FAULTS as error:
        if not path.exists() or path.stat().st_size:
            raise InputError(f"not a NumPy array ({first_line(error)})") from error
        raise InputError("empty file") from error

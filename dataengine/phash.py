"""The perceptual hash of ``imagehash.phash``, bit for bit, in a fraction of its time.

Grey levels as Pillow rounds them are reduced to 32x32 by Pillow's Lanczos filter; a DCT-II follows, and
one bit for each of the 64 lowest frequencies that lies above their median. Pillow reduces in integers.
Here most pixels of the reduction come from products in single precision, whose error has a bound
(Higham: Accuracy and Stability of Numerical Algorithms, 3.1); the few that lie within this bound of a
half are computed again, exactly. So the bits agree, and agree on every machine.

One nuance: rows are reduced before columns, as Pillow always did; Pillow 13 swaps the two passes for
images about twice as tall as wide and for some smaller than 64 pixels, which moves two to six bits of
the noisiest of those.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

_SIDE = 32
_BITS_SIDE = 8
_LOBES = 3
_ONE = 1 << 22
"""Pillow's weights are integers that add up to this."""
_WIDE = 200
"""From this width of the filter on, two columns at a time are the fastest; below, eight."""


_STRIP = 1 << 18
"""Pixels that are reduced at once: they stay in a core's cache."""
_AT_ONCE = 64
_own = threading.local()


@dataclass(frozen=True, slots=True)
class _Filter:
    """Pillow's filter from ``size`` pixels to 32.

    Attributes:
        starts: ``[32]`` first input pixel of each output pixel.
        weights: ``[32, width]`` integer weights from there on, as float64.
        groups: Columns of the input, columns of the output, and the weights between them as shares of 1,
            float32 (exactly: they have at most 24 bits).
        error: Bound on the error of a product in single precision, in grey levels.
    """

    starts: NDArray[np.intp]
    weights: NDArray[np.float64]
    groups: tuple[tuple[slice, slice, NDArray[np.float32]], ...]
    error: float


def perceptual_hash(grey: NDArray[np.uint8]) -> int:
    """The 64 bits of ``imagehash.phash`` for ``[H, W]`` grey levels; the first bit is the highest."""
    small = _reduce_exactly(_reduce(grey).T).T
    basis = _dct_basis()
    # rounding takes the transform's own noise out, so that a flat image hashes alike everywhere
    low = np.round(basis @ small @ basis.T, 6)
    ordered = np.sort(low, axis=None)
    median = (ordered[31] + ordered[32]) / 2  # np.median itself costs more than the DCT
    return int.from_bytes(np.packbits((low > median).ravel()).tobytes(), "big")


def _reduce_exactly(grey: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Pillow's Lanczos reduction of the columns of ``[H, W]`` to ``[H, 32]``; dear, where H is large."""
    # whole numbers below 2**53: no order of the sum makes a difference
    return _rounded(grey.astype(np.float64) @ _dense(grey.shape[1]))


def _reduce(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same in single precision, with the few pixels computed again that it does not decide."""
    lanczos = _filter(grey.shape[1])
    sums = np.empty((len(grey), _SIDE), np.float32)
    levels = _scratch(grey.shape[1])
    for first in range(0, len(grey), len(levels)):
        strip = grey[first : first + len(levels)]
        levels = levels[: len(strip)]
        np.copyto(levels, strip)
        for inputs, outputs, weights in lanczos.groups:
            np.matmul(levels[:, inputs], weights, out=sums[first : first + len(strip), outputs])
    # rounded and clipped to 0..255, once from below and once from above
    reduced: NDArray[np.uint8] = np.asarray(cv2.add(sums, -lanczos.error, dtype=cv2.CV_8U), np.uint8)  # type: ignore[call-overload]
    undecided = np.flatnonzero(reduced != cv2.add(sums, lanczos.error, dtype=cv2.CV_8U))  # type: ignore[call-overload]
    if len(undecided):
        windows = sliding_window_view(grey, lanczos.weights.shape[1], axis=1)
        for first in range(0, len(undecided), _AT_ONCE):
            row, column = np.divmod(undecided[first : first + _AT_ONCE], _SIDE)
            pixels = windows[row, lanczos.starts[column]].astype(np.float64)
            reduced[row, column] = _rounded(np.einsum("np,np->n", pixels, lanczos.weights[column]))
    return reduced


def _rounded(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of levels and integer weights as levels, rounded and clipped as Pillow does."""
    sums += _ONE / 2
    sums /= _ONE
    levels: NDArray[np.float64] = np.clip(np.floor(sums, out=sums), 0, 255, out=sums)
    return levels


def _scratch(width: int) -> NDArray[np.float32]:
    """Rows of ``width`` to compute in, this thread's own: fresh memory costs more than the arithmetic."""
    if getattr(_own, "memory", np.empty(0)).size < max(width, _STRIP):
        _own.memory = np.empty(max(width, _STRIP), np.float32)
    rows = max(_STRIP // width, 1)
    strip: NDArray[np.float32] = _own.memory[: rows * width].reshape(rows, width)
    return strip


@lru_cache(maxsize=64)
def _filter(size: int) -> _Filter:
    bands = _bands(size)
    width = max(len(band) for _, band in bands)
    starts = np.array([min(start, size - width) for start, _ in bands])
    weights = np.zeros((_SIDE, width))
    for column, (start, band) in enumerate(bands):
        before = start - starts[column]
        weights[column, before : before + len(band)] = band
    at_once = 2 if width >= _WIDE else 8
    groups = []
    for first in range(0, _SIDE, at_once):
        begin, end = starts[first], starts[first + at_once - 1] + width
        block = np.zeros((end - begin, at_once), np.float32)
        for column in range(at_once):
            before = starts[first + column] - begin
            block[before : before + width, column] = weights[first + column] / _ONE
        groups.append((slice(begin, end), slice(first, first + at_once), block))
    unit = 2.0**-24
    rounded = (width + 2) * unit / (1 - (width + 2) * unit)
    most = 255 * np.abs(weights).sum(1).max() / _ONE
    return _Filter(starts, weights, tuple(groups), float(rounded * most) + 512 * unit)


@lru_cache(maxsize=16)
def _dense(size: int) -> NDArray[np.float64]:
    """``[size, 32]``: the integer weights with their zeros."""
    dense = np.zeros((size, _SIDE))
    for column, (start, band) in enumerate(_bands(size)):
        dense[start : start + len(band), column] = band
    return dense


def _bands(size: int) -> list[tuple[int, NDArray[np.float64]]]:
    """First input pixel and integer weights of each of the 32 output pixels (Pillow, Resample.c)."""
    scale = size / _SIDE
    stretch = max(scale, 1.0)
    support = _LOBES * stretch
    bands = []
    for column in range(_SIDE):
        centre = (column + 0.5) * scale
        start = max(int(centre - support + 0.5), 0)
        stop = min(int(centre + support + 0.5), size)
        x = (np.arange(start, stop) - centre + 0.5) / stretch
        weights = np.where(np.abs(x) < _LOBES, np.sinc(x) * np.sinc(x / _LOBES), 0.0)
        scaled = weights / weights.sum() * _ONE
        # C's cast after adding a half away from zero
        bands.append((start, np.trunc(scaled + np.copysign(0.5, scaled))))
    return bands


@lru_cache(maxsize=1)
def _dct_basis() -> NDArray[np.float64]:
    """The 8 lowest rows of the unnormalised DCT-II of length 32: ``2 cos(pi k (2n + 1) / 64)``."""
    rows = np.arange(_BITS_SIDE)[:, None]
    columns = np.arange(_SIDE)[None]
    basis: NDArray[np.float64] = 2 * np.cos(np.pi * rows * (2 * columns + 1) / (2 * _SIDE))
    return basis

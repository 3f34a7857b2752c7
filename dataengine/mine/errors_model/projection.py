"""Vectors of a network reduced to a few directions: principal components, of spread 1 where wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_ROWS = 20_000
"""Rows that directions are learned from; evenly spaced ones where there are more."""

LEAST_SHARE = 1e-3
"""Directions with less than this share of the strongest one's variance are noise, and are not stretched."""

BLOCK = 200_000
"""Rows projected at once: bounds the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """A linear map to fewer directions.

    Attributes:
        mean: ``[E]`` subtracted first.
        matrix: ``[E, D]``; D may be 0, where the rows are all the same or there are none.
    """

    mean: NDArray[np.float32]
    matrix: NDArray[np.float32]

    @classmethod
    def of(cls, rows: NDArray[Any], dim: int, *, whiten: bool = True) -> Projection:
        """The ``dim`` strongest directions of ``[N, E]`` rows.

        Args:
            rows: Vectors; rows that are not finite are left out.
            dim: Directions at most.
            whiten: Bring each direction to a spread of 1, so that distances are counted in spreads.
        """
        step = max(1, -(-len(rows) // MOST_ROWS))
        kept = np.asarray(rows[::step], np.float64)
        with np.errstate(over="ignore"):
            kept = kept[np.isfinite(kept).all(axis=1) & (np.abs(kept).max(axis=1, initial=0) < 1e15)]
        none = np.zeros((rows.shape[1], 0), np.float32)
        if len(kept) < 2 or not rows.shape[1]:
            return cls(mean=np.zeros(rows.shape[1], np.float32), matrix=none)
        mean = kept.mean(axis=0)
        variance, directions = np.linalg.eigh(np.cov(kept - mean, rowvar=False).reshape(len(mean), -1))
        strong = np.flatnonzero(variance > max(LEAST_SHARE * variance[-1], 1e-12))[::-1][:dim]
        matrix = directions[:, strong]
        # a direction's sign is arbitrary: make the largest entry positive, the same on every machine
        matrix = matrix * np.sign(matrix[np.abs(matrix).argmax(axis=0), np.arange(len(strong))])
        if whiten:
            matrix = matrix / np.sqrt(variance[strong])
        return cls(mean=mean.astype(np.float32), matrix=matrix.astype(np.float32))

    @property
    def dim(self) -> int:
        """Number of directions."""
        return int(self.matrix.shape[1])

    def __call__(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """``[N, D]`` projected rows; one that is not finite lands at 0, in the middle of all."""
        answer = np.zeros((len(rows), self.dim), np.float32)
        for begin in range(0, len(rows), BLOCK):
            part = slice(begin, begin + BLOCK)
            with np.errstate(all="ignore"):
                found = (rows[part].astype(np.float32) - self.mean) @ self.matrix
            lost = np.logical_not(np.isfinite(found)).max(axis=1, initial=False)
            found[lost] = 0
            answer[part] = found
        return answer

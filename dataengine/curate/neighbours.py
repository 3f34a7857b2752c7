"""Exact neighbours within a cosine distance, among millions of embeddings, in bounded memory.

Brute force compares a million embeddings of 256 numbers 5e11 times. Two bounds, neither of which can
lose a pair, leave a small part of that:

* **Sketch.** In an orthonormal basis, split a unit vector into its leading numbers ``a`` and the rest
  ``b``. Then ``x . y = ax . ay + bx . by <= ax . ay + |bx| |by|`` (Cauchy and Schwarz), so the vector
  ``(a, |b|)``, again of length one, is never further from another than the whole vectors are. The basis is
  that of the principal components, which makes the bound tight.
* **Cells.** Sketches are grouped around centres (k-means). A sketch within ``r`` of one in another
  centre's cell is within ``r`` of the plane that parts the two, whose distance follows from those to the
  centres.

What passes both is decided on the whole vectors, in double precision near the threshold.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from dataengine.curate.embedding import Vectors

SKETCH = 32
"""Leading principal components kept in a sketch."""
SLACK = 1e-5
"""What rounding may move a bound by."""
SAMPLE = 32_768
"""Vectors that the basis and the centres are fitted to."""
PER_CELL, MOST_CELLS = 500, 1024
"""Vectors for which one cell is made, and the most cells."""
ROUNDS = 6
"""Rounds of k-means; the result is exact with any centres, only slower with poor ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Neighbours found.

    Attributes:
        query: ``[P]`` int64, rows of the vectors that were asked about.
        found: ``[P]`` int64, rows of their neighbours.
        distance: ``[P]`` float64 cosine distance, 0..2.
    """

    query: NDArray[np.int64]
    found: NDArray[np.int64]
    distance: NDArray[np.float64]


class Index:
    """Vectors that can be asked for those within a distance; starts empty.

    Memory beside the vectors: 0.3 KB for each.

    Args:
        vectors: All vectors that will be added or asked about.
        distance: Cosine distance, 0..2, within which two are neighbours; equal counts.
        apart: ``[N]`` codes: two vectors with the same one are never neighbours (frames of one clip);
            ``None`` where any two may be.
    """

    def __init__(self, vectors: Vectors, distance: float, apart: NDArray[np.integer] | None = None) -> None:
        self.vectors = vectors
        self.distance = distance
        self.apart = apart
        self._radius = float(np.sqrt(2 * distance)) + 1e-3
        self._bound = np.float32(1 - distance - SLACK)
        with one_thread():
            self._sketch = _sketch(vectors)
            self._centres = _centres(self._sketch)
            between = _squared(self._centres, self._centres)
            self._between = 2 * np.sqrt(np.maximum(between, 1e-12), dtype=np.float32)
            self.cell, self._reach = self._assign()
        sizes = np.bincount(self.cell, minlength=len(self._centres))
        self._begin = np.concatenate([[0], np.cumsum(sizes)])
        self._filled = self._begin[:-1].copy()
        self._rows = np.empty(len(vectors), np.int64)
        self._inside = np.empty_like(self._sketch)

    def add(self, rows: NDArray[np.int64]) -> None:
        """Let the given rows be found from now on; each at most once."""
        ordered = rows[np.argsort(self.cell[rows], kind="stable")]
        cells, counts = np.unique(self.cell[ordered], return_counts=True)
        begin = 0
        for cell, count in zip(cells.tolist(), counts.tolist(), strict=True):
            slots = slice(self._filled[cell], self._filled[cell] + count)
            self._rows[slots] = ordered[begin : begin + count]
            self._inside[slots] = self._sketch[ordered[begin : begin + count]]
            self._filled[cell] += count
            begin += count

    def search(self, rows: NDArray[np.int64], *, any_one: bool = False) -> Iterator[Pairs]:
        """The neighbours of the given rows, a few million comparisons at a time.

        Args:
            rows: ``[Q]``; tens of thousands at most. A row that was added is its own neighbour too,
                and is left out.
            any_one: Stop looking for a row's neighbours once one is found.
        """
        open_ = np.ones(len(rows), np.bool_)
        sketch = self._sketch[rows]
        reachable = self._reachable(sketch, self.cell[rows])
        own = self.cell[rows]
        for nearest in (True, False):  # its own cell is where a row most likely has neighbours
            for cell in range(len(self._centres)):
                members = slice(self._begin[cell], self._filled[cell])
                if members.start == members.stop:
                    continue
                asked = np.flatnonzero((own == cell) if nearest else (reachable[cell] & (own != cell)))
                if any_one:
                    asked = asked[open_[asked]]
                for part in _parts(asked, members.stop - members.start):
                    pairs = self._compare(rows[part], sketch[part], members)
                    if pairs is not None:
                        if any_one:
                            open_[part[np.isin(rows[part], pairs.query)]] = False
                        yield pairs

    def within(self, rows: NDArray[np.int64]) -> Iterator[Pairs]:
        """The neighbours among the given rows, each pair once; ``query`` comes first in ``rows``."""
        sketch = self._sketch[rows]
        for begin in range(0, len(rows), 1024):
            part = slice(begin, begin + 1024)
            number = len(rows) - begin
            hits = np.flatnonzero((sketch[part] @ sketch[begin:].T).ravel() >= self._bound)
            hits = hits[hits % number > hits // number]
            pairs = self._verified(rows[part], rows[begin:], hits // number, hits % number)
            if pairs is not None:
                yield pairs

    def _compare(self, rows: NDArray[np.int64], sketch: NDArray[np.float32], members: slice) -> Pairs | None:
        inside = self._inside[members]
        hits = np.flatnonzero((sketch @ inside.T).ravel() >= self._bound)
        if not len(hits):
            return None
        return self._verified(rows, self._rows[members], hits // len(inside), hits % len(inside))

    def _verified(
        self,
        rows: NDArray[np.int64],
        members: NDArray[np.int64],
        left: NDArray[np.int64],
        right: NDArray[np.int64],
    ) -> Pairs | None:
        """The pairs of places ``left`` in ``rows`` and ``right`` in ``members`` that are neighbours."""
        kept = rows[left] != members[right]
        if self.apart is not None:
            kept &= self.apart[rows[left]] != self.apart[members[right]]
        left, right = left[kept], right[kept]
        if not len(left):
            return None
        distance = self.vectors.distances(rows, members, left, right, near=self.distance)
        near = distance <= self.distance
        if not near.any():
            return None
        return Pairs(query=rows[left[near]], found=members[right[near]], distance=distance[near])

    def _reachable(self, sketch: NDArray[np.float32], own: NDArray[np.int64]) -> NDArray[np.bool_]:
        """``[C, Q]`` in which cells a neighbour can be."""
        away = _squared(sketch, self._centres)
        nearest = away[np.arange(len(own)), own]
        plane = (away - nearest[:, None]) / self._between[own]
        ball = np.sqrt(np.maximum(away, 0)) - self._reach
        return np.ascontiguousarray(((plane <= self._radius) & (ball <= self._radius)).T)

    def _assign(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Each vector's cell, and each cell's radius."""
        cell = np.empty(len(self._sketch), np.int64)
        reach = np.zeros(len(self._centres), np.float32)
        for begin in range(0, len(cell), 16_384):
            part = slice(begin, begin + 16_384)
            away = _squared(self._sketch[part], self._centres)
            cell[part] = away.argmin(1)
            np.maximum.at(reach, cell[part], np.sqrt(np.maximum(away.min(1), 0)))
        return cell, reach


@contextmanager
def one_thread() -> Iterator[None]:
    """Products of matrices on one thread: these are many and small, and threads would wait for each other."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield


def _parts(asked: NDArray[np.int64], members: int) -> Iterator[NDArray[np.int64]]:
    """``asked`` in parts that are compared with ``members`` in a few tens of megabytes."""
    step = max(1, 8_000_000 // members)
    for begin in range(0, len(asked), step):
        yield asked[begin : begin + step]


def _sketch(vectors: Vectors) -> NDArray[np.float32]:
    """``[N, S]`` float32 sketches, of length one."""
    dim = vectors.dim
    if dim <= SKETCH:
        return vectors.unit(np.arange(len(vectors)))
    sample = vectors.unit(_sample(len(vectors)))
    sample -= sample.mean(0)
    _, basis = np.linalg.eigh(sample.T @ sample)
    leading = np.ascontiguousarray(basis[:, ::-1][:, :SKETCH], np.float32)
    sketch = np.empty((len(vectors), SKETCH + 1), np.float32)
    for begin in range(0, len(vectors), 65_536):
        rows = np.arange(begin, min(begin + 65_536, len(vectors)))
        part = vectors.unit(rows) @ leading
        sketch[rows, :SKETCH] = part
        sketch[rows, SKETCH] = np.sqrt(np.maximum(1 - np.einsum("ij,ij->i", part, part), 0))
    return sketch


def _centres(sketch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Centres of the cells: k-means on a sample, begun at vectors of that sample."""
    number = int(np.clip(len(sketch) // PER_CELL, 1, MOST_CELLS))
    sample = sketch[_sample(len(sketch))]
    centres = sample[np.linspace(0, len(sample) - 1, number).astype(np.int64)].copy()
    for _ in range(ROUNDS if number > 1 else 0):
        cell = _squared(sample, centres).argmin(1)
        order = np.argsort(cell, kind="stable")
        present, begins = np.unique(cell[order], return_index=True)
        sums = np.add.reduceat(sample[order].astype(np.float64), begins, axis=0)
        centres[present] = sums / np.diff(np.append(begins, len(order)))[:, None]
    return centres


def _sample(number: int) -> NDArray[np.int64]:
    """Rows evenly spread over ``number``."""
    return np.unique(np.linspace(0, number - 1, min(number, SAMPLE)).astype(np.int64))


def _squared(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """``[L, R]`` squared Euclidean distances."""
    squared = left @ right.T
    squared *= -2
    squared += np.einsum("ij,ij->i", left, left)[:, None]
    squared += np.einsum("ij,ij->i", right, right)
    return squared

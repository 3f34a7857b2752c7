"""k-centre greedy: the frame that looks least like anything labelled or picked (Sener 2018, section 4.2).

The plain incremental algorithm reads every embedding once for each pick, ``N x D x 4`` bytes, and waits
for memory. But similarities only rise as centres are added, so a similarity from some picks ago is a lower
bound, and a frame whose bound lies above the least similar frame's true value cannot be the next pick
(lazy greedy, Minoux 1978). Only a small front of frames, those with the lowest bounds, is kept up to date;
when the true minimum of the front passes the lowest bound outside, the front is drawn anew, and its
members catch up with the centres they missed in one matrix product. The picks are the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.basket import Basket
from dataengine.mine.strategy import Arm, Need, Task

CELLS_PER_BLOCK = 4_000_000
"""Similarities held at once: bounds the memory to some 16 MB, which stays in the cache."""

FRONT = 2048
"""Frames kept up to date. At 200,000 x 128 the time changed little from 1,000 to 8,000."""

TIE = 1e-5
"""Similarities closer than this are equal: float32 sums of one frame differ by less, row by row."""


class Coverage:
    """Cosine similarity of every candidate to its nearest centre, as far as it has to be known.

    Embeddings are compared by direction: their length follows brightness and object count. The
    distance told to people is ``1 - similarity``, in 0..2.

    Args:
        embeddings: ``[N, D]`` float32. A row that is all zero or not finite never looks new.
        centres: ``[L, D]`` float32: what is labelled or picked already.
    """

    def __init__(self, embeddings: NDArray[np.float32], centres: NDArray[np.float32]) -> None:
        self._unit, self._sound = unit_rows(embeddings)
        known, sound = unit_rows(centres)
        self.num_centres = int(np.count_nonzero(sound))
        self._any_known = self.num_centres > 0
        self._bound = np.where(self._sound, nearest_similarity(self._unit, known[sound]), np.float32(1))
        self._added: list[int] = []
        self._num_seen = np.zeros(len(embeddings), np.int64)
        self._front = np.zeros(0, np.int64)
        self._rows = self._unit[:0]
        self._similarity = self._bound[:0]
        self._lowest_outside = -np.inf

    def add(self, number: int) -> None:
        """Make a candidate a centre."""
        self.num_centres += 1
        if self._sound[number]:
            self._added.append(int(number))
            np.maximum(self._similarity, self._rows @ self._unit[number], out=self._similarity)

    def farthest(self, allowed: NDArray[np.bool_]) -> tuple[int, float]:
        """The allowed candidate least like any centre, and its distance; ties go to the first.

        Args:
            allowed: ``[N]``, at least one of them true; it may be another mask at each call.
        """
        if not self._any_known and not self._added:
            sound = allowed & self._sound
            return (int(np.argmax(sound)), 2.0) if sound.any() else (int(np.argmax(allowed)), 0.0)
        size = FRONT
        while True:
            seen = np.where(allowed[self._front], self._similarity, np.inf)
            lowest = float(seen.min(initial=np.inf))
            if 1 - TIE <= lowest < np.inf and lowest <= self._lowest_outside + TIE:
                return int(np.argmax(allowed)), 1 - lowest  # all the rest repeats what is there
            if lowest + TIE < self._lowest_outside or len(self._front) == len(self._unit):
                return int(self._front[np.argmax(seen <= lowest + TIE)]), 1 - lowest
            self._draw_front(min(size, len(self._unit)))
            size *= 2

    def _draw_front(self, size: int) -> None:
        """Bring up to date the candidates that may be least like any centre, by their bounds."""
        self._bound[self._front] = self._similarity
        self._num_seen[self._front] = len(self._added)
        order = np.argpartition(self._bound, size) if size < len(self._bound) else np.arange(size)
        self._lowest_outside = float(self._bound[order[size]]) if size < len(order) else np.inf
        self._front = np.sort(order[:size])
        self._rows = self._unit[self._front]
        missed = self._added[int(self._num_seen[self._front].min(initial=len(self._added))) :]
        self._similarity = np.maximum(
            self._bound[self._front], nearest_similarity(self._rows, self._unit[missed])
        )


def nearest_similarity(rows: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.float32]:
    """``[N]`` largest product of each row with any centre, -1 where there are none; for rows of length 1."""
    nearest = np.full(len(rows), -1, np.float32)
    step = max(1, CELLS_PER_BLOCK // max(1, len(centres)))
    for begin in range(0, len(rows) if len(centres) else 0, step):
        nearest[begin : begin + step] = (rows[begin : begin + step] @ centres.T).max(axis=1)
    return nearest


def unit_rows(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """``[N, D]`` rows of length 1, and ``[N]`` which could be scaled so; the others are zero."""
    with np.errstate(invalid="ignore", over="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        sound = np.isfinite(lengths) & (lengths > 0)
        unit = (rows / np.where(sound, lengths, 1)[:, None]).astype(np.float32, copy=False)
    unit[~sound] = 0
    return unit, sound


def fill_coverage(task: Task, basket: Basket) -> None:
    """The least covered frame, again and again."""
    cover = Coverage(task.candidates.predictions.embeddings, task.candidates.labelled_embeddings)
    for number in basket.picks:
        cover.add(number)
    while not basket.exhausted:
        number, distance = cover.farthest(basket.eligible)
        reason = (
            f"distance {distance:.3f} to the nearest of {cover.num_centres} frames labelled or picked before"
            if cover.num_centres
            else "the first frame: nothing is labelled yet"
        )
        basket.add(number, distance, "coverage", reason)
        cover.add(number)


COVERAGE = Arm(
    name="coverage",
    summary="frames that look least like what is labelled",
    needs=frozenset({Need.predictions}),
    fill=fill_coverage,
    source="Sener and Savarese 2018, ICLR, section 4.2; as Lightly's diversity strategy",
)

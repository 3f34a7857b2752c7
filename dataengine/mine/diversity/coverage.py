"""k-centre greedy: the frame that looks least like anything labelled or picked (Sener 2018, section 4.2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.basket import Basket
from dataengine.mine.strategy import Arm, Need, Task

CELLS_PER_BLOCK = 16_000_000
"""Similarities held at once: bounds the memory to some 64 MB."""

TIE = 1e-5
"""Similarities closer than this are equal: float32 sums of one frame differ by less, row by row."""


class Coverage:
    """Cosine similarity of every candidate to its nearest centre.

    Embeddings are compared by direction: their length follows brightness and object count. The
    distance told to people is ``1 - similarity``, in 0..2.

    Args:
        embeddings: ``[N, D]`` float32. A row that is all zero or not finite never looks new.
        centres: ``[L, D]`` float32: what is labelled or picked already.
    """

    def __init__(self, embeddings: NDArray[np.float32], centres: NDArray[np.float32]) -> None:
        self._unit, self._sound = _unit(embeddings)
        self.similarity = np.where(self._sound, np.float32(-1), np.float32(1))
        known, sound = _unit(centres)
        known = known[sound]
        step = max(1, CELLS_PER_BLOCK // max(1, len(known)))
        for begin in range(0, len(embeddings) if len(known) else 0, step):
            rows = slice(begin, begin + step)
            np.maximum(
                self.similarity[rows], (self._unit[rows] @ known.T).max(axis=1), out=self.similarity[rows]
            )
        self.num_centres = len(known)

    def add(self, number: int) -> None:
        """Make a candidate a centre."""
        if self._sound[number]:
            np.maximum(self.similarity, self._unit @ self._unit[number], out=self.similarity)
        self.num_centres += 1

    def farthest(self, allowed: NDArray[np.bool_]) -> int:
        """The allowed candidate least like any centre; ties go to the first. One must be allowed."""
        seen = self.similarity.copy()
        np.copyto(seen, np.inf, where=~allowed)  # a quarter of the time of np.where
        return int(np.argmax(seen <= seen.min() + TIE))


def _unit(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
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
        number = cover.farthest(basket.eligible)
        distance = 1.0 - float(cover.similarity[number])
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
)

"""k-centre greedy: the frame that looks least like anything labelled or picked (Sener 2018, section 4.2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.basket import Basket
from dataengine.mine.strategy import Arm, Task

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
        self._embeddings = embeddings
        lengths = _lengths(embeddings)
        self._sound = _sound(lengths)
        self._scale: NDArray[np.float32] = (1 / np.where(self._sound, lengths, 1)).astype(np.float32)
        self._all_sound = bool(self._sound.all())
        self.similarity: NDArray[np.float32] = np.full(len(embeddings), -1.0, np.float32)
        self.similarity[~self._sound] = 1.0
        self.num_centres = 0
        sound = centres[_sound(_lengths(centres))]
        step = max(1, CELLS_PER_BLOCK // max(1, len(sound)))
        for begin in range(0, len(embeddings) if len(sound) else 0, step):
            rows = slice(begin, begin + step)
            self._raise(rows, _times(embeddings[rows], _unit(sound).T).max(axis=1))
        self.num_centres = len(sound)

    def add(self, number: int) -> None:
        """Make a candidate a centre."""
        if self._sound[number]:
            self._raise(slice(None), _times(self._embeddings, _unit(self._embeddings[[number]])[0]))
        self.num_centres += 1

    def farthest(self, allowed: NDArray[np.bool_]) -> int:
        """The allowed candidate least like any centre; ties go to the first. One must be allowed."""
        seen = np.where(allowed, self.similarity, np.inf)
        return int(np.argmax(seen <= seen.min() + TIE))

    def _raise(self, rows: slice, product: NDArray[np.float32]) -> None:
        product *= self._scale[rows]
        if not self._all_sound:
            product[~self._sound[rows]] = 1.0
        np.maximum(self.similarity[rows], product, out=self.similarity[rows])


def _times(rows: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    with np.errstate(invalid="ignore", over="ignore"):  # rows that are not finite are overruled later
        product: NDArray[np.float32] = rows @ others
    return product


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return (rows / _lengths(rows)[:, None]).astype(np.float32)


def _sound(lengths: NDArray[np.float32]) -> NDArray[np.bool_]:
    sound: NDArray[np.bool_] = np.isfinite(lengths) & (lengths > 0)
    return sound


def _lengths(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """``[N]`` Euclidean length of each row; not finite where a value is not, or is beyond all measure."""
    with np.errstate(invalid="ignore", over="ignore"):
        lengths: NDArray[np.float32] = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return lengths


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
    needs_predictions=True,
    fill=fill_coverage,
)

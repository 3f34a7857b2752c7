"""k-means++ on gradients: BADGE (Ash 2020, arXiv 1906.03671), for a detector.

BADGE embeds an example by the gradient of the last layer's loss under the model's own answer: long where
the model is unsure, in a direction that tells what it is unsure about. For a box with class scores ``s`` and
feature ``f`` that is ``(s - onehot(argmax s)) x f``; a frame is the sum over its boxes (after CRB, Luo 2023).
Picks are drawn one after the other in proportion to the squared distance to the nearest pick, the first is
the longest. The sum follows crowds, by design of the published rule.

The ``K x E`` gradients of the pool are never formed. With ``G`` the gradient of a pick, the product of a
frame with it is the sum of ``a . (G f)`` over the frame's boxes, ``a`` the residual and ``f`` the feature.
Without box features the frame's embedding takes their place, and a frame is one box with the summed residual.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine.frameboxes import box_rows
from dataengine.mine.candidates import Candidates
from dataengine.mine.diversity.chooser import Diversity
from dataengine.mine.strategy import Need, Task

Rows = NDArray[np.float32]

CELLS_PER_BLOCK = 4_000_000
"""Values of gradients formed at once, to measure their lengths: some 16 MB."""


class Gradients:
    """Gradients of the frames of a shortlist, in factors: each frame is a sum of residual x feature.

    Args:
        residual: ``[B, K]``.
        feature: ``[B, E]``.
        counts: ``[S]`` factors of each frame, in the order of the rows.
    """

    def __init__(self, residual: Rows, feature: Rows, counts: NDArray[np.int64]) -> None:
        self._residual, self._feature = residual, feature
        self._offsets = np.concatenate([[0], np.cumsum(counts)])
        self._filled = np.flatnonzero(counts)
        self.squared = self._lengths(len(counts))

    def products(self, place: int) -> NDArray[np.float64]:
        """``[S]`` product of the gradient of every frame with that of one."""
        per_box = np.einsum("bk,bk->b", self._feature @ self._gradient(place).T, self._residual)
        total = np.zeros(len(self.squared))
        if len(self._filled):
            total[self._filled] = np.add.reduceat(per_box, self._offsets[self._filled])
        return total

    def _lengths(self, num_frames: int) -> NDArray[np.float64]:
        """``[S]`` squared length of each gradient, formed for some frames at a time."""
        squared = np.zeros(num_frames)
        cells = self._residual.shape[1] * self._feature.shape[1]
        most = max(1, CELLS_PER_BLOCK // max(1, cells))
        starts, ends = self._offsets[self._filled], self._offsets[self._filled + 1]
        begin = 0
        while begin < len(starts):
            end = max(begin + 1, int(np.searchsorted(ends, starts[begin] + most, side="right")))
            boxes = slice(starts[begin], ends[end - 1])
            each = self._residual[boxes, :, None] * self._feature[boxes, None, :]
            sums = np.add.reduceat(each.reshape(len(each), cells), starts[begin:end] - starts[begin])
            squared[self._filled[begin:end]] = np.einsum("sc,sc->s", sums, sums, dtype=np.float64)
            begin = end
        return squared

    def _gradient(self, place: int) -> Rows:
        """``[K, E]`` gradient of one frame."""
        rows = slice(self._offsets[place], self._offsets[place + 1])
        return self._residual[rows].T @ self._feature[rows]


def gradients(candidates: Candidates, numbers: NDArray[np.int64], min_score: float) -> Gradients:
    """Gradients of some candidates; boxes below ``min_score`` are left out."""
    predictions = candidates.predictions
    boxes = predictions.boxes
    rows = box_rows(boxes.offsets, numbers)
    frame = np.repeat(np.arange(len(numbers)), boxes.counts[numbers])
    kept = boxes.score[rows] >= min_score
    rows, frame = rows[kept], frame[kept]
    residual = predictions.class_scores[rows]
    residual[np.arange(len(rows)), residual.argmax(axis=1)] -= 1
    if predictions.features.shape[1]:
        feature = _finite(predictions.features[rows])
        return Gradients(residual, feature, np.bincount(frame, minlength=len(numbers)))
    summed = np.zeros((len(numbers), residual.shape[1]), np.float32)
    np.add.at(summed, frame, residual)
    return Gradients(summed, _finite(predictions.embeddings[numbers]), np.ones(len(numbers), np.int64))


def _finite(rows: NDArray[np.floating[Any]]) -> Rows:
    """Rows as float32; one with a value that is no number, or beyond 1e4, says nothing."""
    answer = rows.astype(np.float32)
    answer[~(np.abs(answer) < 1e4).all(axis=1)] = 0
    return answer


class Badge:
    """Squared distance of each frame of a shortlist to the nearest pick, in the space of gradients.

    Args:
        task: The pool.
        shortlist: ``[S]`` candidate numbers, rising.
        picks: Candidates picked so far; those outside of the shortlist join it.
    """

    def __init__(self, task: Task, shortlist: NDArray[np.int64], picks: Sequence[int], _wanted: int) -> None:
        self._numbers = np.union1d(shortlist, np.array(picks, np.int64))
        self._gradients = gradients(task.candidates, self._numbers, task.config.min_score)
        self._distance = self._gradients.squared.copy()
        for number in picks:
            self.add(number)

    def gains(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Squared distance to the nearest pick; squared length before the first."""
        return self._distance[np.searchsorted(self._numbers, numbers)]

    def words(self, number: int) -> str:
        """The distance."""
        return f"gradient {float(self.gains(np.array([number]))[0]) ** 0.5:.2f} from the nearest pick"

    def add(self, number: int) -> None:
        """One more pick. Rounding must not keep a frame at a distance from its copy."""
        place = int(np.searchsorted(self._numbers, number))
        squared = self._gradients.squared
        distance = squared + squared[place] - 2 * self._gradients.products(place)
        distance[distance < 1e-5 * (squared + squared[place])] = 0
        distance[place] = 0
        np.minimum(self._distance, distance, out=self._distance)


BADGE = Diversity(
    name="badge",
    summary="unsure, and unsure about something else than the other picks, by gradients",
    span="0 (a pick has the same gradient, or there are no boxes) and up",
    needs=frozenset({Need.predictions}),
    source="Ash 2020, arXiv 1906.03671; summed over boxes: Luo 2023, CRB",
    start=Badge,
    draws=True,
)

"""What mining may look at: the unlabelled frames, and what the model says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataengine.frameboxes import FrameBoxes, Predictions

LEAST_EXPECTED_BOXES = 0.2
"""Boxes per frame assumed where a model predicts next to nothing, to plan a budget in boxes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Frames whose truth may be looked at: bought ones, or those of val.

    Attributes:
        frames: Rows of schema ``FRAMES``.
        truth: Labels of the same frames, in the same order.
        predictions: The current model on the same frames, in the same order.
    """

    frames: pa.Table
    truth: FrameBoxes
    predictions: Predictions


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The frames that may be bought, in any order, and what is known without buying them.

    Attributes:
        frames: Rows of schema ``FRAMES`` (more columns are allowed).
        predictions: The current model on (at least) these frames; ``None`` for arms that need none.
        labelled_embeddings: ``[L, D]`` float32 embeddings of the frames labelled so far.
        labelled_class_counts: ``[K]`` boxes of each class labelled so far.
        classes: ``[K]`` class names.
        labelled: The frames bought so far, for arms that need ``Need.labelled``.
        val: For arms that need ``Need.val``. Nothing of test is ever here.
        views: What the model says of the frames seen otherwise, by the name of the ``Need``; box for box in
            the coordinates of the stored image, for at least the frames of the pool.
    """

    frames: pa.Table
    predictions: Predictions | None
    labelled_embeddings: NDArray[np.float32]
    labelled_class_counts: NDArray[np.int64]
    classes: tuple[str, ...]
    labelled: Known | None = None
    val: Known | None = None
    views: Mapping[str, Predictions] = field(default_factory=dict)


class Candidates:
    """A pool in the order of its frame ids, so that no result depends on the order it came in.

    Args:
        pool: The pool.
        min_score: Predicted boxes below it are left out.
    """

    def __init__(self, pool: Pool, min_score: float) -> None:
        order = pc.sort_indices(pool.frames["frame_id"])
        frames = pool.frames.select(["frame_id", "clip_id", "phash"]).take(order)
        self._pool, self._order = pool, order
        self.classes = pool.classes
        self.labelled, self.val = pool.labelled, pool.val
        self.labelled_embeddings = pool.labelled_embeddings
        self.labelled_class_counts = pool.labelled_class_counts
        self.frame_ids: pa.Array = frames["frame_id"].combine_chunks()
        clips = frames["clip_id"].combine_chunks().dictionary_encode()
        self.clip = clips.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        hashes = frames["phash"].combine_chunks()
        self.has_phash: NDArray[np.bool_] = hashes.is_valid().to_numpy(zero_copy_only=False)
        self.phash: NDArray[np.uint64] = hashes.fill_null(0).to_numpy(zero_copy_only=False)
        self._min_score = min_score
        self._predictions = _aligned(pool.predictions, self.frame_ids)

    def __len__(self) -> int:
        return len(self.clip)

    @property
    def predictions(self) -> Predictions:
        """The predictions, one frame for each candidate, in the same order."""
        if self._predictions is None:
            raise ValueError("this arm needs predictions of the pool, and the pool has none")
        return self._predictions

    @cached_property
    def frames(self) -> pa.Table:
        """Rows of schema ``FRAMES``, one for each candidate, in the same order."""
        return self._pool.frames.take(self._order)

    @cached_property
    def time_s(self) -> NDArray[np.float64]:
        """``[N]`` time of each candidate since its clip began; NaN where it is unknown."""
        times = self._pool.frames["time_s"].take(self._order).combine_chunks()
        answer: NDArray[np.float64] = (
            times.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
        )
        return answer

    def view(self, name: str) -> Predictions:
        """What the model says of the candidates seen otherwise (``flip``, ``scale``, ``snapshot``)."""
        found = _aligned(self._pool.views.get(name), self.frame_ids)
        if found is None:
            raise ValueError(f"this arm needs the view {name}, and the pool has none")
        return found

    @cached_property
    def boxes(self) -> PredictedBoxes:
        """The predicted boxes that count."""
        boxes = self.predictions.boxes
        kept = boxes.score >= self._min_score
        return PredictedBoxes(
            frame=boxes.frame_index[kept],
            score=boxes.score[kept],
            class_scores=self.predictions.class_scores[kept],
        )

    def expected_boxes_per_frame(self) -> float:
        """How many objects a frame holds on average: the sum of the predicted scores.

        Without a model, what the labelled frames held. At least ``LEAST_EXPECTED_BOXES``.
        """
        if self._predictions is not None and len(self):
            mean = float(self.boxes.score.sum(dtype=np.float64)) / len(self)
        else:
            mean = float(np.sum(self.labelled_class_counts)) / max(1, len(self.labelled_embeddings))
        return max(LEAST_EXPECTED_BOXES, mean)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedBoxes:
    """Predicted boxes of all candidates that count.

    Attributes:
        frame: ``[B]`` int64 number of the candidate.
        score: ``[B]`` float32 in 0..1.
        class_scores: ``[B, K]`` float32 in 0..1.
    """

    frame: NDArray[np.int64]
    score: NDArray[np.float32]
    class_scores: NDArray[np.float32]


def _aligned(predictions: Predictions | None, frame_ids: pa.Array) -> Predictions | None:
    """The predictions of just these frames, in this order; untouched where they already are."""
    if predictions is None:
        return None
    known = pa.array(predictions.boxes.frame_ids, pa.string())
    if not known.equals(frame_ids):
        predictions = predictions.select(frame_ids.to_pylist())
    return _sound(predictions)


def _sound(predictions: Predictions) -> Predictions:
    """Scores in 0..1: one that is not a number says nothing and counts as 0 wherever it appears."""
    boxes, scores = predictions.boxes, predictions.class_scores
    if all(((values >= 0) & (values <= 1)).all() for values in (boxes.score, scores)):
        return predictions
    return replace(predictions, boxes=replace(boxes, score=_share(boxes.score)), class_scores=_share(scores))


def _share(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The values in 0..1."""
    return np.clip(np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)

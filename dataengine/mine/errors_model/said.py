"""What a model says of frames, ready for models of its errors: the boxes that count, and their frames."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine.frameboxes import Predictions
from dataengine.mine.candidates import Candidates, Known
from dataengine.mine.errors_model.outcomes import clean_scores


@dataclass(frozen=True, kw_only=True)
class Said:
    """Predictions of frames.

    Attributes:
        frames: Rows of schema ``FRAMES``, ``F`` of them.
        predictions: Of the same frames in the same order.
        rows: ``[B]`` rows of the boxes that count.
        frame: ``[B]`` the frame that each is in; never falls.
        scores: ``[B, K]`` float32 class scores in 0..1.
        own: ``[B]`` the class that the box is said to be.
    """

    frames: pa.Table
    predictions: Predictions
    rows: NDArray[np.int64]
    frame: NDArray[np.int64]
    scores: NDArray[np.float32]
    own: NDArray[np.int64]

    @classmethod
    def of(cls, frames: pa.Table, predictions: Predictions, min_score: float) -> Said:
        """The boxes from a score on."""
        boxes = predictions.boxes
        rows = np.flatnonzero(boxes.score >= min_score)
        last = max(predictions.class_scores.shape[1] - 1, 0)
        return cls(
            frames=frames,
            predictions=predictions,
            rows=rows,
            frame=boxes.frame_index[rows],
            scores=clean_scores(predictions)[rows],
            own=np.clip(boxes.class_id[rows].astype(np.int64), 0, last),
        )

    @classmethod
    def of_pool(cls, candidates: Candidates, min_score: float) -> Said:
        """The pool; rows are those of ``candidates.boxes`` where ``min_score`` is the same."""
        return cls.of(candidates.frames, candidates.predictions, min_score)

    @classmethod
    def of_known(cls, known: Known, min_score: float) -> Said:
        """Frames whose truth is known."""
        return cls.of(known.frames, known.predictions, min_score)

    @property
    def num_frames(self) -> int:
        """Number of frames, those without boxes counted too."""
        return len(self.predictions.boxes.frame_ids)

    @cached_property
    def score(self) -> NDArray[np.float64]:
        """``[B]`` score of the class that the box is said to be."""
        return self.scores[np.arange(len(self.own)), self.own].astype(np.float64)

    @cached_property
    def xyxy(self) -> NDArray[np.float64]:
        """``[B, 4]`` corners in pixels; NaN and infinity are 0."""
        corners = self.predictions.boxes.xyxy[self.rows].astype(np.float64)
        return np.nan_to_num(corners, nan=0.0, posinf=0.0, neginf=0.0)

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """``[F + 1]``: frame ``i`` owns the boxes ``offsets[i]:offsets[i + 1]``."""
        return np.searchsorted(self.frame, np.arange(self.num_frames + 1))

    def number(self, name: str) -> NDArray[np.float64]:
        """``[F]`` a column of the frames; NaN where it is null, or not there at all."""
        if name not in self.frames.column_names:
            return np.full(self.num_frames, np.nan)
        values = self.frames[name].cast(pa.float64()).combine_chunks()
        return np.asarray(values.fill_null(np.nan).to_numpy(zero_copy_only=False), np.float64)

    def per_frame(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """``[F]`` sums of ``[B]`` values."""
        return np.bincount(self.frame, weights=values, minlength=self.num_frames).astype(np.float64)

    def per_frame_and_class(
        self, values: NDArray[Any], kind: NDArray[np.int64] | None = None
    ) -> NDArray[np.float64]:
        """``[F, K]`` sums of ``[B]`` values by the class that the box is said to be, or by ``kind``."""
        num_classes = self.scores.shape[1]
        place = self.frame * num_classes + (self.own if kind is None else kind)
        sums = np.bincount(place, weights=values, minlength=self.num_frames * num_classes)
        return sums.reshape(self.num_frames, num_classes).astype(np.float64)

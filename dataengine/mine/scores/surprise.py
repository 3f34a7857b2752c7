"""Moments that the frames before, or after, do not lead one to expect. Experimental.

A miniature world model: ridge regression predicts the embedding of a frame from those of the two frames
before it in the clip and from speed and yaw rate, and another one from the two frames after. They are fitted
on the pool itself, without labels. The surprise of a frame is the length of the error, the smaller one of the
two directions (what a cut or a turn explains in one direction is no news), as a multiple of the error that is
usual at that ego-motion: the median among the frames of like speed and yaw rate. After latent surprise of
JEPA (arXiv 2502.11831), whose known failure it corrects for: ego-motion dominates the plain error.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine.mine.errors_model.projection import Projection
from dataengine.mine.errors_model.support import neighbours
from dataengine.mine.strategy import FrameScores, Need, Score, Task

DIRECTIONS = 24
"""Principal components of the embeddings that are predicted."""

PENALTY = 10.0
"""Of the ridge regression, in rows."""

MOTION_BINS = 4
"""Parts of equal size that speed, and the yaw rate's amount, are cut into to say what is usual."""

FEWEST = 20
"""Frames from which a part of ego-motion has a usual error of its own."""

Array = NDArray[np.float64]


def compute(task: Task) -> FrameScores:
    """Surprise of every candidate; 0 where there are not two frames before or after it."""
    candidates = task.candidates
    embeddings = candidates.predictions.embeddings
    seen = Projection.of(embeddings, DIRECTIONS)(embeddings).astype(np.float64)
    motion = np.column_stack(
        [_signal(candidates.frames, "speed_mps"), _signal(candidates.frames, "yaw_rate_radps")]
    )
    before, after = neighbours(candidates.frames)
    errors = np.column_stack([prediction_errors(seen, motion, step) for step in (before, after)])
    known = np.isfinite(errors[:, 0]) | np.isfinite(errors[:, 1])
    error = np.fmin(errors[:, 0], errors[:, 1])
    usual = usual_errors(error, motion)
    values = np.where(known, error / np.maximum(usual, 1e-9), 0.0)

    def reason(number: int) -> str:
        if not known[number]:
            return "too few frames of its clip to say whether it surprises; the surprising ones ran out"
        return (
            f"{values[number]:.1f} times as unlike what its clip leads to expect as is usual at that motion"
        )

    return FrameScores(values=values, reason=reason)


def prediction_errors(seen: Array, motion: Array, step: NDArray[np.int64]) -> Array:
    """``[N]`` length of the error of each frame's embedding, predicted from two frames; NaN without them.

    Args:
        seen: ``[N, D]`` embeddings.
        motion: ``[N, 2]`` speed and yaw rate, NaN where unknown.
        step: ``[N]`` the frame next to each in the direction that it is predicted from, -1 for none.
    """
    answer = np.full(len(seen), np.nan)
    far = np.where(step >= 0, step[step], -1) if len(step) else step
    rows = np.flatnonzero(far >= 0)
    if len(rows) < 2 or not seen.shape[1]:
        return answer
    known = np.nan_to_num(motion[step[rows]])
    spread = np.where(known.std(axis=0) > 1e-9, known.std(axis=0), 1.0)
    known = (known - known.mean(axis=0)) / spread
    given = np.column_stack([np.ones(len(rows)), seen[step[rows]], seen[far[rows]], known])
    curb = np.diag([1e-6, *[PENALTY] * (given.shape[1] - 1)])
    weights = np.linalg.solve(given.T @ given + curb, given.T @ seen[rows])
    answer[rows] = np.sqrt(((seen[rows] - given @ weights) ** 2).sum(axis=1))
    return answer


def usual_errors(error: Array, motion: Array) -> Array:
    """``[N]`` median error among frames of like ego-motion; of all frames where those are few."""
    kind = np.zeros(len(error), np.int64)
    for column in (motion[:, 0], np.abs(motion[:, 1])):
        known = column[np.isfinite(column)]
        edges = (
            np.unique(np.quantile(known, np.linspace(0, 1, MOTION_BINS + 1)[1:-1])) if len(known) else known
        )
        part = np.searchsorted(edges, np.nan_to_num(column), side="right")
        kind = kind * (MOTION_BINS + 1) + np.where(np.isfinite(column), part, MOTION_BINS)
    sound = np.isfinite(error)
    overall = float(np.median(error[sound])) if sound.any() else 1.0
    answer = np.full(len(error), overall)
    for number in np.unique(kind).tolist():
        like = sound & (kind == number)
        if like.sum() >= FEWEST:
            answer[kind == number] = np.median(error[like])
    return answer


def _signal(frames: pa.Table, name: str) -> Array:
    if name not in frames.column_names:
        return np.full(frames.num_rows, np.nan)
    values = frames[name].cast(pa.float64()).combine_chunks().fill_null(np.nan)
    return np.asarray(values.to_numpy(zero_copy_only=False), np.float64)


SURPRISE = Score(
    name="surprise",
    summary="moments that their clip does not lead one to expect (experimental)",
    span="0 (as predicted, or nothing to predict it from) upwards; 1 is usual at that ego-motion",
    needs=frozenset({Need.predictions}),
    source="after latent surprise, arXiv 2502.11831; a ridge regression in the place of a video network",
    compute=compute,
)

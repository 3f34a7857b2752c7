"""Does the frame before, or the one after, show the same thing in the same place?

At two frames a second boxes of one object need not overlap, so nearness replaces overlap: two boxes are
near by ``exp(-d² / 2 r²)`` for centres ``d`` apart, times how alike their sizes are, where ``r`` is the mean
of the two sizes (square roots of areas). In 0..1; 1 for a box that stands still.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataengine.mine.errors_model.said import Said

PAIRS_PER_BLOCK = 1_000_000
"""Pairs of boxes compared at once: bounds the memory."""


def neighbours(frames: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """``[F]`` number of the frame before and of the one after in the same clip, -1 where there is none.

    By time, or by id where no time is known.
    """
    number = frames.num_rows
    ids = frames["frame_id"].combine_chunks()
    place = np.empty(number, np.int64)
    place[np.asarray(pc.sort_indices(ids))] = np.arange(number)
    clip = frames["clip_id"].combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    time_s = np.zeros(number)
    if "time_s" in frames.column_names:
        time_s = np.nan_to_num(frames["time_s"].to_numpy().astype(np.float64))
    order = np.lexsort((place, time_s, clip))
    follows = np.flatnonzero(np.diff(clip[order]) == 0)
    before, after = np.full(number, -1), np.full(number, -1)
    after[order[follows]] = order[follows + 1]
    before[order[follows + 1]] = order[follows]
    return before, after


def support(said: Said, partner: NDArray[np.int64]) -> NDArray[np.float64]:
    """How well a frame's partner confirms each box.

    Args:
        said: The boxes.
        partner: ``[F]`` number of another frame, -1 for none.

    Returns:
        ``[B]`` in 0..1: the largest nearness times score, for the same class, of a box of the partner; NaN
        where there is no partner.
    """
    answer = np.full(len(said.rows), np.nan)
    own_partner = partner[said.frame] if len(said.rows) else np.zeros(0, np.int64)
    count = np.where(own_partner >= 0, np.diff(said.offsets)[own_partner], 0)
    answer[own_partner >= 0] = 0.0
    boxes = np.flatnonzero(count)
    block = np.cumsum(count[boxes]) // PAIRS_PER_BLOCK
    for part in np.split(boxes, np.flatnonzero(np.diff(block)) + 1):
        if len(part):
            answer[part] = _best(said, part, said.offsets[own_partner[part]], count[part])
    return answer


def clip_support(said: Said) -> NDArray[np.float64]:
    """``[F, K]`` mean over the other frames of the clip of the highest score of each class, 0..1.

    A frame that is alone in its clip speaks for itself.
    """
    num_classes = said.scores.shape[1]
    highest = np.zeros((said.num_frames, num_classes))
    place = said.frame * num_classes + said.own
    np.maximum.at(highest.reshape(-1), place, said.score)
    clip = said.frames["clip_id"].combine_chunks().dictionary_encode().indices
    number = clip.to_numpy(zero_copy_only=False).astype(np.int64)
    size = np.bincount(number, minlength=1)[number][:, None] if len(number) else np.ones((0, 1))
    total = np.column_stack([np.bincount(number, column) for column in highest.T]) if len(number) else highest
    others = (total[number] - highest) / np.maximum(size - 1, 1) if len(number) else highest
    return np.where(size > 1, others, highest)


def _best(
    said: Said, boxes: NDArray[np.int64], begin: NDArray[np.int64], count: NDArray[np.int64]
) -> NDArray[np.float64]:
    """``[b]`` largest nearness times score of each box with the ``count`` boxes from ``begin`` on."""
    first = np.cumsum(count) - count
    one = np.repeat(boxes, count)
    two = np.repeat(begin - first, count) + np.arange(len(one))
    value = nearness(said.xyxy[one], said.xyxy[two]) * said.scores[two, said.own[one]]
    best: NDArray[np.float64] = np.maximum.reduceat(value, first)
    return best


def nearness(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """``[N]`` in 0..1 for ``[N, 4]`` boxes; 0 for one without area."""
    one, two = _size(first), _size(second)
    apart = (first[:, :2] + first[:, 2:] - second[:, :2] - second[:, 2:]) / 2
    radius = np.maximum((one + two) / 2, 1e-9)
    alike = np.minimum(one, two) / np.maximum(np.maximum(one, two), 1e-9)
    answer: NDArray[np.float64] = alike * np.exp(-(apart**2).sum(axis=1) / (2 * radius**2))
    return answer


def _size(xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
    sides = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0)
    answer: NDArray[np.float64] = np.sqrt(sides[:, 0] * sides[:, 1])
    return answer

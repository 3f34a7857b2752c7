"""How unlike two frames are, object by object: PPAL's category-conditioned matching similarity."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine.frameboxes import FrameBoxes, box_rows

FARTHEST = 2.0
"""Distance of a box to a frame that shows none of its class: that of opposite directions."""

CELLS_PER_BLOCK = 8_000_000
"""Similarities held at once: bounds the memory to some 64 MB."""


def frame_distances(
    boxes: FrameBoxes, features: NDArray[np.float16], frames: NDArray[np.int64]
) -> NDArray[np.float32]:
    """``[M, M]`` distances between frames in 0..``FARTHEST``, symmetric.

    From A to B: for every box of A, 1 - cosine to the most similar box of B of the same class, or
    ``FARTHEST`` where B has none; the mean of these, weighted by the scores (arXiv 2211.11612, published
    code). The distance is the mean of both directions. A frame without boxes is at half the other's
    distance from everything, which is 0 to frames without boxes.

    Args:
        boxes: Boxes that count, of all frames.
        features: ``[B, E]`` of each box; all are alike where E is 0.
        frames: ``[M]`` frames to compare.
    """
    rows = box_rows(boxes.offsets, frames)
    frame = np.repeat(np.arange(len(frames)), boxes.counts[frames])
    unit = _unit(features[rows].astype(np.float32))
    score = np.nan_to_num(boxes.score[rows])
    kinds = boxes.class_id[rows]
    total = np.zeros((len(frames), len(frames)), np.float32)
    for kind in np.unique(kinds):
        own = np.flatnonzero(kinds == kind)
        total += _summed(unit[own], score[own], frame[own], len(frames))
    weight = np.bincount(frame, weights=score, minlength=len(frames)).astype(np.float32)
    one_way = total / np.maximum(weight, 1e-12)[:, None]
    distances: NDArray[np.float32] = ((one_way + one_way.T) / 2).astype(np.float32)
    np.fill_diagonal(distances, 0)
    return distances


def _summed(
    unit: NDArray[np.float32], score: NDArray[np.float32], frame: NDArray[np.int64], num_frames: int
) -> NDArray[np.float32]:
    """``[M, M]`` sum over a row frame's boxes of score times distance, for boxes of one class by frame."""
    shown, first = np.unique(frame, return_index=True)
    total = np.zeros((num_frames, num_frames), np.float32)
    step = max(1, CELLS_PER_BLOCK // len(unit))
    for begin in range(0, len(unit), step):
        block = slice(begin, begin + step)
        nearest = np.maximum.reduceat(unit[block] @ unit.T, first, axis=1)
        away = np.full((len(nearest), num_frames), FARTHEST, np.float32)
        away[:, shown] = 1 - nearest
        away *= score[block, None]
        starts = np.flatnonzero(np.diff(frame[block], prepend=-1))
        total[frame[block][starts]] += np.add.reduceat(away, starts, axis=0)
    return total


def _unit(rows: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Rows of length 1; those that are zero or not finite become zero, at distance 1 from all."""
    rows = np.nan_to_num(rows, nan=0.0, posinf=0.0, neginf=0.0)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return (rows / np.where(lengths > 0, lengths, 1)[:, None]).astype(np.float32)

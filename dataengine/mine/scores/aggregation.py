"""From the values of boxes to the value of a frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

MEAN_OF = 10
"""Boxes of a frame that ``mean`` looks at: the highest values, so that dozens of faint ones do not dilute."""


def per_frame(
    values: NDArray[np.floating[Any]], frame: NDArray[np.int64], num_frames: int, aggregate: str
) -> NDArray[np.float64]:
    """``[N]`` value of each frame; 0 where there are no boxes.

    Args:
        values: ``[B]`` value of each box, at least 0.
        frame: ``[B]`` number of its frame.
        num_frames: N.
        aggregate: ``max`` (chases outliers), ``mean`` of the ten highest, or ``sum`` (chases crowds).
    """
    order = np.lexsort((-values, frame))
    frame, values = frame[order], values[order]
    first = np.searchsorted(frame, frame, side="left")
    within = {"max": 1, "mean": MEAN_OF, "sum": len(frame)}[aggregate]
    kept = np.arange(len(frame)) - first < within
    total = np.bincount(frame[kept], weights=values[kept], minlength=num_frames).astype(np.float64)
    if aggregate == "mean":
        total = total / np.maximum(np.bincount(frame[kept], minlength=num_frames), 1)
    return total


def rarity_weights(labelled_class_counts: ArrayLike) -> NDArray[np.float64]:
    """``[K]`` weight of a class, higher for what is labelled less: ``(n + K) / (n_c + 1)``.

    ``n`` labelled boxes of K classes, ``n_c`` of the class: Brust 2019 (arXiv 1809.09875).
    Even classes all weigh about K; the rarest at most ``n + K``.
    """
    counts = np.asarray(labelled_class_counts, np.float64)
    weights: NDArray[np.float64] = (counts.sum() + len(counts)) / (counts + 1)
    return weights

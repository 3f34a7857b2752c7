"""How much a box of each class weighs in the loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.frameboxes import FrameBoxes

BETA = 0.99
"""What each further box of a class brings, as a share of what the one before brought. A class has at most
``1 / (1 - BETA)`` effective boxes, so among classes with a few hundred boxes and more none is favoured."""


def balanced(labels: FrameBoxes, num_classes: int) -> NDArray[np.float32]:
    """Weights of the classes: one over the effective number of their boxes (Cui 2019, eq. 2 and 3).

    Cui's weights add up to the number of classes; these are 1 on average over the labelled boxes, so that the
    loss keeps its size. A class without boxes has weight 1. Ignore regions do not count.

    Args:
        labels: The labelled frames.
        num_classes: K.

    Returns:
        ``[K]`` > 0, higher for rarer classes.
    """
    counts = np.bincount(labels.class_id[~labels.ignore], minlength=num_classes).astype(np.float64)
    effective = (1 - BETA ** np.maximum(counts, 1)) / (1 - BETA)
    mean = float((counts / effective).sum() / max(counts.sum(), 1))
    weights = 1 / (effective * mean) if mean > 0 else np.ones(num_classes)
    return np.where(counts > 0, weights, 1).astype(np.float32)

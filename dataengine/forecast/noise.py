"""How far two fits differ by luck alone: measured where the baseline ran twice, assumed elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

ASSUMED: Mapping[tuple[str, str], float] = {
    ("tail", "ap50"): 0.05,
    ("all", "ap50"): 0.03,
    ("all", "map50_95"): 0.025,
}
"""Standard deviation by slice and metric where nothing was measured: between fits of one set of labels with
other seeds, .056 of the tail's AP50 and .037 of mAP at 300 steps, less at 600; between random draws of a
batch, .02 (a study of the embedded fleet, 150 to 600 frames, before this package was written)."""

OTHERWISE = 0.06
"""Of a class or a condition: it has fewer objects than the tail."""

WEIGHT = 4
"""The assumed figure counts as much as so many measured differences."""


def assumed(slice_name: str, metric: str) -> float:
    """Standard deviation of one fit's figure where no noise was measured."""
    return ASSUMED.get((slice_name, metric), OTHERWISE)


def measured(differences: Iterable[float], prior: float) -> float:
    """Standard deviation of one fit from differences between two draws of one arm.

    A difference of two independent fits has twice the variance of one. Few differences are drawn towards
    ``prior``, a mean of ``WEIGHT`` differences with the measured ones.
    """
    halves = [0.5 * difference**2 for difference in differences if math.isfinite(difference)]
    return math.sqrt((WEIGHT * prior**2 + math.fsum(halves)) / (WEIGHT + len(halves)))

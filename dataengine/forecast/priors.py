"""What is believed of a figure before its curve is seen: how noisy one fit of it is, and how fast it rises.

Set from the claimed comparison of the embedded fleet (five towns, `random` and `auto`, fits of 1,500 steps;
``docs/evidence/compare_sim``), and scored on what was run after it. Before, they came from a study with
shorter fits, whose noise is larger, and their intervals held 98% of the outcomes there: too wide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """Of one figure.

    Attributes:
        noise: Standard deviation between fits on other draws of as many frames.
        exponent: Median of the law's exponent.
    """

    noise: float
    exponent: float = 0.5


PRIORS: Mapping[tuple[str, str], Prior] = {
    ("tail", "ap50"): Prior(noise=0.03),
    ("all", "ap50"): Prior(noise=0.02),
    # where the boxes lie is learned more slowly than what they hold
    ("all", "map50_95"): Prior(noise=0.013, exponent=0.3),
}
"""By slice and metric."""

OTHERWISE = Prior(noise=0.05)
"""Of a class or a condition: it has fewer objects than the tail."""

WEIGHT = 4
"""The noise believed counts as much as so many measured differences."""


def prior(slice_name: str, metric: str) -> Prior:
    """What is believed of a figure."""
    return PRIORS.get((slice_name, metric), OTHERWISE)


def measured(differences: Iterable[float], believed: float) -> float:
    """Standard deviation of one fit from differences between two draws of one arm.

    A difference of two independent fits has twice the variance of one. Few differences are drawn towards
    ``believed``, a mean of ``WEIGHT`` differences with the measured ones.
    """
    halves = [0.5 * difference**2 for difference in differences if math.isfinite(difference)]
    return math.sqrt((WEIGHT * believed**2 + math.fsum(halves)) / (WEIGHT + len(halves)))

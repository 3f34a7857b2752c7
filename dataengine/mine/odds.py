"""From chances to log-odds and back, finite at both ends."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST = 1e-4
"""Chances are kept this far from 0 and 1 by default: beyond, a detector's score says nothing more."""


def log_odds(chance: NDArray[np.floating[Any]], least: float = LEAST) -> NDArray[np.float64]:
    """``log(p / (1 - p))`` for chances ``p`` kept in ``least .. 1 - least``."""
    inside = np.clip(chance.astype(np.float64), least, 1 - least)
    odds: NDArray[np.float64] = np.log(inside) - np.log1p(-inside)
    return odds


def chance_of(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """The chance in 0..1 with those log-odds."""
    chance: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(odds, -40, 40)))
    return chance

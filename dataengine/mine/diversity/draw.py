"""One draw in proportion to weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def draw(weights: NDArray[np.float64], rng: np.random.Generator) -> int:
    """Place of one, drawn in proportion to its weight; one of weight 0 never is.

    Args:
        weights: ``[N]``, >= 0, one of them above 0.
        rng: Gives one number.
    """
    edges = np.cumsum(weights)
    at = int(np.searchsorted(edges, rng.random() * edges[-1], side="right"))
    return min(at, int(np.searchsorted(edges, edges[-1])))  # rounding may lead past the last

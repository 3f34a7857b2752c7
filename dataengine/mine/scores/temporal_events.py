"""Signs as lists of events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Events:
    """One sign in all frames: a row for each frame and track that shows it.

    Attributes:
        frame: ``[E]`` int64 number of the frame in the timeline.
        weight: ``[E]`` float64 in 0..1; for a sign of errors about the chance that the frame holds one.
        text: Says in words what event ``i`` is.
    """

    frame: NDArray[np.int64]
    weight: NDArray[np.float64]
    text: Callable[[int], str]

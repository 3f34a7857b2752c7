"""Score-weighted k-centre over a shortlist: ``argmax score x distance`` (Haussmann 2020, arXiv 2004.04699).

The distance is the cosine distance of the frame's embedding to the nearest frame labelled or picked. The
whole pool without a score is ``coverage``, which is much faster there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.diversity.chooser import Diversity
from dataengine.mine.diversity.coverage import nearest_similarity, unit_rows
from dataengine.mine.strategy import Need, Task

NO_CENTRE = 2.0
"""Distance of everything while nothing is labelled or picked."""


class KCentre:
    """Distance of each frame of a shortlist to its nearest centre.

    Args:
        task: The pool, and what is labelled.
        shortlist: ``[S]`` candidate numbers, rising.
        picks: Candidates picked so far.
    """

    def __init__(self, task: Task, shortlist: NDArray[np.int64], picks: Sequence[int], _wanted: int) -> None:
        embeddings = task.candidates.predictions.embeddings
        known, sound = unit_rows(task.candidates.labelled_embeddings)
        self._embeddings, self._shortlist = embeddings, shortlist
        self._rows, self._sound = unit_rows(embeddings[shortlist])
        self._similarity = nearest_similarity(self._rows, known[sound])
        for number in picks:
            self.add(number)

    def gains(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Cosine distance to the nearest centre, 0..2; 0 for a broken embedding."""
        places = np.searchsorted(self._shortlist, numbers)
        distance = np.clip(1.0 - self._similarity[places].astype(np.float64), 0.0, NO_CENTRE)
        return np.where(self._sound[places], distance, 0.0)

    def words(self, number: int) -> str:
        """The distance."""
        return f"distance {float(self.gains(np.array([number]))[0]):.3f} to what is labelled or picked"

    def add(self, number: int) -> None:
        """One more centre."""
        centre = unit_rows(self._embeddings[number][None])[0][0]
        if centre.any():
            np.maximum(self._similarity, self._rows @ centre, out=self._similarity)


K_CENTRE = Diversity(
    name="k_centre",
    summary="far from what is labelled or picked, by the direction of the frame's embedding",
    span="0 (repeats something) .. 2 (opposite to everything)",
    needs=frozenset({Need.predictions}),
    source="Sener and Savarese 2018, section 4.2; times a score: Haussmann 2020, arXiv 2004.04699",
    start=KCentre,
)

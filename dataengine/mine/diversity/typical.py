"""TypiClust: the most typical frame of the largest cluster that nobody labelled yet (Hacohen 2022).

arXiv 2202.02794, and its published code: k-means to ``min(labelled + wanted, 500)`` clusters of frames and
labelled frames together; clusters of five or fewer are left to the end; the cluster with the fewest
labelled comes first, of those the largest; in it the frame of the highest typicality, one over the mean
distance to its ``min(20, half of the cluster)`` nearest neighbours within. For when so little is labelled
that no score can be trusted. The paper's features are self-supervised; here they are the detector's, scaled
to length 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.diversity.chooser import Diversity
from dataengine.mine.diversity.clusters import k_means
from dataengine.mine.diversity.coverage import unit_rows
from dataengine.mine.strategy import Need, Task

MOST_CLUSTERS = 500
SMALL = 5
"""Clusters of at most so many frames come last."""
NEIGHBOURS = 20
NEIGHBOURS_AMONG = 1_000
"""Frames of one cluster among which neighbours are sought, evenly taken where it is larger."""
NEVER_ZERO = 1e-5
"""Added to a distance before it is inverted, as in the published code."""


class Typical:
    """Clusters of a shortlist, and how typical each frame is of its own.

    Args:
        task: The pool, what is labelled, and the stream that draws the first centres.
        shortlist: ``[S]`` candidate numbers, rising.
        picks: Candidates picked so far.
        wanted: Picks that are still to come.
    """

    def __init__(self, task: Task, shortlist: NDArray[np.int64], picks: Sequence[int], wanted: int) -> None:
        candidates = task.candidates
        self._numbers = np.union1d(shortlist, np.array(picks, np.int64))
        rows, sound = unit_rows(candidates.predictions.embeddings[self._numbers])
        known, known_sound = unit_rows(candidates.labelled_embeddings)
        known = known[known_sound]
        everything = np.concatenate([rows, known]) if len(known) else rows
        number = min(len(known) + len(picks) + wanted, MOST_CLUSTERS)
        belongs = k_means(everything, max(1, number), task.rng)
        self._cluster = belongs[: len(rows)]
        size = int(belongs.max(initial=0)) + 1
        self._num_frames = np.bincount(self._cluster, minlength=size)
        self._num_labelled = np.bincount(belongs[len(rows) :], minlength=size)
        self._typicality = np.where(sound, typicality(rows, self._cluster), 0.0)
        for pick in picks:
            self.add(pick)

    def gains(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Typicality in the cluster whose turn it is among these frames; 0 in the others."""
        places = np.searchsorted(self._numbers, numbers)
        present = np.unique(self._cluster[places])
        small = self._num_frames[present] <= SMALL
        order = np.lexsort((-self._num_frames[present], self._num_labelled[present], small))
        turn = present[order[:1]]
        return np.where(np.isin(self._cluster[places], turn), self._typicality[places], 0.0)

    def words(self, number: int) -> str:
        """Its cluster."""
        place = int(np.searchsorted(self._numbers, number))
        cluster = self._cluster[place]
        return (
            f"typicality {self._typicality[place]:.2f} in a cluster of {self._num_frames[cluster]} frames, "
            f"{self._num_labelled[cluster]} of it labelled or picked"
        )

    def add(self, number: int) -> None:
        """Its cluster has one more that is labelled."""
        place = int(np.searchsorted(self._numbers, number))
        self._num_labelled[self._cluster[place]] += 1


def typicality(rows: NDArray[np.float32], cluster: NDArray[np.int64]) -> NDArray[np.float64]:
    """``[N]`` one over the mean distance to the nearest neighbours in the same cluster; 1 where alone.

    Args:
        rows: ``[N, D]`` of length 1 or 0.
        cluster: ``[N]`` number of the cluster of each.
    """
    answer = np.ones(len(rows))
    order = np.argsort(cluster, kind="stable")
    edges = np.flatnonzero(np.diff(cluster[order], prepend=-1, append=-1))
    for begin, end in pairwise(edges):
        members = order[begin:end]
        if len(members) > 1:
            answer[members] = 1 / (_mean_distance(rows[members]) + NEVER_ZERO)
    return answer


def _mean_distance(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """``[M]`` mean Euclidean distance to the nearest other rows of one cluster."""
    number = max(1, min(NEIGHBOURS, len(rows) // 2))
    among = np.unique(np.linspace(0, len(rows) - 1, min(NEIGHBOURS_AMONG, len(rows))).astype(np.int64))
    squared = np.einsum("nd,nd->n", rows, rows)
    answer = np.empty(len(rows))
    step = NEIGHBOURS_AMONG
    for begin in range(0, len(rows), step):
        block = np.arange(begin, min(begin + step, len(rows)))
        distance = squared[block, None] + squared[among] - 2 * (rows[block] @ rows[among].T)
        distance[block[:, None] == among] = np.inf
        nearest = np.partition(distance, number - 1, axis=1)[:, :number]
        answer[block] = np.sqrt(np.maximum(nearest, 0), dtype=np.float64).mean(axis=1)
    return answer


TYPICAL = Diversity(
    name="typical",
    summary="the most typical of the largest cluster without labels",
    span="0 (another cluster's turn) up to 1e5 (its neighbours are copies)",
    needs=frozenset({Need.predictions}),
    source="Hacohen 2022, arXiv 2202.02794",
    start=Typical,
)

"""Near-duplicates of a whole workspace: by hash within clips, then by embedding across them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine.curate.embedding import Vectors
from dataengine.curate.groups import group
from dataengine.curate.hashes import hamming, near_duplicates
from dataengine.curate.neighbours import Index
from dataengine.curate.timeline import Timeline
from dataengine.schema import DUPLICATES

HASH, EMBEDDING = 0, 1
"""What said so, as a place in ``_KINDS``."""
_KINDS = ("hash", "embedding")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """Which frame stands for which.

    Attributes:
        best: ``[F]`` int64, the frame that each one repeats; -1 for frames that are the best of their
            group, or alone.
        kind: ``[F]`` int8, ``HASH`` or ``EMBEDDING``; without meaning where ``best`` is -1.
        distance: ``[F]`` float32 to the best one: differing bits, or cosine distance.
    """

    best: NDArray[np.int64]
    kind: NDArray[np.int8]
    distance: NDArray[np.float32]

    def table(self, timeline: Timeline) -> pa.Table:
        """Rows of schema ``DUPLICATES``, by frame id."""
        rows = np.flatnonzero(self.best >= 0)
        columns = [
            timeline.frame_ids.take(pa.array(rows)),
            timeline.frame_ids.take(pa.array(self.best[rows])),
            pa.array(_KINDS).take(pa.array(self.kind[rows])),
            pa.array(self.distance[rows]),
        ]
        return pa.Table.from_arrays(columns, schema=DUPLICATES)


def find(
    timeline: Timeline,
    flawed: NDArray[np.bool_],
    *,
    bits: int,
    embeddings: NDArray[np.float32] | None = None,
    distance: float = 0.0,
    advance: Callable[[int], None] = lambda _: None,
) -> Duplicates:
    """Find the groups, and the best frame of each.

    The best is one without a quality flag, then one with labels, then the sharpest, then the first by
    id. A clip's near-duplicates by hash are one group. The best frames of all clips' groups are then
    compared across clips: one within ``distance`` of a better one of another clip joins the nearest such.

    Args:
        timeline: All frames.
        flawed: ``[F]`` frames that carry a quality flag.
        bits: Most differing bits of two near-duplicates, 0..64.
        embeddings: ``[F, D]``; ``None`` compares hashes alone.
        distance: Largest cosine distance of two near-duplicates of different clips.
        advance: Called with how many frames were compared across clips.
    """
    order = best_first(timeline, flawed)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    best = _best_within_clips(timeline, rank, bits)
    kind = np.full(len(order), HASH, np.int8)
    if embeddings is not None:
        alone = order[best[order] < 0]
        index = Index(Vectors(embeddings), distance, apart=timeline.clips)
        across = group(index, alone, advance)
        joined = np.flatnonzero(across.best >= 0)
        _follow(best, across.best)
        kind[joined] = EMBEDDING
    away = np.zeros(len(order), np.float32)
    by_hash = np.flatnonzero((best >= 0) & (kind == HASH))
    away[by_hash] = hamming(timeline.phash[by_hash], timeline.phash[best[by_hash]])
    if embeddings is not None:
        away[joined] = across.distance[joined]
    return Duplicates(best=best, kind=kind, distance=away)


def best_first(timeline: Timeline, flawed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """``[F]`` frames in the order in which they are preferred."""
    return np.lexsort((-timeline.sharpness, ~timeline.labelled, flawed))  # stable: then by frame id


def _best_within_clips(timeline: Timeline, rank: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """The best frame of each frame's group by hash; -1 for that frame itself."""
    repeats = near_duplicates(timeline, bits)
    anchor = np.where(repeats < 0, np.arange(len(rank)), repeats)
    lowest = np.full(len(rank), len(rank), np.int64)
    np.minimum.at(lowest, anchor, rank)
    order = np.argsort(rank)
    best = order[lowest[anchor]] if len(rank) else anchor
    return np.where(best == np.arange(len(rank)), -1, best)


def _follow(best: NDArray[np.int64], across: NDArray[np.int64]) -> None:
    """Let each frame point to the best of the joined group; changes ``best``."""
    own = np.where(best < 0, np.arange(len(best)), best)
    final = np.where(across[own] < 0, own, across[own])
    np.copyto(best, np.where(final == np.arange(len(best)), -1, final))

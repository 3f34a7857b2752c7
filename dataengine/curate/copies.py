"""The leak test across all frames: no picture of the pool is in val or test, under whatever name.

Frames of two splits whose thumbnails and hashes are loosely alike are suspects, and the nearest of them
are looked at: they leak when they show the same picture in fine detail (see ``pictures``). A plain road is
a suspect now and then, and never a leak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dataengine.curate.embedding import Vectors
from dataengine.curate.hashes import hamming
from dataengine.curate.leaks import sides
from dataengine.curate.neighbours import Index, one_thread
from dataengine.curate.pictures import same_picture
from dataengine.curate.timeline import Timeline

DISTANCE, BITS = 5.0, 3.0
"""Suspects lie within this many times ``curate.duplicate_distance`` and ``duplicate_bits``. Nine in ten
copies without 2% at each border are at 0.03 and 6 bits at most, without 4% at 0.10 and 10 bits."""
MOST = 500
"""Suspects that are looked at: a few seconds."""
_BLOCK = 8192
_HELD = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """What the test found.

    Attributes:
        pairs: ``[C, 2]`` int64 frames that show one picture, the one of the side that yields first.
        looked_at: Pairs of frames whose pictures were compared.
        left_out: Suspects beyond ``MOST``, further apart than those.
    """

    pairs: NDArray[np.int64]
    looked_at: int
    left_out: int


def find(
    timeline: Timeline,
    splits: NDArray[np.int8],
    thumbnails: NDArray[np.float32],
    images: Sequence[Path],
    *,
    distance: float,
    bits: int,
) -> Copies:
    """Look for pictures that are on two sides of the splits.

    Args:
        timeline: All frames.
        splits: ``[F]`` split of each frame.
        thumbnails: ``[F, D]`` embeddings of ``embedders.thumbnail``.
        images: ``[F]`` image files.
        distance: ``curate.duplicate_distance``.
        bits: ``curate.duplicate_bits``.

    Raises:
        InputError: An image cannot be read.
    """
    with one_thread():
        pairs, number = _suspects(timeline, splits, thumbnails, distance * DISTANCE, round(bits * BITS))
    found = [pair for pair in pairs.tolist() if same_picture(images[pair[0]], images[pair[1]])]
    return Copies(
        pairs=np.array(found, np.int64).reshape(-1, 2), looked_at=len(pairs), left_out=number - len(pairs)
    )


def _suspects(
    timeline: Timeline, splits: NDArray[np.int8], thumbnails: NDArray[np.float32], distance: float, bits: int
) -> tuple[NDArray[np.int64], int]:
    """The nearest ``MOST`` suspects ``[P, 2]``, and how many there are in all."""
    side = sides(splits)
    index = Index(Vectors(thumbnails), distance)
    held: list[tuple[NDArray[np.float64], NDArray[np.int64]]] = []
    number = 0
    for later in (1, 2):
        index.add(np.flatnonzero(side == later - 1))
        asked = np.flatnonzero(side >= later)
        for begin in range(0, len(asked), _BLOCK):
            for found in index.search(asked[begin : begin + _BLOCK]):
                like = side[found.found] == later - 1  # the pool's were found before val joined the index
                like &= hamming(timeline.phash[found.query], timeline.phash[found.found]) <= bits
                number += int(like.sum())
                held.append((found.distance[like], np.stack([found.found[like], found.query[like]], 1)))
            if sum(len(one[0]) for one in held) > _HELD:
                held = [_nearest(held)]
    nearest = _nearest(held) if held else (np.zeros(0), np.zeros((0, 2), np.int64))
    return nearest[1], number


def _nearest(
    held: list[tuple[NDArray[np.float64], NDArray[np.int64]]],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    distance, pairs = np.concatenate([one[0] for one in held]), np.concatenate([one[1] for one in held])
    order = np.lexsort((pairs[:, 1], pairs[:, 0], distance))[:MOST]
    return distance[order], pairs[order]

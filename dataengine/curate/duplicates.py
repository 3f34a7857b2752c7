"""Near-duplicates by perceptual hash."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.curate.timeline import Timeline


def hamming(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Differing bits, 0..64, between hashes; the arrays broadcast as in ``left ^ right``."""
    differing = np.bitwise_xor(left, right)
    as_bytes = differing[..., None].view(np.uint8)
    bits: NDArray[np.uint8] = np.unpackbits(as_bytes, axis=-1).sum(-1, dtype=np.uint8)
    return bits


def near_duplicates(timeline: Timeline, bits: int) -> NDArray[np.int64]:
    """For each frame the earlier frame of its clip that it repeats, or -1.

    A clip is walked in the order of time: a frame whose hash is within ``bits`` of the last frame
    kept is a repeat of that one, else it is the next one kept. A slow drift is thus kept now and
    then, and a scene that comes back later counts as new.

    Args:
        timeline: All frames.
        bits: Most differing bits, 0..64.

    Returns:
        ``[F]`` frame numbers into ``timeline``.
    """
    repeats = np.full(len(timeline.frame_ids), -1, np.int64)
    hashes = [int(value) for value in timeline.phash]
    for frames in timeline.by_clip().values():
        kept = int(frames[0])
        for frame in frames[1:].tolist():
            if (hashes[kept] ^ hashes[frame]).bit_count() <= bits:
                repeats[frame] = kept
            else:
                kept = frame
    return repeats

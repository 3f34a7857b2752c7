"""Near-duplicates within a clip, by perceptual hash in the order of time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.curate.timeline import Timeline

_BITS_OF_16 = np.array([number.bit_count() for number in range(1 << 16)], np.uint8)


def hamming(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Differing bits, 0..64, between hashes; the arrays broadcast as in ``left ^ right``."""
    differing = np.ascontiguousarray(np.bitwise_xor(left, right))
    words = differing[..., None].view(np.uint16)
    bits: NDArray[np.uint8] = _BITS_OF_16[words].sum(-1, dtype=np.uint8)
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
    order = timeline.clip_order()
    repeats = np.full(len(order), -1, np.int64)
    kept, clip, look = -1, -1, 0
    walk = zip(order.tolist(), timeline.clips[order].tolist(), timeline.phash[order].tolist(), strict=True)
    for frame, its_clip, its_look in walk:
        if its_clip == clip and (look ^ its_look).bit_count() <= bits:
            repeats[frame] = kept
        else:
            kept, clip, look = frame, its_clip, its_look
    return repeats

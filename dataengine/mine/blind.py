"""Arms that look at no model: the baselines that every other arm has to beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.basket import Basket
from dataengine.mine.strategy import Arm, Task


def fill_random(task: Task, basket: Basket) -> None:
    """Frames in random order."""
    total = len(task.candidates)
    for number in task.rng.permutation(total).tolist():
        if basket.exhausted:
            return
        if basket.eligible[number]:
            basket.add(number, 0.0, "random", f"drawn at random from {total} frames")


def fill_random_clips(task: Task, basket: Basket) -> None:
    """Clips in random order, each with all its frames in the order of their ids."""
    clip = task.candidates.clip
    num_clips = int(clip.max(initial=-1)) + 1
    place = np.empty(num_clips, np.int64)
    place[task.rng.permutation(num_clips)] = np.arange(num_clips)
    for number in np.argsort(place[clip], kind="stable").tolist():
        if basket.exhausted:
            return
        if basket.eligible[number]:
            drawn = place[clip[number]] + 1
            reason = f"its clip was drawn at random: number {drawn} of {num_clips}"
            basket.add(number, 0.0, "random_clips", reason)


def fill_every_kth(_task: Task, basket: Basket) -> None:
    """Every k-th frame in the order of ids, which is the order of recording within a clip.

    The ranks visit the picks so that any beginning of the list is spread over the whole pool too:
    a budget in boxes or seconds may end anywhere.
    """
    while not basket.exhausted:
        rows = np.flatnonzero(basket.eligible)
        stride = len(rows) / min(basket.room, len(rows))
        places = ((np.arange(min(basket.room, len(rows))) + 0.5) * stride).astype(np.int64)
        for number in rows[places[spread_order(len(places))]].tolist():
            if basket.eligible[number]:
                reason = f"one frame in {stride:.1f}, counted through the pool as recorded"
                basket.add(number, 0.0, "every_kth", reason)


def spread_order(length: int) -> NDArray[np.int64]:
    """A permutation of ``0 .. length - 1`` whose beginnings are evenly spread (van der Corput, 1935)."""
    bits = max(1, int(length - 1).bit_length())
    index = np.arange(1 << bits)
    mirrored = np.zeros_like(index)
    for bit in range(bits):
        mirrored |= ((index >> bit) & 1) << (bits - 1 - bit)
    answer: NDArray[np.int64] = mirrored[mirrored < length]
    return answer


RANDOM = Arm(name="random", summary="frames drawn at random", fill=fill_random)
RANDOM_CLIPS = Arm(
    name="random_clips",
    summary="whole clips drawn at random",
    fill=fill_random_clips,
    whole_clips=True,
)
EVERY_KTH = Arm(name="every_kth", summary="every k-th frame as recorded", fill=fill_every_kth)

"""Which frames a fit sees, and when: an endless order that depends on the seed and the labels alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dataengine.frameboxes import FrameBoxes
from dataengine.streams import Streams


def repeat_factors(labels: FrameBoxes, num_classes: int, threshold: float) -> NDArray[np.float64]:
    """How often each frame is drawn in an epoch, on average.

    ``max(1, sqrt(threshold / share))`` for the rarest class in the frame, where ``share`` is the share of the
    frames that hold the class (Gupta 2019, LVIS, section 4.2). Ignore regions do not count.

    Args:
        labels: The labelled frames.
        num_classes: K.
        threshold: Share below which a class is repeated; 0 gives 1 everywhere.

    Returns:
        ``[F]`` factors, >= 1.
    """
    factors = np.ones(labels.num_frames)
    if threshold == 0 or labels.num_frames == 0:
        return factors
    real = ~labels.ignore
    holds = np.zeros((labels.num_frames, num_classes), bool)
    holds[labels.frame_index[real], labels.class_id[real]] = True
    share = holds.mean(0)
    of_class = np.sqrt(threshold / np.maximum(share, 1 / labels.num_frames)).clip(min=1)
    factors[:] = np.where(holds, of_class, 1).max(1)
    return factors


def batches(
    factors: NDArray[np.float64], batch_size: int, steps: range, streams: Streams, stream: str = "order"
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """The step and the ``[batch_size]`` frame numbers of each batch.

    Epochs follow one another without a gap, so every batch is full. Each epoch rounds the factors up or
    down at random and shuffles. Steps before ``steps.start`` are gone through without being yielded: the
    batch of a step is the same whether or not the fit was interrupted.
    """
    waiting = np.zeros(0, np.int64)
    epoch = 0
    for step in range(steps.stop):
        while len(waiting) < batch_size:
            rng = streams.generator(stream, epoch)
            times = np.floor(factors + rng.random(len(factors))).astype(np.int64)
            shuffled = rng.permutation(np.repeat(np.arange(len(factors)), times))
            waiting, epoch = np.concatenate([waiting, shuffled]), epoch + 1
        if step >= steps.start:
            yield step, waiting[:batch_size]
        waiting = waiting[batch_size:]


def together(
    own: Iterator[tuple[int, NDArray[np.int64]]], more: Iterator[tuple[int, NDArray[np.int64]]], number: int
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Batches of labelled frames with those of pseudo-labelled ones behind, numbered from ``number`` on."""
    for (step, first), (_, second) in zip(own, more, strict=True):
        yield step, np.concatenate([first, second + number])


def num_pseudo(share: float, batch_size: int) -> int:
    """Frames of a batch that are pseudo-labelled; at least one is not."""
    return min(round(share * batch_size), batch_size - 1)

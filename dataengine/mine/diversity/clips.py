"""Whole clips: pay for a clip, label one frame in so many of it.

Opening one clip and labelling along it is how recordings are often bought and drawn; what it gives up is
spread over the pool. Clips are ranked by the mean score of their frames, or drawn where no score is named.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.basket import Basket
from dataengine.mine.strategy import Arm, Score, Task


def whole_clips(score: Score | None, name: str) -> Arm:
    """The arm that buys clips by falling mean score, each at ``mine.clip_stride``."""

    def fill(task: Task, basket: Basket) -> None:
        fill_clips(task, basket, score)

    ranked_by = f"by their mean {score.name}" if score else "drawn at random"
    return Arm(
        name=name,
        summary=f"whole clips {ranked_by}, one frame in so many of each",
        fill=fill,
        needs=score.needs if score else frozenset(),
        whole_clips=True,
        source=score.source if score else "",
    )


def fill_clips(task: Task, basket: Basket, score: Score | None) -> None:
    """Clip after clip; when every clip is bought, the frames that the stride left out, in the same order."""
    clip, stride = task.candidates.clip, task.config.clip_stride
    num_clips = int(clip.max(initial=-1)) + 1
    sizes = np.bincount(clip, minlength=num_clips)
    if score:
        scores = score.compute(task)
        finite = np.where(scores.values > -1e299, scores.values, 0.0)
        worth = np.bincount(clip, weights=finite, minlength=num_clips) / np.maximum(sizes, 1)
    else:
        worth = task.rng.random(num_clips)
    order = np.argsort(-worth, kind="stable")
    place = np.empty(num_clips, np.int64)
    place[order] = np.arange(num_clips)
    within = rank_within(clip)
    left_out = within % stride != np.minimum(stride // 2, sizes[clip] - 1)
    for number in np.lexsort((within, place[clip], left_out)).tolist():
        if basket.exhausted:
            return
        if basket.eligible[number]:
            told = f"mean {score.name} {worth[clip[number]]:.3f}" if score else "drawn at random"
            reason = f"clip {place[clip[number]] + 1} of {num_clips}, {told}; one frame in {stride}"
            basket.add(number, worth[clip[number]] if score else 0.0, score.name if score else "clip", reason)


def rank_within(clip: NDArray[np.int64]) -> NDArray[np.int64]:
    """``[N]`` place of each frame in its clip, by id, from 0."""
    order = np.argsort(clip, kind="stable")
    starts = np.flatnonzero(np.diff(clip[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(clip)))
    answer = np.empty(len(clip), np.int64)
    answer[order] = np.arange(len(clip)) - np.repeat(starts, sizes)
    return answer

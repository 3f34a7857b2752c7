"""Selections that see the truth: what no arm can have, measured to know how much there is to gain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine.config import Budget, BudgetUnit, EvaluateConfig, LabelConfig
from dataengine.evaluate import count_errors
from dataengine.frameboxes import FrameBoxes
from dataengine.label.cost import drawn
from dataengine.mine import Pool
from dataengine.schema import ALL_LABELS, SELECTION


def select(
    name: str,
    pool: Pool,
    truth: FrameBoxes,
    *,
    budget: Budget,
    label: LabelConfig,
    judging: EvaluateConfig,
    max_per_clip: int,
    cycle: int,
) -> pa.Table:
    """The selection of one of ``mine.CEILINGS``.

    ``oracle`` takes, one after the other, the frame whose true boxes weigh most, where a box of class ``c``
    weighs ``1 / (1 + boxes of c labelled or taken so far)``: the gain in the logarithm of the counts.
    ``oracle_errors`` takes the frames with the most true mistakes of the current model, misses and false
    alarms. ``all_labels`` takes everything.

    Args:
        name: Which.
        pool: What may be bought.
        truth: True boxes of at least the frames of the pool; others are left out.
        budget: What may be spent; the true cost of every frame is known here, so it is never exceeded.
            ``all_labels`` takes no notice of it.
        label: What a frame and a box cost, for budgets in seconds.
        judging: What is a mistake.
        max_per_clip: Most frames of one clip; 0 is no limit.
        cycle: Number written into the selection.

    Returns:
        Table of schema ``SELECTION``.
    """
    ids = np.array(sorted(set(pool.frames["frame_id"].to_pylist()) & set(truth.frame_ids.tolist())), object)
    truth = truth.select(ids)
    clip_of = dict(zip(pool.frames["frame_id"].to_pylist(), pool.frames["clip_id"].to_pylist(), strict=True))
    clips = np.unique([clip_of[frame_id] for frame_id in ids], return_inverse=True)[1]
    prices = _prices(truth, budget.unit, label)
    if name == ALL_LABELS:
        picks, scores = list(range(len(ids))), [0.0] * len(ids)
    else:
        assert name in ("oracle", "oracle_errors")
        values = _gain(pool, truth) if name == "oracle" else _mistakes(pool, truth, judging)
        picks, scores = _greedy(values, clips, prices, budget.amount, max_per_clip)
    rows = [
        {
            "frame_id": ids[pick],
            "cycle": cycle,
            "rank": rank,
            "score": score,
            "trigger": name,
            "reason": "saw the truth",
        }
        for rank, (pick, score) in enumerate(zip(picks, scores, strict=True))
    ]
    return pa.Table.from_pylist(rows, SELECTION)


Values = Callable[[list[int]], NDArray[np.float64]]
"""What each frame is worth once some are taken, ``[F]``."""


def _gain(pool: Pool, truth: FrameBoxes) -> Values:
    """Gain in the logarithm of the counts of labelled and taken boxes."""
    counts = truth.class_counts(len(pool.classes)).astype(np.float64)
    labelled = pool.labelled_class_counts.astype(np.float64)
    return lambda taken: counts @ (1 / (1 + labelled + counts[taken].sum(axis=0)))


def _mistakes(pool: Pool, truth: FrameBoxes, judging: EvaluateConfig) -> Values:
    """The model's mistakes, whatever is taken."""
    assert pool.predictions is not None
    predicted = pool.predictions.boxes.select(truth.frame_ids)
    errors = count_errors(truth, predicted, judging).astype(np.float64)
    return lambda _: errors


def _prices(truth: FrameBoxes, unit: BudgetUnit, label: LabelConfig) -> NDArray[np.float64]:
    """``[F]`` what each frame costs in the unit of the budget."""
    if unit is BudgetUnit.frames:
        return np.ones(truth.num_frames)
    if unit is BudgetUnit.boxes:
        return drawn(truth).astype(np.float64)
    return np.asarray(label.seconds_per_frame + label.seconds_per_box * drawn(truth), np.float64)


def _greedy(
    values: Values,
    clips: NDArray[np.int64],
    prices: NDArray[np.float64],
    amount: float,
    max_per_clip: int,
) -> tuple[list[int], list[float]]:
    """The highest value again and again, ties by frame id, until the next one is too dear.

    Clips that are full wait until only they are left. Buying stops at the first frame that does not fit, as
    it does for every arm (``label.buy``).
    """
    picks: list[int] = []
    scores: list[float] = []
    free = np.ones(len(clips), np.bool_)
    in_clip = np.zeros(int(clips.max(initial=-1)) + 1, np.int64)
    left = amount
    while free.any():
        allowed = free & (in_clip[clips] < max_per_clip) if max_per_clip else free
        if not allowed.any():
            allowed = free
        worth = np.where(allowed, values(picks), -np.inf)
        pick = int(np.argmax(worth))
        if prices[pick] > left:
            break
        left -= float(prices[pick])
        picks.append(pick)
        scores.append(float(worth[pick]))
        free[pick] = False
        in_clip[clips[pick]] += 1
    return picks, scores

"""From a pool to a ranked pick under a budget."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from dataengine.config import Budget, BudgetUnit, LabelConfig, MineConfig
from dataengine.errors import InputError
from dataengine.mine.arms import arm
from dataengine.mine.basket import Basket
from dataengine.mine.candidates import Candidates, Pool
from dataengine.mine.strategy import Task
from dataengine.schema import SELECTION

SURPLUS = 2.0
"""Frames ranked for each that a budget in boxes or seconds is expected to buy: the real cost shows
only at labelling, which stops by itself, and a list that ends early would leave budget unspent."""

SPARE = 20
"""Frames ranked on top of that, for small budgets."""


def select(
    pool: Pool,
    *,
    budget: Budget,
    config: MineConfig,
    label: LabelConfig,
    duplicate_bits: int,
    cycle: int,
    rng: np.random.Generator,
) -> pa.Table:
    """Pick the frames to label next, the most wanted first.

    A budget in frames is filled exactly, or with the whole pool where that is smaller; one in boxes or
    seconds yields a longer list, which ``label.buy`` cuts at the real cost. The same pool, in whatever
    order, gives the same pick.

    Args:
        pool: The frames that may be bought.
        budget: How much.
        config: The arm and its settings.
        label: Costs, to plan a budget in seconds.
        duplicate_bits: Frames of one clip whose perceptual hashes differ in at most so many of 64
            bits are not picked together, unless the pool holds nothing else.
        cycle: Number written into the selection.
        rng: Stream of the selection.

    Returns:
        Table of schema ``SELECTION``; ``rank`` counts from 0. Of two picks of one trigger, the higher
        ``score`` was more wanted; scores are 0 in arms that look at no model.

    Raises:
        ConfigError: There is no arm of that name.
        InputError: The labelled frames, or the predictions, are of another taxonomy than the pool.
    """
    strategy = arm(config.name, config)
    check_taxonomy(pool)
    candidates = Candidates(pool, config.min_score)
    basket = Basket(
        candidates,
        num_wanted(candidates, budget, label),
        max_per_clip=0 if strategy.whole_clips else config.max_per_clip,
        duplicate_bits=duplicate_bits,
        min_gap_s=0.0 if strategy.whole_clips else config.min_gap_s,
    )
    task = Task(candidates=candidates, config=config, rng=rng)
    strategy.fill(task, basket)
    for _ in range(3):  # three limits to lift
        if basket.room:
            basket.loosen()
            strategy.fill(task, basket)
    assert not basket.room, f"arm {config.name} left its basket short"
    picks = np.array(basket.picks, np.int64)
    columns = [
        candidates.frame_ids.take(pa.array(picks)),
        pa.array(np.full(len(picks), cycle, np.int32)),
        pa.array(np.arange(len(picks), dtype=np.int32)),
        pa.array(np.array(basket.scores, np.float32)),
        pa.array(basket.triggers, pa.string()),
        pa.array(basket.reasons, pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=SELECTION)


def check_taxonomy(pool: Pool) -> None:
    """Every part of a pool must speak of the same classes, and of embeddings of the same width.

    Raises:
        InputError: One does not; the message says which, and what to do.
    """
    names = f"{len(pool.classes)} classes ({', '.join(pool.classes)})"
    remedy = "label the frames in this workspace, or start another for that taxonomy"
    if len(pool.labelled_class_counts) != len(pool.classes):
        num = len(pool.labelled_class_counts)
        raise InputError(f"the labelled frames count {num} classes, the pool {names}: {remedy}")
    for name, known in (("labelled", pool.labelled), ("val", pool.val)):
        highest = int(known.truth.class_id.max(initial=-1)) if known else -1
        if highest >= len(pool.classes):
            raise InputError(f"the {name} frames hold class number {highest}, the pool {names}: {remedy}")
    if pool.predictions is None:
        return
    num = pool.predictions.class_scores.shape[1]
    if num != len(pool.classes):
        raise InputError(f"the predictions score {num} classes, the pool has {names}: predict it again")
    wide, known_wide = pool.predictions.embeddings.shape[1], pool.labelled_embeddings.shape[1]
    if len(pool.labelled_embeddings) and pool.predictions.boxes.num_frames and wide != known_wide:
        raise InputError(
            f"embeddings of labelled frames hold {known_wide} values, those of the pool {wide}: they are of "
            "another detector; predict both with the same"
        )


def num_wanted(candidates: Candidates, budget: Budget, label: LabelConfig) -> int:
    """How many frames to rank for a budget; at most the pool."""
    total = len(candidates)
    if budget.unit is BudgetUnit.frames:
        return min(total, math.floor(budget.amount))
    boxes = candidates.expected_boxes_per_frame()
    price = boxes
    if budget.unit is BudgetUnit.seconds:
        price = label.seconds_per_frame + label.seconds_per_box * boxes
    if budget.amount == 0:
        return 0
    if price == 0:
        return total
    return min(total, math.ceil(SURPLUS * budget.amount / price) + SPARE)

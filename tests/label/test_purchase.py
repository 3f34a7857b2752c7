"""Spending a budget."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from dataengine.config import Budget, BudgetUnit, LabelConfig
from dataengine.label import Cost, buy
from tests.label.annotators import Counting, ranked

CONFIG = LabelConfig(seconds_per_frame=5, seconds_per_box=10)
FRAMES = {"a": 2, "b": 0, "c": 3, "d": 1}  # costs 25, 5, 35 and 15 seconds

TABLE = [
    # unit, amount, bought, why
    (BudgetUnit.frames, 2, "ab", "as many as asked"),
    (BudgetUnit.frames, 2.9, "ab", "no part of a frame"),
    (BudgetUnit.frames, 99, "abcd", "the list ends"),
    (BudgetUnit.frames, 0, "", "nothing to spend"),
    (BudgetUnit.frames, math.inf, "abcd", "no limit"),
    (BudgetUnit.boxes, 5, "abc", "exactly spent"),
    (BudgetUnit.boxes, 4, "ab", "c does not fit, and d is not bought in its place"),
    (BudgetUnit.boxes, 2, "ab", "an empty frame costs no box"),
    (BudgetUnit.boxes, 1, "", "the first does not fit"),
    (BudgetUnit.seconds, 65, "abc", "exactly spent"),
    (BudgetUnit.seconds, 64.9, "ab", "a moment too few"),
    (BudgetUnit.seconds, 24, "", "the first does not fit"),
]


@pytest.mark.parametrize(
    ("unit", "amount", "bought", "why"), TABLE, ids=[f"{r[0].name}-{r[3]}" for r in TABLE]
)
def test_buying_stops_at_the_real_cost(unit: BudgetUnit, amount: float, bought: str, why: str) -> None:
    labels, cost = buy(Counting(FRAMES), ranked(*FRAMES), Budget(amount=amount, unit=unit), CONFIG)
    assert "".join(labels.frame_ids) == bought, why
    assert cost == Cost.of(len(bought), sum(FRAMES[frame] for frame in bought), CONFIG)
    assert labels.num_boxes == cost.boxes


def test_rank_decides_not_the_order_of_rows() -> None:
    selection = ranked("c", "a", "b").take(pa.array(np.array([2, 0, 1])))
    labels, _ = buy(Counting(FRAMES), selection, Budget(amount=2), CONFIG)
    assert labels.frame_ids.tolist() == ["c", "a"]


def test_what_cannot_be_labelled_is_not_paid_for() -> None:
    labels, cost = buy(Counting({"a": 1, "c": 1}), ranked("a", "b", "c"), Budget(amount=2), CONFIG)
    assert labels.frame_ids.tolist() == ["a", "c"]
    assert cost.frames == 2


def test_an_empty_selection() -> None:
    labels, cost = buy(Counting(FRAMES), ranked(), Budget(amount=3), CONFIG)
    assert labels.num_frames == 0
    assert cost == Cost()

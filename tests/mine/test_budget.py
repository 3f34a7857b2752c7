"""How long a list to rank for a budget that only labelling can measure."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.config import Budget, BudgetUnit, LabelConfig
from dataengine.mine.candidates import Candidates
from dataengine.mine.selection import num_wanted
from tests.mine.pools import by_hand, pick, picked, synthetic

LABEL = LabelConfig(seconds_per_frame=5, seconds_per_box=10)


def candidates(scores: list[float], frames: int = 200) -> Candidates:
    """Frames that each predict one car for each score."""
    rows = [[score, 0.0, 0.0] for score in scores]
    return Candidates(by_hand([(f"c{i:03d}/0", rows) for i in range(frames)]), 0.05)


def test_frames_are_exact_and_end_with_the_pool() -> None:
    pool = candidates([0.5])
    assert num_wanted(pool, Budget(amount=12.9), LABEL) == 12
    assert num_wanted(pool, Budget(amount=1e9), LABEL) == 200


@pytest.mark.parametrize(
    ("unit", "amount", "wanted", "why"),
    [
        (BudgetUnit.boxes, 60, 80, "2 boxes a frame: 30 frames, twice that, and 20 spare"),
        (BudgetUnit.seconds, 250, 40, "5 + 2 x 10 seconds a frame: 10 frames, twice that, and 20 spare"),
        (BudgetUnit.boxes, 0, 0, "nothing to spend"),
        (BudgetUnit.seconds, 1e9, 200, "the pool"),
    ],
)
def test_a_list_longer_than_the_estimate(unit: BudgetUnit, amount: float, wanted: int, why: str) -> None:
    assert num_wanted(candidates([0.9, 0.6, 0.5]), Budget(amount=amount, unit=unit), LABEL) == wanted, why


def test_free_labels_rank_the_pool() -> None:
    free = LabelConfig(seconds_per_frame=0, seconds_per_box=0)
    assert num_wanted(candidates([0.9]), Budget(amount=1, unit=BudgetUnit.seconds), free) == 200


def test_boxes_expected_in_a_frame() -> None:
    assert candidates([0.9, 0.6, 0.04]).expected_boxes_per_frame() == pytest.approx(1.5)
    assert candidates([]).expected_boxes_per_frame() == 0.2  # a model that predicts nothing is no promise
    pool = by_hand([("a/0", [])], labelled=np.ones((10, 1)), counts=(20, 10, 5))
    blind = type(pool)(
        frames=pool.frames,
        predictions=None,
        labelled_embeddings=pool.labelled_embeddings,
        labelled_class_counts=pool.labelled_class_counts,
        classes=pool.classes,
    )
    assert Candidates(blind, 0.05).expected_boxes_per_frame() == pytest.approx(3.5)


@pytest.mark.parametrize("arm", ["random", "uncertainty", "coverage"])
def test_a_longer_list_begins_like_a_shorter_one(arm: str) -> None:
    """Without limits in the way, what a budget in seconds cuts off changes nothing before the cut."""
    pool = synthetic()
    short, long = (picked(pick(pool, arm, n, max_per_clip=0, bits=-1)) for n in (10, 30))
    assert long[:10] == short

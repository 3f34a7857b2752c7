"""The chance that a predicted box is what it is said to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataengine import mine
from dataengine.mine.candidates import Candidates
from dataengine.mine.errors_model import Calibration, calibration, true_chance
from tests.mine.errors_model.judged import CAR, CYCLIST, PEDESTRIAN, detector, known
from tests.mine.pools import by_hand, shuffled, synthetic

GRID = np.linspace(0.05, 0.95, 19, dtype=np.float32)


def candidates(val: mine.Known | None, labelled: mine.Known | None = None) -> Candidates:
    return Candidates(replace(by_hand([]), val=val, labelled=labelled), 0.05)


def chances(val: mine.Known | None, kind: int, labelled: mine.Known | None = None) -> np.ndarray:
    """``[19]`` chance of a class over ``GRID``."""
    found = calibration(candidates(val, labelled))
    return said(found, kind, GRID)


def said(found: Calibration, kind: int, scores: np.ndarray) -> np.ndarray:
    """``[N]`` chance of boxes said to be of a class with these scores, and 0 for the others."""
    rows = np.where(np.arange(3) == kind, scores[:, None], 0.0).astype(np.float32)
    return found(rows, np.full(len(rows), kind))[:, kind]


def test_chances_are_those_of_the_detector() -> None:
    """Right by ``score ** 3`` for cars, by ``score ** 0.3`` for pedestrians: too sure, not sure enough."""
    val = detector({CAR: 3.0, PEDESTRIAN: 0.3}, drives=60)
    inner = slice(3, -3)
    np.testing.assert_allclose(chances(val, CAR)[inner], GRID[inner] ** 3, atol=0.1)
    np.testing.assert_allclose(chances(val, PEDESTRIAN)[inner], GRID[inner] ** 0.3, atol=0.12)


def test_a_class_that_val_lacks_goes_by_the_others() -> None:
    val = detector({CAR: 3.0, PEDESTRIAN: 3.0})
    np.testing.assert_allclose(chances(val, CYCLIST), GRID**3, atol=0.15)


def test_val_comes_before_labelled_frames() -> None:
    """The labelled frames flatter: all right. They count for the class that val lacks, and for no other."""
    val = detector({CAR: 3.0})
    flattering = detector({CAR: 0.0, CYCLIST: 0.05}, seed=1, prefix="l")
    found = calibration(candidates(val, flattering))
    assert "val and" in found.note
    assert "pedestrian, cyclist: too few in val" in found.note
    np.testing.assert_allclose(chances(val, CAR, flattering), chances(val, CAR), atol=0.1)
    assert chances(val, CYCLIST, flattering)[9] > chances(val, CAR, flattering)[9] + 0.2


@pytest.mark.parametrize("val", [None, detector({CAR: 0.0}), detector({CAR: 1e9}), detector({}, drives=2)])
def test_without_both_outcomes_the_scores_stay(val: mine.Known | None) -> None:
    found = calibration(candidates(val))
    assert found.note.startswith("scores as they are")
    assert np.isnan(found.held_out_auc)
    np.testing.assert_allclose(chances(val, CAR), GRID, atol=1e-6)


def test_its_ranking_quality_is_told() -> None:
    assert calibration(candidates(detector({CAR: 1.0}))).held_out_auc == pytest.approx(0.83, abs=0.06)


@given(st.integers(0, 50))
def test_chances_stay_within_zero_and_one_and_rise_with_the_score(seed: int) -> None:
    rng = np.random.default_rng(seed)
    val = detector({CAR: rng.uniform(-0.5, 4), CYCLIST: rng.uniform(0, 4)}, seed=seed, drives=3)
    found = calibration(candidates(val))
    for kind in (CAR, PEDESTRIAN, CYCLIST):
        chance = said(found, kind, np.linspace(0, 1, 50))
        assert ((chance >= 0) & (chance <= 1)).all()
        assert (np.diff(chance) >= 0).all()


def test_a_class_that_is_not_said_gets_what_swapped_boxes_had() -> None:
    """Every fourth pedestrian box stands on a cyclist, for which it scores 0.2."""
    frames = [
        (f"v{i:03d}/0", [(0, PEDESTRIAN, 0.6)], [(0, CYCLIST if i % 4 == 0 else PEDESTRIAN)])
        for i in range(80)
    ]
    val = known([*frames, ("w/0", [(0, CAR, 0.1)], [])])
    scores = val.predictions.class_scores.copy()
    scores[scores[:, PEDESTRIAN] > 0, CYCLIST] = 0.2
    scores[::3, CAR] = 0.05
    val = replace(val, predictions=replace(val.predictions, class_scores=scores))
    found = calibration(candidates(val))
    chance = found(np.array([[0.0, 0.6, 0.2]], np.float32), np.array([PEDESTRIAN]))[0]
    assert chance == pytest.approx([0.0, 0.75, 0.25], abs=0.08)


def test_an_object_counts_for_one_box() -> None:
    """A detector that says two classes of one place: the box of the right one is the object."""
    frames = [(f"v{i:03d}/0", [(0, CAR, 0.8), (0, PEDESTRIAN, 0.3)], [(0, CAR)]) for i in range(40)]
    val = known([*frames, ("w/0", [(0, CAR, 0.1)], [])])
    both = np.tile(np.array([[0.8, 0.3, 0.0]], np.float32), (81, 1))
    both[-1] = [0.1, 0, 0]
    val = replace(val, predictions=replace(val.predictions, class_scores=both))
    found = calibration(candidates(val))
    chance = found(both[:2], np.array([CAR, PEDESTRIAN]))
    assert chance[:, CAR].sum() == pytest.approx(1, abs=0.1)
    assert chance[:, PEDESTRIAN].sum() < 0.3


def test_rows_are_those_of_the_candidates_boxes() -> None:
    pool = synthetic()
    found = Candidates(pool, 0.1)
    assert true_chance(found).shape == (len(found.boxes.score), 3)
    np.testing.assert_array_equal(true_chance(found), true_chance(Candidates(shuffled(pool, 1), 0.1)))

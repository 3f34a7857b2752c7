"""Disagreement between views."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataengine.mine.scores.consistency import (
    CONSISTENCY,
    FLIP_CONSISTENCY,
    MODERATE,
    cald_consistency,
    jensen_shannon,
    symmetric_divergence,
)
from tests.mine.pools import pick, picked
from tests.mine.scores.looks import FAR, HERE, RIGHT, look, opinion, pool_of, task_of

CAR, BIKE, HALF = (0.9, 0.0, 0.0), (0.0, 0.0, 0.9), (0.45, 0.0, 0.0)
chances = st.lists(st.floats(0, 1), min_size=3, max_size=3)


def test_divergences_by_hand() -> None:
    p, q = np.array([[0.8, 0.5]]), np.array([[0.2, 0.5]])
    assert symmetric_divergence(p, q)[0] == pytest.approx(0.6 * 2 * math.log(4))
    one, other = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    assert jensen_shannon(one, other)[0] == pytest.approx(math.log(2))
    assert jensen_shannon(one, 0.3 * one)[0] == pytest.approx(0)
    assert jensen_shannon(one, np.array([[0.5, 0.5]]))[0] == pytest.approx(
        (math.log(4 / 3) + 0.5 * math.log(2 / 3) + 0.5 * math.log(2)) / 2
    )


@given(chances, chances)
def test_divergences_are_symmetric_and_bounded(first: list[float], second: list[float]) -> None:
    p, q = np.array([first]), np.array([second])
    for measure in (symmetric_divergence, jensen_shannon):
        assert measure(p, q)[0] == pytest.approx(measure(q, p)[0])
        assert measure(p, q)[0] >= 0
        assert measure(p, p)[0] == pytest.approx(0, abs=1e-12)
    assert jensen_shannon(p, q)[0] <= math.log(2) + 1e-12


def test_metric_of_cald_by_hand() -> None:
    """Same: 1 + 0.9; moved: 80 / 120 + 0.9; other class: 1 + (1 - ln 2) * 0.9; half as sure: 1 + 0.675."""
    plain = opinion(*[[(HERE, CAR)]] * 4, [])
    view = opinion([(HERE, CAR)], [(RIGHT, CAR)], [(HERE, BIKE)], [(HERE, HALF)], [(HERE, CAR)])
    expected = [
        1 + 0.9 - MODERATE,
        abs(80 / 120 + 0.9 - MODERATE),
        abs(1 + (1 - math.log(2)) * 0.9 - MODERATE),
        abs(1 + (0.9 + 0.45) / 2 - MODERATE),
        np.nan,
    ]
    np.testing.assert_allclose(cald_consistency(plain, [view]), expected, atol=1e-6)


def test_the_lowest_box_of_a_frame_and_the_mean_of_the_views() -> None:
    plain = opinion([(HERE, CAR), (FAR, CAR)])
    moved, same = opinion([(RIGHT, CAR), (FAR, CAR)]), opinion([(HERE, CAR), (FAR, CAR)])
    low, high = abs(80 / 120 + 0.9 - MODERATE), 1 + 0.9 - MODERATE
    np.testing.assert_allclose(cald_consistency(plain, [moved]), [low], atol=1e-6)
    np.testing.assert_allclose(cald_consistency(plain, [moved, same]), [(low + high) / 2], atol=1e-6)


def test_a_box_that_is_gone() -> None:
    """Nothing overlaps: the surest box of the view stands for it. Without any box the view counts as 0."""
    plain = opinion([(HERE, CAR)], [(HERE, CAR)])
    view = opinion([(FAR, HALF), (FAR, (0.9, 0, 0))], [])
    np.testing.assert_allclose(cald_consistency(plain, [view]), [MODERATE - 0.9, 0], atol=1e-6)


def test_blanks_come_last() -> None:
    """Where CALD would begin with them."""
    plain = look([], [(HERE, CAR)], [(HERE, CAR)])
    view = look([], [(HERE, CAR)], [(RIGHT, CAR)])
    pool = pool_of(plain, flip=view, scale=view)
    assert picked(pick(pool, "consistency", 3)) == ["c2/0", "c1/0", "c0/0"]
    found = CONSISTENCY.compute(task_of(pool))
    assert found.values[0] == 0
    assert found.reason(0).startswith("no predicted boxes")
    assert found.reason(1) == "consistency between views within 0.60 of what CALD looks for"


def test_a_box_that_changes_its_class_when_mirrored() -> None:
    plain = look([(HERE, CAR)], [(HERE, CAR)], [(HERE, CAR)], [], [(HERE, (0.02, 0, 0))])
    mirrored = look([(HERE, CAR)], [(RIGHT, BIKE)], [], [], [])
    pool = pool_of(plain, flip=mirrored)
    found = FLIP_CONSISTENCY.compute(task_of(pool, min_score=0.01))
    change = 0.89 * (math.log(9) + math.log(99))
    np.testing.assert_allclose(
        found.values, [0, 2 * change, change, 0, 0.01 * math.log(98 / 48.5)], rtol=0.05
    )
    assert picked(pick(pool, "flip_consistency", 2)) == ["c1/0", "c2/0"]
    assert found.reason(1).startswith("divergence 12.")

"""Objects that no box shows."""

from __future__ import annotations

import numpy as np

from dataengine.mine.errors_model.unseen import Unseen

RNG = np.random.default_rng(0)
DRIVE = np.repeat(np.arange(40), 15)
ROWS = RNG.normal(size=(600, 8))


def one_class(holds: np.ndarray, number: int = 1) -> Unseen:
    return Unseen.of(ROWS, number * holds.astype(np.int64)[:, None], DRIVE)


def test_what_shows_in_every_drive_is_learned() -> None:
    holds = ROWS[:, 0] > 0.5
    found = one_class(holds, number=3)
    assert found(ROWS)[holds].mean() > 2.4  # of 3
    assert found(ROWS)[~holds].mean() < 0.3
    np.testing.assert_allclose(found.held_out.sum(), 3 * holds.sum(), rtol=0.05)


def test_what_only_tells_drives_apart_is_drawn_back_to_the_rate() -> None:
    """Four drives hold the class, and by chance look alike: other drives that look so do not hold it."""
    holds = DRIVE < 4
    rows = ROWS + np.repeat(RNG.normal(size=(40, 8)) * 3, 15, axis=0)
    found = Unseen.of(rows, holds.astype(np.int64)[:, None], DRIVE)
    others = np.random.default_rng(9).normal(size=(600, 8)) * 3
    assert found(others).max() < 0.35
    np.testing.assert_allclose(found(others).mean(), 0.1, atol=0.05)


def test_a_class_of_one_drive_or_of_none_has_a_rate_alone() -> None:
    counts = np.column_stack([DRIVE == 7, np.zeros(600), np.full(600, 2)]).astype(np.int64)
    found = Unseen.of(ROWS, counts, DRIVE)
    np.testing.assert_allclose(found(ROWS[:4]), [[15 / 600, 0, 2]] * 4)


def test_no_class_and_no_frame() -> None:
    assert Unseen.of(ROWS, np.zeros((600, 0), np.int64), DRIVE)(ROWS).shape == (600, 0)

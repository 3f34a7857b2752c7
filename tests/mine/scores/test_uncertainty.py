"""Uncertainty of boxes and of frames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataengine.config import MineConfig
from dataengine.mine.candidates import Candidates
from dataengine.mine.scores.uncertainty import entropy, frame_scores, margin
from tests.mine.pools import by_hand, pick, picked

TABLE = [
    # class scores, entropy in bits, margin uncertainty, why
    ([0.5, 0.0, 0.0], 1.0, 1.0, "a coin's toss between a car and nothing"),
    ([1.0, 0.0, 0.0], 0.0, 0.0, "certain"),
    ([0.0, 0.0, 0.0], 0.0, 0.0, "certain that there is nothing"),
    ([0.9, 0.0, 0.0], 0.4690, 0.2, "fairly sure"),
    ([0.1, 0.0, 0.0], 0.4690, 0.2, "fairly sure that there is nothing"),
    ([0.5, 0.5, 0.0], 1.0, 1.0, "two classes level (softmax)"),
    ([0.9, 0.9, 0.0], 0.4690, 1.0, "two classes level (sigmoid): only the margin sees it"),
    ([0.8, 0.15, 0.05], 0.7219, 0.4, "0.8 against 0.2 for nothing"),
]


@pytest.mark.parametrize(("scores", "bits", "level", "why"), TABLE, ids=[row[-1] for row in TABLE])
def test_uncertainty_of_a_box(scores: list[float], bits: float, level: float, why: str) -> None:
    assert entropy(np.array([scores]))[0] == pytest.approx(bits, abs=1e-4), why
    assert margin(np.array([scores]))[0] == pytest.approx(level, abs=1e-9), why


@given(st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=1, max_size=8))
def test_both_stay_within_zero_and_one(rows: list[list[float]]) -> None:
    for measure in (entropy, margin):
        values = measure(np.array(rows))
        assert ((values >= 0) & (values <= 1 + 1e-12)).all()
        np.testing.assert_allclose(measure(np.array(rows)[:, ::-1]), values)


def scores_of(frames: list[tuple[str, list[list[float]]]], **settings: str | float) -> list[float]:
    config = MineConfig(**settings)  # type: ignore[arg-type]
    found = frame_scores(Candidates(by_hand(frames), config.min_score).boxes, len(frames), config)
    return [round(value, 4) for value in found.tolist()]


def sure(value: float) -> list[float]:
    """A box whose margin uncertainty is ``value`` (0..1)."""
    return [1 - value / 2, 0.0, 0.0]


def test_aggregates() -> None:
    frames = [("a/0", [sure(0.2), sure(0.6)]), ("b/0", []), ("c/0", [sure(0.4)])]
    assert scores_of(frames, uncertainty="margin", aggregate="max") == [0.6, 0.0, 0.4]
    assert scores_of(frames, uncertainty="margin", aggregate="mean") == [0.4, 0.0, 0.4]
    assert scores_of(frames, uncertainty="margin", aggregate="sum") == [0.8, 0.0, 0.4]


def test_mean_looks_at_the_ten_highest() -> None:
    crowd = [sure(0.5)] * 10 + [sure(0.0)] * 30
    assert scores_of([("a/0", crowd)], uncertainty="margin", aggregate="mean") == [0.5]


def test_faint_boxes_are_not_looked_at() -> None:
    assert scores_of([("a/0", [[0.04, 0, 0]])], min_score=0.05) == [0.0]
    assert scores_of([("a/0", [[0.06, 0, 0]])], min_score=0.05) != [0.0]


def test_the_least_certain_come_first_and_empty_frames_last() -> None:
    frames = [
        ("a/0", [sure(0.1)]),
        ("b/0", []),
        ("c/0", [sure(0.9)]),
        ("d/0", [sure(0.5)]),
        ("e/0", [sure(0.5)]),
    ]
    selection = pick(by_hand(frames), "uncertainty", 5, uncertainty="margin")
    assert picked(selection) == ["c/0", "d/0", "e/0", "a/0", "b/0"]  # d before e: ties by frame id
    np.testing.assert_allclose(selection["score"].to_numpy(), [0.9, 0.5, 0.5, 0.1, 0.0], atol=1e-6)
    assert selection["reason"][0].as_py() == "mean margin 0.90; predicted boxes: 1"
    assert selection["reason"][4].as_py().startswith("no predicted boxes")


def test_boxes_of_classes_that_are_labelled_little_count_for_more() -> None:
    """40, 20 and 2 labelled boxes: a half-sure cyclist beats two half-sure cars in a frame."""
    frames = [("a/0", [[0.5, 0.0, 0.0]] * 2), ("b/0", [[0.0, 0.0, 0.6]])]
    pool = by_hand(frames)
    assert picked(pick(pool, "uncertainty", 2, aggregate="sum")) == ["a/0", "b/0"]
    selection = pick(pool, "uncertainty", 2, aggregate="sum", class_weighted=True)
    assert picked(selection) == ["b/0", "a/0"]
    np.testing.assert_allclose(selection["score"].to_numpy(), [0.97095 * 65 / 3, 2 * 65 / 41], rtol=1e-4)
    assert selection["reason"][0].as_py() == "sum weighted entropy 21.04; predicted boxes: 1"

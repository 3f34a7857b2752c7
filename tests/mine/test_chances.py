"""Scores calibrated on frames whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine import mine
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.mine import chances
from dataengine.mine.candidates import Candidates
from dataengine.mine.odds import chance_of
from tests.mine.pools import by_hand, frame_rows, synthetic


def known(frames: list[list[tuple[int, float, bool]]]) -> mine.Known:
    """Frames of (class, score, whether it is right), far from each other; the right ones are the truth."""
    ids = [f"known{number:03d}/000000" for number in range(len(frames))]
    rows = [row for frame in frames for row in frame]
    places = [[40.0 * n, 0.0, 40.0 * n + 10, 10.0] for frame in frames for n in range(len(frame))]
    scores = np.zeros((len(rows), 3), np.float32)
    for row, (kind, score, _) in enumerate(rows):
        scores[row, kind] = score
    right = np.array([row[2] for row in rows], bool)
    kinds = np.array([row[0] for row in rows])
    found = FrameBoxes.build(ids, [len(frame) for frame in frames], places, kinds, score=scores.max(axis=1))
    return mine.Known(
        frames=frame_rows(ids),
        truth=found.filter(right),
        predictions=Predictions(
            boxes=found, class_scores=scores, embeddings=np.zeros((len(ids), 1), np.float32)
        ),
    )


def test_logistic_finds_the_slopes_that_made_the_answers() -> None:
    rng = np.random.default_rng(5)
    signs = np.column_stack([np.ones(20_000), rng.normal(size=20_000)])
    right = (rng.random(20_000) < chance_of(signs @ np.array([-1.0, 2.0]))).astype(float)
    assert chances.logistic(signs, right, np.zeros(2), np.full(2, 1e-3)) == pytest.approx([-1, 2], abs=0.1)


def test_logistic_without_examples_is_its_prior() -> None:
    prior = np.array([0.5, -2.0])
    assert chances.logistic(np.zeros((0, 2)), np.zeros(0), prior, np.ones(2)).tolist() == prior.tolist()


@pytest.mark.parametrize("answer", [0.0, 1.0])
def test_logistic_stays_finite_where_every_answer_is_the_same(answer: float) -> None:
    signs = np.column_stack([np.ones(500), np.linspace(-9, 9, 500)])
    slopes = chances.logistic(signs, np.full(500, answer), np.array([-1.0, 1.5]), np.ones(2))
    assert np.isfinite(slopes).all()
    assert (chance_of(signs @ slopes).mean() > 0.5) == (answer == 1)


def test_chances_are_the_share_that_was_right() -> None:
    """At a score of 0.5 nine of ten were right, at 0.1 one of ten."""
    frames = [[(0, 0.5, number % 10 > 0), (0, 0.1, number % 10 == 0)] for number in range(200)]
    pool = replace(by_hand([("a/0", [[0.5, 0, 0]]), ("b/0", [[0.1, 0, 0]])]), labelled=known(frames))
    assert chances.own_chances(Candidates(pool, 0.05)) == pytest.approx([0.9, 0.1], abs=0.05)


def test_a_class_may_be_trusted_less_than_another() -> None:
    frames = [[(0, 0.3, True), (2, 0.3, number % 10 == 0)] for number in range(200)]
    pool = replace(by_hand([("a/0", [[0.3, 0, 0]]), ("b/0", [[0, 0, 0.3]])]), labelled=known(frames))
    car, cyclist = chances.own_chances(Candidates(pool, 0.05))
    assert car > 0.9
    assert cyclist == pytest.approx(0.1, abs=0.06)


def test_nothing_known_leaves_the_prior_and_its_order() -> None:
    pool = replace(
        by_hand([(f"c{i}/0", [[score, 0, 0]]) for i, score in enumerate((0.1, 0.4, 0.9))]), labelled=None
    )
    found = chances.own_chances(Candidates(pool, 0.05))
    assert (np.diff(found) > 0).all()
    assert found[0] < 0.05
    assert found[2] > 0.5


def test_the_rest_of_the_clip_speaks_for_a_box() -> None:
    """Two frames of one clip that both show a cyclist, and one that is alone with it."""
    shown = [[0.0, 0.0, 0.3]]
    pool = by_hand([("a/0", shown), ("a/1", shown), ("b/0", shown), ("b/1", [])])
    together, _, alone = chances.own_chances(Candidates(replace(pool, labelled=None), 0.05))
    assert together > alone


def test_labelled_frames_of_a_clip_count_as_its_company() -> None:
    shown = [[0.0, 0.0, 0.3]]
    pool = by_hand([("known000/1", shown), ("other/1", shown)])
    pool = replace(pool, labelled=known([[(2, 0.9, True)]]))
    supported, alone = chances.own_chances(Candidates(pool, 0.05))
    assert supported > alone


def test_predictions_in_ignore_regions_are_no_examples() -> None:
    part = known([[(0, 0.5, True)]])
    truth = replace(part.truth, ignore=np.array([True]))
    counts, right = chances._judged(replace(part, truth=truth))
    assert counts.tolist() == [False]
    assert right.tolist() == [0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_count_as_nothing(bad: float) -> None:
    pool = by_hand([("a/0", [[bad, 0.2, 0]]), ("b/0", [[0, 0.2, 0]])])
    assert np.isfinite(chances.expected_counts(Candidates(pool, 0.05))).all()


def test_expected_counts_add_up_the_boxes_of_a_frame() -> None:
    pool = replace(
        by_hand([("a/0", [[0.6, 0, 0], [0.6, 0, 0]]), ("b/0", [[0.6, 0, 0]]), ("c/0", [])]), labelled=None
    )
    counts = chances.expected_counts(Candidates(pool, 0.05))
    assert counts[0, 0] == pytest.approx(2 * counts[1, 0])
    assert counts[2].tolist() == [0, 0, 0]
    assert (counts[:, 1:] == 0).all()


@given(seed=st.integers(0, 30))
@settings(max_examples=10, deadline=None)
def test_chances_are_chances(seed: int) -> None:
    pool = synthetic(seed)
    found = chances.own_chances(Candidates(pool, 0.05))
    assert ((found >= 0) & (found <= 1)).all()


def test_share_found() -> None:
    sure = known([[(0, 0.95, True)] for _ in range(300)])
    missed = replace(
        sure,
        truth=FrameBoxes.build(
            sure.truth.frame_ids,
            [2] * 300,
            np.repeat([[0, 0, 10, 10], [80, 0, 90, 10]], 300, 0)
            .reshape(2, 300, 4)
            .transpose(1, 0, 2)
            .reshape(-1, 4),
            [0] * 600,
        ),
    )
    pool = by_hand([("a/0", [])])
    assert chances.share_found(Candidates(replace(pool, val=sure), 0.05)) > 0.95
    assert chances.share_found(Candidates(replace(pool, val=missed), 0.05)) == pytest.approx(0.5, abs=0.03)
    assert chances.share_found(Candidates(replace(pool, labelled=None), 0.05)) == 0

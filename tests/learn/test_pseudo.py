from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine.config import TrainConfig
from dataengine.frameboxes import FrameBoxes
from dataengine.learn.pseudo import MIN_SCORE, MIN_SEEN, pseudo_labels, thresholds

TRAIN = TrainConfig(pseudo_precision=0.9, pseudo_score=0.7, pseudo_ignore=0.2)
HIT, MISS = (0, 0, 10, 10), (50, 50, 60, 60)


def frames(*rows: Sequence[tuple[tuple[int, ...], int, float]]) -> FrameBoxes:
    """Each frame's boxes, as place, class and score."""
    boxes = [box for frame in rows for box in frame]
    return FrameBoxes.build(
        [f"c/{i:06d}" for i in range(len(rows))],
        [len(frame) for frame in rows],
        [box[0] for box in boxes],
        [box[1] for box in boxes],
        score=[box[2] for box in boxes],
    )


def judged(
    scores: Sequence[float], right: Sequence[bool], class_id: int = 0
) -> tuple[FrameBoxes, FrameBoxes]:
    """Predictions on val, one a frame, and the labels that they hit or miss."""
    predicted = frames(*([(HIT if hit else MISS, class_id, s)] for s, hit in zip(scores, right, strict=True)))
    return predicted, frames(*([(HIT, class_id, 1.0)] for _ in scores))


def test_the_score_is_the_lowest_at_which_enough_are_right() -> None:
    # from 0.90 down: 19 right, a wrong one at 0.5 (95% right), another at 0.45 (90.5%), then one at 0.4 (86%)
    scores = [*np.linspace(0.9, 0.6, 19), 0.5, 0.45, 0.4]
    found = thresholds(*judged(scores, [True] * 19 + [False] * 3), 1, TRAIN)
    assert found.tolist() == pytest.approx([0.45])


@pytest.mark.parametrize(
    ("scores", "right", "expected"),
    [
        ([0.8] * (MIN_SEEN - 1), [True] * (MIN_SEEN - 1), 0.7),  # too few to say
        ([0.8] * MIN_SEEN, [True] * MIN_SEEN, 0.8),
        ([0.8] * 40, [False] * 40, 0.7),  # nothing is right
        ([0.1] * 40, [True] * 40, MIN_SCORE),  # all is right: a score that low would not be on the pool
        ([0.8] * 8 + [0.5] * 12, [True] * 8 + [True, False] * 6, 0.7),  # equal scores stand or fall together
        ([], [], 0.7),
    ],
)
def test_scores_that_val_cannot_set(scores: list[float], right: list[bool], expected: float) -> None:
    assert thresholds(*judged(scores, right), 1, TRAIN).tolist() == pytest.approx([expected])


def test_classes_have_scores_of_their_own() -> None:
    rows = [[(HIT, 0, 0.5), (MISS, 1, 0.9)] for _ in range(20)]
    truth = frames(*([(HIT, 0, 1.0)] for _ in range(20)))
    assert thresholds(frames(*rows), truth, 3, TRAIN).tolist() == pytest.approx([0.5, 0.7, 0.7])


def test_without_val_or_when_asked_every_class_has_the_set_score() -> None:
    assert thresholds(None, None, 2, TRAIN).tolist() == [0.7, 0.7]
    fixed = TrainConfig(pseudo_precision=0, pseudo_score=0.6)
    assert thresholds(*judged([0.9] * 20, [True] * 20), 1, fixed).tolist() == [0.6]


def test_sure_boxes_are_labels_and_less_sure_ones_are_ignored() -> None:
    a, b, c, d = (0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10), (60, 0, 70, 10)
    predicted = frames(
        [
            (a, 0, 0.8),
            (b, 1, 0.6),
            (c, 0, 0.3),
            (d, 1, 0.1),
        ],  # label, label of the other class, ignored, gone
        [(a, 0, 0.69), (b, 1, 0.59)],  # nothing is sure: not a frame to learn from
        [],
        [(b, 1, 0.6)],
    )
    found = pseudo_labels(predicted, np.array([0.7, 0.6]), TRAIN)
    assert found.frame_ids.tolist() == ["c/000000", "c/000003"]
    assert found.counts.tolist() == [3, 1]
    assert found.class_id.tolist() == [0, 1, 0, 1]
    assert found.ignore.tolist() == [False, False, True, False]
    assert found.xyxy.tolist() == [list(a), list(b), list(c), list(b)]


def test_a_label_may_score_less_than_an_ignored_box() -> None:
    predicted = frames([(HIT, 0, 0.15), (MISS, 1, 0.15)])
    found = pseudo_labels(predicted, np.array([0.1, 0.9]), TRAIN)
    assert (found.class_id.tolist(), found.ignore.tolist()) == ([0], [False])


@pytest.mark.parametrize(("scores", "ignore"), [((0.9, 0.8), [False, True]), ((0.8, 0.8), [False, True])])
def test_one_object_has_one_class(scores: tuple[float, float], ignore: list[bool]) -> None:
    predicted = frames([(HIT, 0, scores[0]), ((0, 0, 10, 9), 1, scores[1])])
    assert pseudo_labels(predicted, np.array([0.7, 0.7]), TRAIN).ignore.tolist() == ignore


def test_two_objects_of_one_class_may_overlap() -> None:
    predicted = frames([(HIT, 0, 0.9), ((0, 0, 10, 9), 0, 0.8), ((4, 0, 14, 10), 1, 0.8)])
    assert not pseudo_labels(predicted, np.array([0.7, 0.7]), TRAIN).ignore.any()


def test_a_sure_box_stays_one_beside_an_unsure_box_of_another_class() -> None:
    predicted = frames([(HIT, 0, 0.75), (HIT, 1, 0.8)])
    assert pseudo_labels(predicted, np.array([0.7, 0.9]), TRAIN).ignore.tolist() == [False, True]


@given(seed=st.integers(0, 2**32 - 1), number=st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_every_frame_has_a_label_and_no_label_is_unsure(seed: int, number: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 6, number)
    low = rng.uniform(0, 60, (counts.sum(), 2))
    predicted = FrameBoxes.build(
        [f"c/{i:06d}" for i in range(number)],
        counts,
        np.concatenate([low, low + rng.uniform(3, 30, low.shape)], 1),
        rng.integers(0, 3, counts.sum()),
        score=rng.random(counts.sum()),
    )
    sure = np.array([0.5, 0.9, 1.0])
    found = pseudo_labels(predicted, sure, TRAIN)
    assert set(found.frame_ids) <= set(predicted.frame_ids)
    real = ~found.ignore
    assert (np.bincount(found.frame_index[real], minlength=found.num_frames) > 0).all()
    assert (found.score[real] >= sure[found.class_id[real]]).all()
    assert (found.score >= TRAIN.pseudo_ignore).all()

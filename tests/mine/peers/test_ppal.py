"""PPAL: difficulty, uncertainty, and frames that stand for others."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest

from dataengine import mine
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.mine.peers.ppal import class_quality, difficulty_weights, weighted_entropy
from tests.mine.pools import frame_rows, pick, picked, synthetic
from tests.mine.scores.looks import FAR, HERE, RIGHT, look, opinion, pool_of


def labelled(frames: list[list], truth: list[list[tuple[tuple[float, ...], int]]]) -> mine.Known:
    predictions = look(*frames)
    ids = predictions.boxes.frame_ids
    boxes = FrameBoxes.build(
        ids, [len(r) for r in truth], [b for r in truth for b, _ in r], [k for r in truth for _, k in r]
    )
    return mine.Known(frames=frame_rows(ids.tolist()), truth=boxes, predictions=predictions)


def test_quality_by_hand() -> None:
    """Two cars, one found at 0.8 with IoU 2/3, one not; a cyclist taken for a car; no pedestrian."""
    known = labelled([[(RIGHT, (0.8, 0, 0)), (FAR, (0.9, 0, 0))], []], [[(HERE, 0), (FAR, 2)], [(HERE, 0)]])
    expected = 0.8**0.6 * (2 / 3) ** 0.4 / 2
    np.testing.assert_allclose(class_quality(known, 3), [expected, 0, 0], rtol=1e-6)
    np.testing.assert_array_equal(class_quality(None, 3), [0, 0, 0])


def test_ignore_regions_have_no_quality() -> None:
    known = labelled([[(HERE, (1.0, 0, 0))], []], [[(HERE, 0)], [(HERE, 0)]])
    assert class_quality(known, 3)[0] == pytest.approx(0.5)
    ignored = replace(known, truth=replace(known.truth, ignore=np.array([False, True])))
    assert class_quality(ignored, 3)[0] == pytest.approx(1)


def test_weights_by_hand() -> None:
    """1 at full quality, 1.2 at none, and most of the way up at half of it."""
    found = difficulty_weights(np.array([1.0, 0.5, 0.0]))
    half = 1 + 0.06 * math.log((math.exp(1 / 0.3) - 1) / 2 + 1)
    np.testing.assert_allclose(found, [1, half, 1.2])


def test_entropy_of_a_frame() -> None:
    found = weighted_entropy(
        opinion([(HERE, (0.5, 0, 0)), (FAR, (0, 0, 0.5))], [], [(HERE, (1.0, 0, 0))]), np.array([1, 1, 1.2])
    )
    np.testing.assert_allclose(found, [2.2 * math.log(2), 0, 0], atol=1e-9)


def test_first_stage_keeps_four_batches() -> None:
    """Eight half-sure frames, twelve sure ones: two picks come from the eight."""
    plain = look(*[[(HERE, (0.97, 0, 0))]] * 12, *[[(HERE, (0.5, 0, 0))]] * 8, features=np.eye(20))
    found = picked(pick(pool_of(plain), "ppal", 2))
    assert set(found) <= {f"c{number}/0" for number in range(12, 20)}


def test_second_stage_takes_one_of_each_kind() -> None:
    """Two frames of the one look and two of the other, equally uncertain: one of each is bought."""
    features = np.repeat(np.eye(2), 2, axis=0)
    pool = pool_of(look(*[[(HERE, (0.5, 0, 0))]] * 4, features=features))
    for seed in range(5):
        found = picked(pick(pool, "ppal", 2, seed=seed))
        assert len({int(frame[1]) // 2 for frame in found}) == 2
    without = pool_of(look(*[[(HERE, (0.5, 0, 0))]] * 4))  # no features: any two, but two
    assert len(set(picked(pick(without, "ppal", 2)))) == 2


def test_a_difficult_class_comes_first() -> None:
    """Cars are found among the labelled frames, cyclists are not."""
    pool = pool_of(look([(HERE, (0.5, 0, 0))], [(HERE, (0, 0, 0.5))], features=np.eye(2)))
    known = labelled([[(HERE, (1.0, 0, 0))]], [[(HERE, 0), (FAR, 2)]])
    selection = pick(replace(pool, labelled=known), "ppal", 2)
    assert picked(selection) == ["c1/0", "c0/0"]
    np.testing.assert_allclose(selection["score"].to_numpy(), [1.2 * math.log(2), math.log(2)], rtol=1e-6)
    assert selection["reason"][0].as_py().startswith("entropy 0.83 by difficulty of class, number 1 of 2")


def test_features_that_say_nothing() -> None:
    pool = synthetic()
    assert pool.predictions is not None
    features = np.full_like(pool.predictions.features, np.nan)
    blank = replace(pool, predictions=replace(pool.predictions, features=features))
    assert len(set(picked(pick(blank, "ppal", 15)))) == 15


def test_a_pool_of_four_thousand_is_quick() -> None:
    """25 boxes a frame, 48 features: far from the 20 s that a user would wait."""
    rng = np.random.default_rng(0)
    number, per_frame = 4000, 25
    ids = [f"clip{n // 10:03d}/{n % 10:06d}" for n in range(number)]
    score = -np.sort(-rng.beta(0.5, 3, (number, per_frame)), axis=1).ravel().astype(np.float32)
    kinds = rng.choice(3, len(score), p=[0.7, 0.2, 0.1])
    corners = rng.uniform(0, 60, (len(score), 2))
    class_scores = np.zeros((len(score), 3), np.float32)
    class_scores[np.arange(len(score)), kinds] = score
    predictions = Predictions(
        boxes=FrameBoxes.build(
            ids, [per_frame] * number, np.hstack([corners, corners + 9]), kinds, score=score
        ),
        class_scores=class_scores,
        embeddings=rng.normal(size=(number, 8)).astype(np.float32),
        features=rng.random((len(score), 48)).astype(np.float16),
    )
    pool = replace(synthetic(), frames=frame_rows(ids), predictions=predictions, views={})
    began = time.process_time()
    assert pick(pool, "ppal", 120).num_rows == 120
    assert time.process_time() - began < 20

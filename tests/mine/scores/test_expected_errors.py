"""Frames with the most mistakes expected."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dataengine.mine.errors_model.outcomes import outcomes
from tests.mine.errors_model.judged import CAR, CYCLIST, detector, known, pool_of
from tests.mine.pools import by_hand, pick, picked, synthetic

RIGHT = {CAR: 0.05, CYCLIST: 3.0}


def test_it_takes_the_frames_with_more_mistakes_than_it_leaves() -> None:
    """The other way round would take those with the fewest."""
    frames = detector(RIGHT, seed=1, drives=30)
    truth = outcomes(frames)
    errors = dict(zip(frames.frames["frame_id"].to_pylist(), truth.num_wrong + truth.num_missed, strict=True))
    pool = pool_of(frames, val=detector(RIGHT, drives=30))
    found = picked(pick(pool, "expected_errors", 60, max_per_clip=0, bits=-1))
    left = set(errors) - set(found)
    assert np.mean([errors[frame] for frame in found]) > 1.7 * np.mean([errors[frame] for frame in left])


def test_class_weights_turn_to_what_is_labelled_least() -> None:
    frames = known(
        [
            ("a/0", [(place, CAR, 0.5) for place in range(3)], []),
            ("b/0", [(place, CYCLIST, 0.5) for place in range(2)], []),
        ]
    )
    pool = replace(pool_of(frames), labelled_class_counts=np.array([500, 20, 3]))
    assert picked(pick(pool, "expected_errors", 1)) == ["a/0"]
    assert picked(pick(pool, "expected_errors", 1, class_weighted=True)) == ["b/0"]


def test_reasons_say_what_is_expected_and_how_far_to_trust_it() -> None:
    reason = pick(synthetic(), "expected_errors", 1)["reason"][0].as_py()
    assert reason.startswith("expected ")
    assert all(word in reason for word in ("missed", "false alarms", "held-out drives of val"))
    assert "scores as they are" in pick(by_hand([("a/0", [])]), "expected_errors", 1)["reason"][0].as_py()

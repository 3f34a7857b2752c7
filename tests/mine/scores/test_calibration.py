"""Temperatures from val."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataengine import mine
from dataengine.frameboxes import FrameBoxes
from dataengine.mine.scores import UNCERTAINTY
from dataengine.mine.scores.calibration import (
    LEAST_BOXES,
    RANGE,
    Calibration,
    detection_ece,
    fit,
    measure,
    outcomes,
)
from tests.mine.pools import frame_rows, nothing_known, synthetic
from tests.mine.scores.looks import FAR, HERE, RIGHT, Box, look, task_of

CAR = (0.9, 0.0, 0.0)


def known(frames: list[list[Box]], truth: list[list[tuple[tuple[float, ...], int]]]) -> mine.Known:
    """Frames whose truth is known; every frame is a clip of its own."""
    predictions = look(*frames)
    ids = predictions.boxes.frame_ids
    labels = FrameBoxes.build(
        ids,
        [len(row) for row in truth],
        [b for row in truth for b, _ in row],
        [k for row in truth for _, k in row],
    )
    return mine.Known(frames=frame_rows(ids.tolist()), truth=labels, predictions=predictions)


def val_of(score: float, right: int, wrong: int, kind: int = 0) -> list[tuple[list[Box], list]]:
    """So many detections of one class at one score, one a frame, right and wrong."""
    scores = [0.0, 0.0, 0.0]
    scores[kind] = score
    return [([(HERE, tuple(scores))], [(HERE, kind)])] * right + [([(HERE, tuple(scores))], [])] * wrong


def built(*parts: list[tuple[list[Box], list]]) -> mine.Known:
    rows = [row for part in parts for row in part]
    return known([row[0] for row in rows], [row[1] for row in rows])


def sigmoid(logit: float) -> float:
    return 1 / (1 + np.exp(-logit))


def test_what_was_right() -> None:
    """A match, a double, another class, too little overlap; nothing below the least score."""
    barely = (5.0, 0.0, 15.0, 10.0)
    found = outcomes(
        known(
            [[(HERE, CAR), (RIGHT, (0.8, 0, 0)), (FAR, (0, 0.7, 0)), (FAR, (0.01, 0, 0))], [(barely, CAR)]],
            [[(HERE, 0), (FAR, 0)], [(HERE, 0)]],
        ),
        0.05,
    )
    np.testing.assert_allclose(found.score, [0.9, 0.8, 0.7, 0.9], rtol=1e-6)
    assert found.hit.tolist() == [True, False, False, False]
    assert found.class_id.tolist() == [0, 0, 1, 0]
    assert found.clip.tolist() == [0, 0, 0, 1]


def test_what_lies_in_an_ignore_region_is_neither() -> None:
    val = built(val_of(0.8, 3, 0))
    val = replace(val, truth=replace(val.truth, ignore=np.array([True, False, False])))
    assert outcomes(val, 0.05).hit.tolist() == [True, True]


def test_temperature_by_hand() -> None:
    """Right three times of four at a score of 0.9: logit 2.197 becomes 1.099, so the temperature is 2."""
    calibrate = fit(built(val_of(0.9, 90, 30)), 3, 0.05)
    assert calibrate.temperature[0] == pytest.approx(np.log(9) / np.log(3), abs=0.01)
    assert calibrate(np.array([[0.9, 0.5, 0.0]]))[0, 0] == pytest.approx(0.75, abs=0.002)
    assert calibrate(np.array([[0.5, 0.5, 0.5]]))[0].tolist() == pytest.approx([0.5] * 3)


def test_each_class_has_its_own_where_it_has_enough_boxes() -> None:
    few = LEAST_BOXES - 1
    calibrate = fit(
        built(val_of(0.9, 90, 30), val_of(0.6, 45, 5 + LEAST_BOXES, kind=1), val_of(0.9, 90, few, kind=2)),
        3,
        0.05,
    )
    cars, people, bicycles = calibrate.temperature
    assert cars == pytest.approx(2, abs=0.01)
    assert people == pytest.approx(np.log(6 / 4) / np.log(45 / 35), abs=0.01)
    assert bicycles not in {cars, people}  # that of all classes together
    alone = fit(built(val_of(0.9, 90, few, kind=2)), 3, 0.05)
    assert (alone.temperature == alone.temperature[0]).all()


def test_nothing_to_fit_changes_nothing() -> None:
    scores = np.array([[0.3, 0.0, 1.0]])
    for val in (
        None,
        nothing_known(4),
        built(val_of(0.9, 5, 0)),
        built(val_of(0.9, 0, 5)),
        known([[]], [[]]),
    ):
        calibrate = fit(val, 3, 0.05)
        np.testing.assert_array_equal(calibrate.temperature, [1, 1, 1])
        np.testing.assert_array_equal(calibrate(scores), scores)


def test_temperatures_stay_within_reach() -> None:
    """Right half of the time at any score asks for an infinite temperature."""
    assert fit(built(val_of(0.9, 50, 50)), 3, 0.05).temperature[0] == pytest.approx(RANGE[1], rel=1e-3)
    assert fit(built(val_of(0.55, 999, 1)), 3, 0.05).temperature[0] == pytest.approx(RANGE[0], rel=1e-3)


@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=20),
    st.lists(st.floats(*RANGE), min_size=3, max_size=3),
)
def test_the_order_within_a_class_stays(scores: list[float], temperatures: list[float]) -> None:
    rows = np.tile(np.sort(scores)[:, None], (1, 3))
    found = Calibration(temperature=np.array(temperatures))(rows)
    assert (np.diff(found, axis=0) >= 0).all()
    assert ((found >= 0) & (found <= 1)).all()


def test_expected_calibration_error_by_hand() -> None:
    """Bin 0.9: said 0.95, right 1 of 2; bin 0.2: said 0.25, right 1 of 4."""
    score = np.array([0.95, 0.95, 0.25, 0.25, 0.25, 0.25])
    hit = np.array([True, False, True, False, False, False])
    assert detection_ece(score, hit) == pytest.approx(2 / 6 * 0.45 + 4 / 6 * 0)
    assert detection_ece(np.array([1.0]), np.array([True])) == 0
    assert np.isnan(detection_ece(np.zeros(0), np.zeros(0, np.bool_)))


def test_calibration_helps_on_clips_that_it_was_not_fitted_on() -> None:
    """A detector whose logits are twice what they should be."""
    rng = np.random.default_rng(0)
    rows = []
    for logit in rng.normal(-0.5, 1.0, 1500).tolist():
        rows += val_of(sigmoid(2 * logit), *((1, 0) if rng.random() < sigmoid(logit) else (0, 1)))
    val = built(rows)
    before, after = measure(val, 3, 0.0)
    assert before > 0.08
    assert after < before / 2
    assert fit(val, 3, 0.0).temperature[0] == pytest.approx(2, abs=0.3)


def test_uncertainty_of_calibrated_scores() -> None:
    """Right one time in ten at 0.5 cannot be said by a temperature; three of four at 0.9 can."""
    pool = synthetic()
    val = built(val_of(0.9, 90, 30))
    plain = UNCERTAINTY.compute(task_of(replace(pool, val=val)))
    calibrated = UNCERTAINTY.compute(task_of(replace(pool, val=val), calibrate=True))
    assert (calibrated.values >= plain.values).all()
    assert calibrated.values.sum() > plain.values.sum()
    assert "mean calibrated entropy" in calibrated.reason(int(calibrated.values.argmax()))
    without = UNCERTAINTY.compute(task_of(replace(pool, val=None), calibrate=True))
    np.testing.assert_allclose(without.values, plain.values, rtol=1e-6)


def test_a_half_is_calibrated_by_the_other() -> None:
    """Right half of the time in even clips, always in odd ones: the halves mislead each other."""
    even, odd = val_of(0.9, 50, 50), val_of(0.9, 98, 2)
    val = built([row for pair in zip(even, odd, strict=True) for row in pair])
    before, after = measure(val, 3, 0.05)
    # All say 0.9 and 74% are right; afterwards the even half says 0.98, the odd one hardly more than 0.5.
    assert before == pytest.approx(0.16, abs=0.001)
    assert after == pytest.approx((0.98 - 0.5 + 0.98 - 0.555) / 2, abs=0.02)

"""Every kind of mistake, in frames small enough to check by eye."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine import boxes
from dataengine.config import EvaluateConfig
from dataengine.evaluate import VOCABULARY, FrameErrors, count_errors, find_errors
from dataengine.frameboxes import FrameBoxes
from dataengine.schema import FRAME_ERRORS, MISTAKES
from tests.evaluate.scenes import scene

CAR, TRUCK = 0, 1
HERE, NEAR, BARELY, AWAY = [0, 0, 10, 10], [5, 0, 15, 10], [9, 0, 19, 10], [50, 50, 60, 60]
CONFIG = EvaluateConfig(match_iou=0.5, error_score=0.3)


def judge(truth: FrameBoxes, predictions: FrameBoxes) -> FrameErrors:
    return find_errors(truth, predictions, CONFIG, boxes.overlaps(predictions, truth, 0.1))


TABLE: list[tuple[list[Any], list[Any], int, list[tuple[str, int, int]], str]] = [
    # said (box, class, score), true (box, class, ignore), hits, mistakes (kind, true box, predicted box), why
    ([], [], 0, [], "an empty frame, rightly left empty"),
    ([(HERE, CAR, 0.9)], [(HERE, CAR, False)], 1, [], "found"),
    ([], [(HERE, CAR, False)], 0, [("missed", 0, -1)], "nothing said"),
    ([(HERE, CAR, 0.29)], [(HERE, CAR, False)], 0, [("missed", 0, -1)], "said too quietly"),
    ([(HERE, CAR, 0.3)], [(HERE, CAR, False)], 1, [], "just loud enough"),
    ([(AWAY, CAR, 0.9)], [], 0, [("false_alarm", -1, 0)], "nothing there"),
    ([(AWAY, CAR, 0.29)], [], 0, [], "a quiet invention is no alarm"),
    ([(HERE, TRUCK, 0.9)], [(HERE, CAR, False)], 0, [("swapped_class", 0, 0)], "swapped; not missed as well"),
    ([(NEAR, CAR, 0.9)], [(HERE, CAR, False)], 0, [("bad_location", 0, 0)], "IoU 1/3; not missed as well"),
    (
        [(BARELY, CAR, 0.9)],
        [(HERE, CAR, False)],
        0,
        [("missed", 0, -1), ("false_alarm", -1, 0)],
        "IoU 1/19 is too far to be about it",
    ),
    (
        [(NEAR, TRUCK, 0.9)],
        [(HERE, CAR, False)],
        0,
        [("missed", 0, -1), ("false_alarm", -1, 0)],
        "wrong in both class and place is about nothing",
    ),
    (
        [(HERE, CAR, 0.9), (HERE, CAR, 0.8)],
        [(HERE, CAR, False)],
        1,
        [("false_alarm", -1, 1)],
        "a second box on a found object",
    ),
    (
        [(HERE, CAR, 0.9), (NEAR, CAR, 0.8)],
        [(HERE, CAR, False)],
        1,
        [("false_alarm", -1, 1)],
        "beside a found object is an alarm, not a bad location",
    ),
    (
        [(NEAR, CAR, 0.9), ([4, 0, 14, 10], CAR, 0.8)],
        [(HERE, CAR, False)],
        0,
        [("false_alarm", -1, 1), ("bad_location", 0, 0)],
        "one bad location for each object",
    ),
    (
        [(HERE, CAR, 0.9), (HERE, TRUCK, 0.8)],
        [(HERE, CAR, False)],
        1,
        [("swapped_class", 0, 1)],
        "a class mixed up on an object that another box found",
    ),
    (
        [(HERE, TRUCK, 0.9), (NEAR, CAR, 0.8)],
        [(HERE, CAR, False)],
        0,
        [("swapped_class", 0, 0), ("bad_location", 0, 1)],
        "two wrong boxes about one object, which is not missed",
    ),
    (
        [(HERE, TRUCK, 0.9), (HERE, CAR, 0.8)],
        [([0, 0, 10, 9], CAR, False), ([0, 0, 10, 8], CAR, False)],
        1,
        [("swapped_class", 1, 0)],
        "of two objects, the one that nothing found",
    ),
    ([(HERE, CAR, 0.9)], [([0, 0, 40, 40], TRUCK, True)], 0, [], "in an ignore region"),
    ([], [(HERE, CAR, True)], 0, [], "an ignore region is not missed"),
    (
        [(HERE, TRUCK, 0.9)],
        [(HERE, CAR, False), ([0, 0, 40, 40], CAR, True)],
        0,
        [("missed", 0, -1)],
        "excused by the region around it, so the object goes unfound",
    ),
]


@pytest.mark.parametrize(("said", "true", "hits", "mistakes", "why"), TABLE, ids=[row[-1] for row in TABLE])
def test_kinds(said: list[Any], true: list[Any], hits: int, mistakes: list[Any], why: str) -> None:
    truth = FrameBoxes.build(
        ["f"], [len(true)], [b for b, _, _ in true], [c for _, c, _ in true], ignore=[i for _, _, i in true]
    )
    predictions = FrameBoxes.build(
        ["f"], [len(said)], [b for b, _, _ in said], [c for _, c, _ in said], score=[s for _, _, s in said]
    )
    errors = judge(truth, predictions)
    rows = errors.mistakes.to_pylist()
    assert [(row["kind"], row["truth_box"], row["predicted_box"]) for row in rows] == mistakes, why
    counts = errors.frames.to_pylist()[0]
    assert counts["hits"] == hits, why
    for kind in VOCABULARY:
        assert counts[kind] == sum(row[0] == kind for row in mistakes), why
    for row in rows:
        label, box = row["truth_box"], row["predicted_box"]
        assert row["truth_class"] == (true[label][1] if label >= 0 else -1)
        assert row["predicted_class"] == (said[box][1] if box >= 0 else -1)
        assert np.isnan(row["score"]) if box < 0 else row["score"] == pytest.approx(said[box][2])
        overlap = boxes.pair_iou(said[box][0], true[label][0])[0] if min(label, box) >= 0 else 0.0
        assert row["iou"] == pytest.approx(overlap)


def test_box_numbers_count_within_the_frame() -> None:
    truth = FrameBoxes.build(["a", "b"], [2, 2], [HERE, AWAY, HERE, AWAY], [CAR] * 4)
    predictions = FrameBoxes.build(
        ["a", "b"], [2, 1], [HERE, AWAY, HERE], [CAR, CAR, TRUCK], score=[0.9, 0.8, 0.7]
    )
    errors = judge(truth, predictions)
    assert errors.frames["hits"].to_pylist() == [2, 0]
    found = [
        (r["frame_id"], r["kind"], r["truth_box"], r["predicted_box"]) for r in errors.mistakes.to_pylist()
    ]
    assert found == [("b", "missed", 1, -1), ("b", "swapped_class", 0, 0)]


def test_tables_keep_their_schemas() -> None:
    errors = judge(*scene(0))
    assert errors.frames.schema == FRAME_ERRORS
    assert errors.mistakes.schema == MISTAKES
    nothing = FrameBoxes.build([], [], [], [])
    empty = judge(nothing, nothing)
    assert (empty.frames.num_rows, empty.mistakes.num_rows) == (0, 0)
    assert empty.mistakes.schema == MISTAKES


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.1, 0.5]), st.sampled_from([0.1, 0.3, 0.6]))
def test_every_label_and_every_prediction_is_accounted_for(seed: int, ignore: float, score: float) -> None:
    truth, predictions = scene(seed, 8, ignore=ignore)
    config = EvaluateConfig(error_score=score)
    pairs = boxes.overlaps(predictions, truth, 0.1)
    errors = find_errors(truth, predictions, config, pairs)
    counts = {name: sum(errors.frames[name].to_pylist()) for name in ("hits", *VOCABULARY)}
    rows = errors.mistakes.to_pylist()
    wrongly = {(r["frame_id"], r["truth_box"]) for r in rows if r["truth_box"] >= 0 and r["kind"] != "missed"}
    unfound = {
        (truth.frame_ids[truth.frame_index[g]], g - truth.offsets[truth.frame_index[g]])
        for g in np.flatnonzero(errors.unfound)
    }
    assert counts["hits"] + counts["missed"] + len(wrongly & unfound) == int((~truth.ignore).sum())
    wrong = counts["false_alarm"] + counts["swapped_class"] + counts["bad_location"]
    assert wrong == int(errors.wrong.sum())
    assert counts["hits"] + wrong <= int((predictions.score >= score).sum())
    if not ignore:
        assert counts["hits"] + wrong == int((predictions.score >= score).sum())
    assert len(rows) == wrong + counts["missed"]


def test_errors_of_a_frame_are_labels_unfound_and_wrong_predictions() -> None:
    truth = FrameBoxes.build(
        ["a", "b"],
        [2, 1],
        [[0, 0, 10, 10], [50, 0, 60, 10], [0, 0, 10, 10]],
        [0, 0, 1],
        ignore=[False, True, False],
    )
    found = FrameBoxes.build(
        ["a", "b"], [1, 2], [[50, 0, 60, 10], [0, 0, 10, 10], [0, 0, 10, 4]], [0, 1, 1], score=[0.9, 0.9, 0.9]
    )
    # a: its car is missed; what lies on the ignore region is no false alarm. b: one find, one box too many
    assert count_errors(truth, found, CONFIG).tolist() == [1, 1]

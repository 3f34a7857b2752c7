"""Our accumulation against faster-coco-eval, and COCO's treatment of sizes and ignore regions."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine import boxes
from dataengine.evaluate import coco, precision
from dataengine.evaluate.judging import judge
from dataengine.frameboxes import FrameBoxes
from tests.evaluate.scenes import CLASSES, frame_ids, scene

RANGES = coco.area_ranges(300.0, 2500.0)


def ours(truth: FrameBoxes, predictions: FrameBoxes, limits: coco.AreaRange) -> np.ndarray:
    """``[T, K]`` by our own matching and accumulation."""
    pairs = boxes.overlaps(predictions, truth, 0.1)
    judged = judge(truth, predictions, len(CLASSES), pairs, limits)
    unit = np.zeros(truth.num_frames, np.int64)
    return precision.average_precision(judged, unit, np.ones((1, 1), np.int32))[0]


@pytest.mark.parametrize("size", RANGES)
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_our_accumulation_is_the_librarys(seed: int, ties: bool, size: str) -> None:
    truth, predictions = scene(seed, ties=ties)
    theirs = coco.average_precision(truth, predictions, len(CLASSES), [RANGES[size]])[0]
    np.testing.assert_allclose(ours(truth, predictions, RANGES[size]), theirs, atol=1e-9)
    assert 0.05 < np.nanmean(theirs) < 0.95


def test_more_than_a_hundred_boxes_of_a_class_in_a_frame() -> None:
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, 300, (260, 2))
    grid = np.concatenate([corners, corners + 12], axis=1)
    truth = FrameBoxes.build(["a", "b"], [130, 130], grid, np.zeros(260))
    predictions = FrameBoxes.build(["a", "b"], [130, 130], grid + 1, np.zeros(260), score=rng.random(260))
    theirs = coco.average_precision(truth, predictions, 3, [RANGES["all"]])[0]
    np.testing.assert_allclose(ours(truth, predictions, RANGES["all"]), theirs, atol=1e-9)
    assert theirs[0, 0] < 0.8  # 60 of 260 could not be found


def test_drawing_a_frame_twice_equals_doubling_it() -> None:
    truth, predictions = scene(3, 20)
    doubled = [*range(20), *range(10)]
    twice = (truth.take(doubled), predictions.take(doubled))
    pairs = boxes.overlaps(predictions, truth, 0.1)
    judged = judge(truth, predictions, len(CLASSES), pairs)
    weights = np.array([[2] * 10 + [1] * 10, [1] * 20], np.int32)
    figures = precision.average_precision(judged, np.arange(20), weights)
    wanted = coco.average_precision(*twice, len(CLASSES), [RANGES["all"]])[0]
    # Equal scores stand in another order where frames are repeated, so the curves differ a little.
    np.testing.assert_allclose(figures[0], wanted, atol=0.02)
    np.testing.assert_allclose(figures[1], ours(truth, predictions, RANGES["all"]), atol=1e-12)


def test_dropping_frames_equals_leaving_them_out() -> None:
    truth, predictions = scene(4, 24)
    judged = judge(truth, predictions, len(CLASSES), boxes.overlaps(predictions, truth, 0.1))
    weights = np.array([[1, 0, 1]], np.int32)
    figures = precision.average_precision(judged, np.repeat([0, 1, 2], 8), weights)[0]
    kept = [*range(8), *range(16, 24)]
    wanted = coco.average_precision(truth.take(kept), predictions.take(kept), len(CLASSES), [RANGES["all"]])[
        0
    ]
    np.testing.assert_allclose(figures, wanted, atol=1e-9)


def test_blocks_of_weights_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, predictions = scene(5, 24)
    judged = judge(truth, predictions, len(CLASSES), boxes.overlaps(predictions, truth, 0.1))
    weights = np.random.default_rng(0).integers(0, 3, (17, 24)).astype(np.int32)
    whole = precision.average_precision(judged, np.arange(24), weights)
    monkeypatch.setattr(precision, "CELLS_PER_BLOCK", 100)
    np.testing.assert_array_equal(precision.average_precision(judged, np.arange(24), weights), whole)


SMALL, LARGE = [0, 0, 10, 10], [100, 0, 200, 100]

SIZE_TABLE = [
    # predicted boxes, true boxes (box, ignore), AP50 for small, large, why
    ([SMALL], [(SMALL, False), (LARGE, False)], 1.0, 0.0, "a large miss is no small miss"),
    ([SMALL, LARGE], [(SMALL, False)], 1.0, np.nan, "a large false alarm is no small one"),
    ([[0, 0, 10, 10], [50, 50, 60, 60]], [(SMALL, False)], 1.0, np.nan, "a small false alarm below the hit"),
    ([[50, 50, 60, 60], SMALL], [(SMALL, False)], 0.5, np.nan, "a small false alarm above the hit"),
    ([[0, 0, 10, 40]], [([0, 0, 10, 29], False)], 1.0, np.nan, "a find of another size is a find"),
    ([LARGE, SMALL], [(SMALL, False), (LARGE, False)], 1.0, 1.0, "a find of another size is no false alarm"),
    ([SMALL], [(SMALL, True)], np.nan, np.nan, "ignore regions are no objects of any size"),
    ([[2, 2, 8, 8], SMALL], [(SMALL, False), ([0, 0, 60, 60], True)], 1.0, np.nan, "excused by a region"),
]


@pytest.mark.parametrize(
    ("said", "true", "small", "large", "why"), SIZE_TABLE, ids=[r[-1] for r in SIZE_TABLE]
)
def test_sizes(said: list, true: list, small: float, large: float, why: str) -> None:
    truth = FrameBoxes.build(
        ["f"], [len(true)], [b for b, _ in true], [0] * len(true), ignore=[i for _, i in true]
    )
    scores = np.linspace(0.9, 0.5, len(said))
    predictions = FrameBoxes.build(["f"], [len(said)], said, [0] * len(said), score=scores)
    figures = coco.average_precision(truth, predictions, 1, [RANGES["small"], RANGES["large"]])
    np.testing.assert_allclose(figures[:, 0, 0], [small, large], err_msg=why, atol=1e-9)


def test_every_size_belongs_to_one_range() -> None:
    edges = [299.99, 300.0, 300.01, 2499.99, 2500.0, 2500.01]
    names = ["small", "medium", "large"]
    inside = [[name for name in names if RANGES[name][0] <= area <= RANGES[name][1]] for area in edges]
    assert inside == [["small"], ["medium"], ["medium"], ["medium"], ["large"], ["large"]]


@pytest.mark.parametrize(
    ("predicted", "labelled"), [(0, 0), (0, 5), (5, 0)], ids=["neither", "no predictions", "no labels"]
)
def test_nothing_to_judge(predicted: int, labelled: int) -> None:
    def some(number: int) -> FrameBoxes:
        return FrameBoxes.build(frame_ids(2), [number, 0], [SMALL] * number, [0] * number)

    figures = coco.average_precision(some(labelled), some(predicted), 3, list(RANGES.values()))
    assert figures.shape == (4, 10, 3)
    np.testing.assert_array_equal(figures[0], ours(some(labelled), some(predicted), RANGES["all"]))
    assert np.isnan(figures[0, :, 1:]).all()
    assert np.isnan(figures[0, 0, 0]) if not labelled else figures[0, 0, 0] == 0


def test_objects_needed_for_a_recall_level() -> None:
    """Level by level as COCO searches the recall curve; 35 of 100 is a little less than its 0.35."""
    for total in (*range(1, 40), 100, 4999):
        recall = np.arange(total + 1) / total
        wanted = np.searchsorted(recall, precision.RECALL_LEVELS, side="left")
        np.testing.assert_array_equal(precision.needed(np.array([total]))[0], wanted)
    assert precision.needed(np.array([100]))[0, 35] == 36

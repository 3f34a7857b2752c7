"""Box maths: tables of edge cases, properties, and greedy matching against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dataengine import boxes
from dataengine.frameboxes import FrameBoxes

UNIT = [0, 0, 10, 10]

IOU_TABLE = [
    # first, second, IoU, IoF, why
    (UNIT, UNIT, 1.0, 1.0, "itself"),
    (UNIT, [5, 0, 15, 10], 50 / 150, 0.5, "half over"),
    (UNIT, [10, 0, 20, 10], 0.0, 0.0, "edges touch"),
    (UNIT, [10, 10, 20, 20], 0.0, 0.0, "corners touch"),
    (
        UNIT,
        [20, 20, 30, 30],
        0.0,
        0.0,
        "apart on both axes, where two negative sides would multiply to a plus",
    ),
    ([2, 2, 4, 4], UNIT, 4 / 100, 1.0, "inside: IoF tells that it is covered"),
    (UNIT, [2, 2, 4, 4], 4 / 100, 0.04, "around: IoF is not symmetric"),
    ([10, 10, 0, 0], UNIT, 0.0, 0.0, "inverted: no area, overlaps nothing"),
    ([0, 0, 0, 10], UNIT, 0.0, 0.0, "no width"),
    ([0, 0, 0, 0], [0, 0, 0, 0], 0.0, 0.0, "two empty boxes: 0, not NaN"),
    ([np.nan, 0, 10, 10], UNIT, 0.0, 0.0, "NaN overlaps nothing"),
    ([-5, -5, 5, 5], UNIT, 25 / 175, 0.25, "negative coordinates are ordinary"),
    ([0, 0, 1e-6, 1e-6], [0, 0, 1e-6, 1e-6], 1.0, 1.0, "tiny"),
    ([0, 0, 1e6, 1e6], [0, 0, 1e6, 1e6], 1.0, 1.0, "huge"),
]


@pytest.mark.parametrize(
    ("first", "second", "iou", "iof", "why"), IOU_TABLE, ids=[row[-1] for row in IOU_TABLE]
)
def test_overlap_of_two_boxes(
    first: list[float], second: list[float], iou: float, iof: float, why: str
) -> None:
    assert boxes.pair_iou([first], [second])[0] == pytest.approx(iou), why
    assert boxes.pair_iou([first], [second], [True])[0] == pytest.approx(iof), why
    assert boxes.iou_matrix([first], [second])[0, 0] == pytest.approx(iou), why


def test_matrix_uses_iof_in_the_columns_of_ignore_regions() -> None:
    matrix = boxes.iou_matrix([[2, 2, 4, 4], [50, 50, 60, 60]], [UNIT, UNIT], [False, True])
    np.testing.assert_allclose(matrix, [[0.04, 1.0], [0.0, 0.0]])


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_matrix_of_nothing_keeps_its_shape(shape: tuple[int, int]) -> None:
    assert boxes.iou_matrix(np.zeros((shape[0], 4)), np.zeros((shape[1], 4))).shape == shape


CLIP_TABLE = [
    # box, clipped to 100 x 50, why
    ([10, 10, 20, 20], [10, 10, 20, 20], "inside"),
    ([-5, -5, 5, 5], [0, 0, 5, 5], "over the top left"),
    ([95, 45, 120, 60], [95, 45, 100, 50], "over the bottom right"),
    ([-10, -10, 200, 200], [0, 0, 100, 50], "around the image"),
    ([150, 10, 160, 20], [100, 10, 100, 20], "outside: no width left"),
]


@pytest.mark.parametrize(("box", "wanted", "why"), CLIP_TABLE, ids=[row[-1] for row in CLIP_TABLE])
def test_clip(box: list[float], wanted: list[float], why: str) -> None:
    np.testing.assert_array_equal(boxes.clip([box], 100, 50), [wanted], why)


coordinates = st.integers(-50, 50)
box_lists = st.lists(
    st.tuples(coordinates, coordinates, st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=6
).map(lambda rows: boxes.to_xyxy(np.array(rows, float)))


@given(box_lists, box_lists)
def test_iou_is_symmetric_and_bounded(first: NDArray[np.float64], second: NDArray[np.float64]) -> None:
    matrix = boxes.iou_matrix(first, second)
    np.testing.assert_allclose(matrix, boxes.iou_matrix(second, first).T)
    assert ((matrix >= 0) & (matrix <= 1)).all()
    np.testing.assert_allclose(np.diag(boxes.iou_matrix(first, first)), 1.0)


@given(box_lists, box_lists)
def test_iof_is_at_least_iou(first: NDArray[np.float64], second: NDArray[np.float64]) -> None:
    covered = boxes.iou_matrix(first, second, np.ones(len(second), bool))
    assert (covered >= boxes.iou_matrix(first, second) - 1e-12).all()
    assert (covered <= 1 + 1e-12).all()


@given(box_lists, st.integers(-30, 30), st.integers(1, 5))
def test_iou_ignores_where_and_how_large(given_boxes: NDArray[np.float64], shift: int, scale: int) -> None:
    plain = boxes.iou_matrix(given_boxes, given_boxes)
    moved = (given_boxes + shift) * scale
    np.testing.assert_allclose(boxes.iou_matrix(moved, moved), plain, atol=1e-12)


@given(box_lists)
def test_conversions_undo_each_other(given_boxes: NDArray[np.float64]) -> None:
    np.testing.assert_allclose(boxes.to_xyxy(boxes.to_xywh(given_boxes)), given_boxes)
    sides = boxes.to_xywh(given_boxes)[:, 2:]
    np.testing.assert_allclose(boxes.area(given_boxes), sides[:, 0] * sides[:, 1])


@given(box_lists, st.integers(1, 60), st.integers(1, 60))
def test_clipping_twice_is_clipping_once(given_boxes: NDArray[np.float64], width: int, height: int) -> None:
    once = boxes.clip(given_boxes, width, height)
    np.testing.assert_array_equal(boxes.clip(once, width, height), once)
    assert (once >= 0).all()
    assert (once <= [width, height, width, height]).all()
    assert (boxes.area(once) <= boxes.area(given_boxes) + 1e-9).all()


def frame(xyxy: list[list[float]], classes: list[int] | None = None, **columns: list) -> FrameBoxes:
    """One frame of boxes."""
    return FrameBoxes.build(["f"], [len(xyxy)], xyxy, classes or [0] * len(xyxy), **columns)


BIG = [0, 0, 100, 100]

MATCH_TABLE = [
    # predicted (box, score), true (box, ignore), label each found, (hits, missed, alarms), why
    ([], [], [], (0, 0, 0), "nothing there, nothing said"),
    ([], [(UNIT, False)], [], (0, 1, 0), "overlooked"),
    ([(UNIT, 0.9)], [], [-1], (0, 0, 1), "out of thin air"),
    ([(UNIT, 0.9)], [(UNIT, False)], [0], (1, 0, 0), "found"),
    ([([0, 0, 10, 20], 0.9)], [(UNIT, False)], [0], (1, 0, 0), "IoU of exactly the threshold is a hit"),
    ([([0, 0, 10, 20.2], 0.9)], [(UNIT, False)], [-1], (0, 1, 1), "a little less is not"),
    (
        [(UNIT, 0.5), (UNIT, 0.9)],
        [(UNIT, False)],
        [-1, 0],
        (1, 0, 1),
        "one object, two boxes: the surer wins",
    ),
    ([(UNIT, 0.9), (UNIT, 0.9)], [(UNIT, False)], [0, -1], (1, 0, 1), "equal scores: the first wins"),
    (
        [([0, 0, 10, 11], 0.9)],
        [([0, 0, 10, 13], False), (UNIT, False)],
        [1],
        (1, 1, 0),
        "it takes the nearer one",
    ),
    (
        [(UNIT, 0.9)],
        [(UNIT, False), (UNIT, False)],
        [1],
        (1, 1, 0),
        "equally near: the later one, as COCO does",
    ),
    (
        [([1, 0, 11, 10], 0.9), (UNIT, 0.8)],
        [(UNIT, False)],
        [0, -1],
        (1, 0, 1),
        "greedy by score, not by fit",
    ),
    ([([1, 1, 9, 9], 0.9)], [(BIG, True)], [-1], (0, 0, 0), "in an ignore region: neither hit nor alarm"),
    ([(UNIT, 0.9), (UNIT, 0.8)], [(BIG, True)], [-1, -1], (0, 0, 0), "a region excuses any number"),
    (
        [(UNIT, 0.9)],
        [(UNIT, False), (BIG, True)],
        [0],
        (1, 0, 0),
        "a real object before the region around it",
    ),
    (
        [(UNIT, 0.9), (UNIT, 0.8)],
        [(UNIT, False), (BIG, True)],
        [0, -1],
        (1, 0, 0),
        "the spare one is excused",
    ),
    ([([90, 0, 110, 10], 0.9)], [(BIG, True)], [-1], (0, 0, 0), "half inside is inside at 0.5"),
    ([([91, 0, 111, 10], 0.9)], [(BIG, True)], [-1], (0, 0, 1), "less than half inside is an alarm"),
    ([], [(BIG, True)], [], (0, 0, 0), "an ignore region is never missed"),
]


@pytest.mark.parametrize(
    ("said", "true", "found", "counts", "why"), MATCH_TABLE, ids=[r[-1] for r in MATCH_TABLE]
)
def test_matching(said: list, true: list, found: list[int], counts: tuple[int, int, int], why: str) -> None:
    predicted = frame([box for box, _ in said], score=[score for _, score in said])
    truth = frame([box for box, _ in true], ignore=[ignore for _, ignore in true])
    match = boxes.match(predicted, truth, 0.5)
    assert match.truth_of.tolist() == found, why
    assert (match.num_hits, match.num_missed, match.num_false_alarms) == counts, why
    for row, label in enumerate(found):
        assert label < 0 or match.predicted_of[label] == row


def test_matching_keeps_frames_and_classes_apart() -> None:
    predicted = FrameBoxes.build(["a", "b"], [2, 1], [UNIT, UNIT, UNIT], [0, 1, 0], score=[0.9, 0.8, 0.7])
    truth = FrameBoxes.build(["a", "b"], [1, 1], [UNIT, UNIT], [1, 0])
    match = boxes.match(predicted, truth, 0.5)
    assert match.truth_of.tolist() == [-1, 0, 1]
    assert match.predicted_of.tolist() == [1, 2]


def test_an_ignore_region_is_neutral_to_every_class() -> None:
    predicted = frame([UNIT, UNIT], [0, 3], score=[0.9, 0.8])
    match = boxes.match(predicted, frame([BIG], [1], ignore=[True]), 0.5)
    assert match.neutral.all()
    assert match.num_false_alarms == 0


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    truth, predicted = random_boxes(rng, 30), random_boxes(rng, 30)
    whole = boxes.overlaps(predicted, truth, 0.1)
    monkeypatch.setattr(boxes, "PAIRS_PER_BLOCK", 7)
    parts = boxes.overlaps(predicted, truth, 0.1)
    for name in ("predicted", "truth", "iou"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
    assert len(whole.iou)


def random_boxes(rng: np.random.Generator, num_frames: int, num_classes: int = 2) -> FrameBoxes:
    """Crowded frames on a coarse grid, so that ties of IoU and score are common."""
    counts = rng.integers(0, 7, num_frames)
    total = int(counts.sum())
    corners = rng.integers(0, 5, (total, 2)) * 2.0
    xyxy = np.concatenate([corners, corners + rng.integers(2, 5, (total, 2)) * 2], axis=1)
    return FrameBoxes.build(
        [f"{number:03d}" for number in range(num_frames)],
        counts,
        xyxy,
        rng.integers(0, num_classes, total),
        score=rng.integers(1, 6, total) / 5,
        ignore=rng.random(total) < 0.2,
    )


def plain_match(predicted: FrameBoxes, truth: FrameBoxes, min_iou: float) -> list[int]:
    """COCO's matching as a plain loop: row of the label that each found, -1 for none, -2 for neutral."""
    answer = [-1] * predicted.num_boxes
    for number in range(truth.num_frames):
        taken: set[int] = set()
        mine = range(predicted.offsets[number], predicted.offsets[number + 1])
        labels = range(truth.offsets[number], truth.offsets[number + 1])
        for row in sorted(mine, key=lambda row: -predicted.score[row]):
            best, limit = -1, min_iou
            for label in sorted(labels, key=lambda label: truth.ignore[label]):
                region = bool(truth.ignore[label])
                if not region and (label in taken or truth.class_id[label] != predicted.class_id[row]):
                    continue
                if region and best >= 0 and not truth.ignore[best]:
                    break
                overlap = boxes.pair_iou(predicted.xyxy[row], truth.xyxy[label], region)[0]
                if overlap >= limit:
                    best, limit = label, overlap
            if best >= 0 and truth.ignore[best]:
                answer[row] = -2
            elif best >= 0:
                answer[row] = best
                taken.add(best)
    return answer


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.3, 0.5, 0.75]))
def test_matching_many_frames_at_once_equals_the_plain_loop(seed: int, min_iou: float) -> None:
    rng = np.random.default_rng(seed)
    predicted, truth = random_boxes(rng, 6), random_boxes(rng, 6)
    match = boxes.match(predicted, truth, min_iou)
    assert np.where(match.neutral, -2, match.truth_of).tolist() == plain_match(predicted, truth, min_iou)


def test_ranks_fall_with_the_score_within_each_group() -> None:
    ranks = boxes.score_ranks(np.array([7, 3, 7, 7, 3]), np.array([0.1, 0.5, 0.9, 0.1, 0.6], np.float32))
    assert ranks.tolist() == [1, 1, 0, 2, 0]

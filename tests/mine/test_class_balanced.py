"""The class quota."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from dataengine.mine.candidates import Candidates
from dataengine.mine.class_balanced import class_scores, quotas
from tests.mine.pools import by_hand, pick, picked

CAR, WALK, BIKE = [0.9, 0.0, 0.0], [0.0, 0.9, 0.0], [0.0, 0.0, 0.8]


def street() -> list[tuple[str, list[list[float]]]]:
    """30 frames of cars, 12 with a pedestrian, 3 with a cyclist."""
    frames = []
    for number in range(30):
        boxes = [CAR]
        if number < 12:
            boxes.append([0.0, 0.9 - 0.01 * number, 0.0])
        if number in {5, 20, 28}:
            boxes.append([0.0, 0.0, 0.8 - 0.01 * number])
        frames.append((f"c{number:02d}/0", boxes))
    return frames


def test_scores_of_a_frame_are_the_best_of_its_boxes() -> None:
    pool = by_hand([("a/0", [[0.2, 0.6, 0.04], [0.5, 0.1, 0.0]]), ("b/0", []), ("c/0", [BIKE])])
    found = class_scores(Candidates(pool, 0.05), 0.05)
    np.testing.assert_allclose(found.frame, [[0.5, 0.6, 0], [0, 0, 0], [0, 0, 0.8]], atol=1e-6)
    np.testing.assert_allclose(found.expected, [0.7, 0.7, 0.8], atol=1e-6)  # 0.04 is below min_score


def test_quotas_fall_with_the_count() -> None:
    shares = quotas(np.array([1000.0, 100.0, 10.0, 0.0]), 1.0)
    np.testing.assert_allclose(shares, np.array([1, 10, 100, 0]) / 111)
    np.testing.assert_allclose(quotas(np.array([1000.0, 10.0]), 0.0), [0.5, 0.5])
    np.testing.assert_allclose(
        quotas(np.array([0.2, 1.0]), 0.7), [0.5, 0.5]
    )  # less than one object counts as one
    np.testing.assert_array_equal(quotas(np.zeros(3), 0.7), np.zeros(3))


def test_the_rare_come_first_and_the_surest_of_them() -> None:
    selection = pick(by_hand(street()), "class_balanced", 10, quota_share=1.0, quota_power=0.7)
    triggers = Counter(selection["trigger"].to_pylist())
    # Expected counts 27.0, 10.1 and 1.9: shares of 0.10, 0.21 and 0.68; the three cyclist frames run out.
    assert triggers["class:cyclist"] == 3
    assert triggers["class:pedestrian"] > triggers["class:car"]
    rank_of = {frame: rank for rank, frame in enumerate(picked(selection))}
    assert rank_of["c05/0"] < rank_of["c20/0"] < rank_of["c28/0"]
    assert {"c00/0", "c01/0"} <= set(rank_of)


def test_reasons_in_plain_words() -> None:
    selection = pick(by_hand(street(), counts=(400, 90, 12)), "class_balanced", 1, quota_share=1.0)
    reason = "predicted cyclist 0.75, one of 3 such frames; 12 cyclist boxes labelled so far"
    assert selection["reason"].to_pylist() == [reason]
    assert selection["score"][0].as_py() == pytest.approx(0.75)


def test_the_rest_is_coverage() -> None:
    selection = pick(by_hand(street()), "class_balanced", 10, quota_share=0.7)
    triggers = Counter(selection["trigger"].to_pylist())
    assert triggers["coverage"] == 3
    # Ranks alternate, so that a budget in seconds cuts both parts alike.
    assert "coverage" in selection["trigger"].to_pylist()[:4]


def test_shares_of_nothing_and_everything() -> None:
    assert set(pick(by_hand(street()), "class_balanced", 6, quota_share=0.0)["trigger"].to_pylist()) == {
        "coverage"
    }
    assert (
        "coverage" not in pick(by_hand(street()), "class_balanced", 6, quota_share=1.0)["trigger"].to_pylist()
    )


def test_without_detections_it_is_coverage() -> None:
    pool = by_hand([(f"c{i}/0", []) for i in range(6)])
    assert set(pick(pool, "class_balanced", 4)["trigger"].to_pylist()) == {"coverage"}


def test_no_more_than_the_limit_of_one_clip() -> None:
    frames = [(f"bikes/{i}", [BIKE]) for i in range(8)] + [(f"c{i}/0", [CAR]) for i in range(20)]
    found = picked(pick(by_hand(frames), "class_balanced", 10, max_per_clip=3))
    assert sum(frame.startswith("bikes") for frame in found) == 3

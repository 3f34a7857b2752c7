"""Frames by the boxes that they are expected to add; and the default that is built on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dataengine.mine import auto, chances
from dataengine.mine.candidates import Candidates
from dataengine.mine.chances import expected_counts
from tests.mine.pools import by_hand, pick, picked, synthetic
from tests.mine.test_chances import known

FREE = {"max_per_clip": 0, "bits": -1}


def test_a_rare_box_outweighs_several_common_ones() -> None:
    """40 cars are labelled and 2 cyclists: a cyclist weighs 1/3, a car 1/41."""
    car, cyclist = [0.9, 0, 0], [0, 0, 0.9]
    pool = by_hand([("a/0", [car] * 5), ("b/0", [cyclist]), ("c/0", [])])
    assert picked(pick(pool, "expected_gain", 3, **FREE)) == ["b/0", "a/0", "c/0"]


def test_what_is_picked_makes_its_class_less_rare() -> None:
    """After two cyclists (1/3 and then about 1/4) a pedestrian pair at 1/21 each is still worth less; with
    equal counts the classes alternate."""
    pedestrian, cyclist = [0, 0.9, 0], [0, 0, 0.9]
    frames = [(f"p{i}/0", [pedestrian]) for i in range(3)] + [(f"q{i}/0", [cyclist]) for i in range(3)]
    found = picked(pick(by_hand(frames, counts=(40, 2, 2)), "expected_gain", 6, **FREE))
    assert [frame[0] for frame in found] in (list("pqpqpq"), list("pqqppq"))
    first_four = picked(pick(by_hand(frames, counts=(40, 20, 2)), "expected_gain", 4, **FREE))
    assert [frame[0] for frame in first_four] == list("qqqp")


def test_every_pick_is_the_best_that_is_left() -> None:
    pool = synthetic(2)
    candidates = Candidates(pool, 0.05)
    expected = expected_counts(candidates)
    ids = candidates.frame_ids.to_pylist()
    held = pool.labelled_class_counts.astype(float)
    left = set(range(len(ids)))
    for row in pick(pool, "expected_gain", 20, **FREE).to_pylist():
        number = ids.index(row["frame_id"])
        worth = {
            other: float(expected[other] @ (1 / (1 + held)) / (1 + expected[other].sum()) ** 0.5)
            for other in left
        }
        assert worth[number] >= max(worth.values()) - 1e-12
        assert row["score"] == pytest.approx(worth[number], rel=1e-5)
        left.remove(number)
        held += expected[number]


def test_the_pick_says_what_it_expects() -> None:
    pool = by_hand([("a/0", [[0, 0, 0.95]]), ("b/0", [])])
    first, second = pick(pool, "expected_gain", 2, **FREE).to_pylist()
    assert first["trigger"] == "class:cyclist"
    assert "cyclist (2 labelled)" in first["reason"]
    assert second["reason"].startswith("nothing is expected in it")


def test_it_buys_more_rare_objects_than_the_raw_scores_would() -> None:
    """Many boxes at a score of 0.1 that are never right, against few at 0.6 that are."""
    doubtful, sure = [[0, 0, 0.1]] * 8, [[0, 0, 0.6]]
    frames = [(f"d{i:02d}/0", doubtful) for i in range(20)] + [(f"s{i:02d}/0", sure) for i in range(5)]
    truth = known([[(2, 0.6, True)] + [(2, 0.1, False)] * 8 for _ in range(40)])
    pool = replace(by_hand(frames), labelled=truth)
    assert all(frame.startswith("s") for frame in picked(pick(pool, "expected_gain", 5, **FREE)))


def test_a_cheaper_frame_is_taken_where_seconds_count() -> None:
    """One cyclist alone, or two in a crowd of ten cars."""
    frames = [("a/0", [[0, 0, 0.9]]), ("b/0", [[0, 0, 0.9]] * 2 + [[0.9, 0, 0]] * 10)]
    assert picked(pick(by_hand(frames), "expected_gain", 1, cost_power=0)) == ["b/0"]
    assert picked(pick(by_hand(frames), "expected_gain", 1, cost_power=1)) == ["a/0"]


@pytest.mark.parametrize(("found", "explored"), [(1.0, 0), (0.5, 5), (0.0, 20)])
def test_auto_explores_as_much_as_the_model_overlooks(
    monkeypatch: pytest.MonkeyPatch, found: float, explored: int
) -> None:
    monkeypatch.setattr(auto, "share_found", lambda _: found)
    triggers = pick(synthetic(1), "auto", 20, **FREE)["trigger"].to_pylist()
    assert triggers.count("coverage") == explored


def test_auto_reads_the_share_from_val() -> None:
    """A model that finds all of val hardly explores."""
    pool = replace(synthetic(1), val=known([[(0, 0.95, True)] for _ in range(300)]))
    assert chances.share_found(Candidates(pool, 0.05)) > 0.9
    assert pick(pool, "auto", 20, **FREE)["trigger"].to_pylist().count("coverage") <= 1


def test_any_beginning_of_auto_holds_both() -> None:
    triggers = pick(synthetic(1), "auto", 30, **FREE)["trigger"].to_pylist()
    explored = triggers.count("coverage")
    assert 0 < explored < 30
    half = triggers[:15].count("coverage")
    assert abs(half - explored / 2) <= 1
    assert np.isfinite(pick(synthetic(1), "auto", 30)["score"].to_numpy()).all()

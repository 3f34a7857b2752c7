"""Boxes of two opinions side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataengine.mine.scores.pairing import SAME, Opinion, most_overlapping, paired
from tests.mine.scores.looks import FAR, HERE, RIGHT, look, opinion

CAR, FAINT, BIKE = (0.9, 0.0, 0.0), (0.2, 0.0, 0.0), (0.0, 0.0, 0.8)


def test_boxes_that_count() -> None:
    found = Opinion.of(look([(HERE, CAR), (FAR, FAINT)], []), 0.5)
    assert found.boxes.counts.tolist() == [1, 0]
    np.testing.assert_allclose(found.class_scores, [CAR])


def test_a_place_counts_once() -> None:
    """The place's box is reported for each class that it may hold, each time with all class scores."""
    place = (0.3, 0.0, 0.8)
    plain = look([(HERE, place), (HERE, place), (FAR, CAR)], [(HERE, (0.4, 0.0, 0.4))])
    boxes = plain.boxes
    class_id = boxes.class_id.copy()
    class_id[[1, 2]] = 2, 0  # the sure car stands first
    predictions = replace(plain, boxes=replace(boxes, class_id=class_id))
    assert Opinion.of(predictions, 0.05).boxes.counts.tolist() == [3, 1]
    found = Opinion.of_places(predictions, 0.05)
    assert found.boxes.class_id.tolist() == [0, 2, 0]
    assert found.boxes.counts.tolist() == [2, 1]
    assert Opinion.of_places(look([], []), 0.05).boxes.counts.tolist() == [0, 0]


@pytest.mark.parametrize("odd", [np.nan, np.inf, -1.0, 7.0])
def test_scores_that_are_no_chances(odd: float) -> None:
    found = Opinion.of(look([(HERE, (odd, 0.5, 0.0))]), 0.0)
    assert ((found.class_scores >= 0) & (found.class_scores <= 1)).all()
    assert (found.boxes.score >= 0).all()
    assert (found.boxes.score <= 1).all()


def test_pairs_of_whatever_class() -> None:
    found = paired(opinion([(HERE, CAR), (FAR, CAR)]), opinion([(RIGHT, BIKE)]))
    assert found.row.tolist() == [0, -1]
    np.testing.assert_allclose(found.iou, [80 / 120, 0])
    np.testing.assert_allclose(found.of(np.array([[0.0, 0.0, 0.8]])), [BIKE, (0, 0, 0)], atol=1e-6)


def test_a_faint_double_finds_no_partner() -> None:
    """The sure box chooses first though its double fits better; CALD's pairing shares the partner."""
    one, other = opinion([(RIGHT, FAINT), (HERE, CAR)]), opinion([(RIGHT, CAR)])
    np.testing.assert_allclose(one.boxes.score, [0.9, 0.2])
    assert paired(one, other).row.tolist() == [0, -1]
    assert most_overlapping(one, other).row.tolist() == [0, 0]


def test_a_double_of_another_class_takes_no_partner_away() -> None:
    """The bicycle's faint double fits the car better than the car's own box in the other view."""
    faint_bike = (0.0, 0.0, 0.1)
    found = paired(opinion([(HERE, CAR)]), opinion([(RIGHT, CAR), (HERE, faint_bike)]))
    assert found.row.tolist() == [0]
    swapped = paired(opinion([(HERE, CAR), (HERE, faint_bike)]), opinion([(RIGHT, BIKE), (HERE, FAINT)]))
    assert swapped.row.tolist() == [1, 0]


def test_the_highest_overlap_and_the_surest_on_a_tie() -> None:
    one = opinion([(HERE, CAR)])
    assert most_overlapping(one, opinion([(RIGHT, CAR), (HERE, FAINT)])).row.tolist() == [1]
    assert most_overlapping(one, opinion([(HERE, FAINT), (HERE, CAR)])).row.tolist() == [0]
    barely = (9.0, 9.0, 30.0, 30.0)
    assert most_overlapping(one, opinion([(barely, CAR)])).row.tolist() == [0]
    assert paired(one, opinion([(barely, CAR)])).row.tolist() == [-1]


def test_frames_are_apart() -> None:
    found = paired(opinion([], [(HERE, CAR)], [(HERE, CAR)]), opinion([(HERE, CAR)], [], [(HERE, BIKE)]))
    assert found.row.tolist() == [-1, 1]


def test_nothing_on_either_side() -> None:
    nothing, something = opinion([]), opinion([(HERE, CAR)])
    for pairing in (paired, most_overlapping):
        assert pairing(nothing, something).row.tolist() == []
        assert pairing(something, nothing).row.tolist() == [-1]
        assert pairing(something, nothing).of(nothing.class_scores).tolist() == [[0, 0, 0]]


boxes = st.lists(
    st.tuples(
        st.integers(0, 20), st.integers(0, 20), st.integers(1, 15), st.integers(1, 15), st.floats(0.01, 1)
    ),
    max_size=8,
)


@given(boxes, boxes)
def test_partners_are_partners(first: list[tuple[float, ...]], second: list[tuple[float, ...]]) -> None:
    one, other = (
        opinion([((x, y, x + w, y + h), (s, 0, 0)) for x, y, w, h, s in rows]) for rows in (first, second)
    )
    found = paired(one, other)
    met = found.row[found.row >= 0]
    assert len(set(met.tolist())) == len(met)  # nobody has two
    assert (found.iou[found.row >= 0] >= SAME).all()
    assert (found.iou[found.row < 0] == 0).all()
    assert (most_overlapping(one, other).iou >= found.iou).all()

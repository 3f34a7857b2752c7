from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dataengine.config import MineConfig
from dataengine.mine.candidates import Candidates
from dataengine.mine.scores import temporal
from dataengine.mine.strategy import FrameScores, Score, Task
from tests.mine.pools import pick, picked, synthetic
from tests.mine.tracking.lines import Spot, pool

X = 48.0
"""The middle of the image."""


def scores(score: Score, clips: dict[str, list[list[Spot]]], **settings: object) -> FrameScores:
    task = Task(
        candidates=Candidates(pool(clips, **settings), 0.05),  # type: ignore[arg-type]
        config=MineConfig(),
        rng=np.random.default_rng(0),
    )
    return score.compute(task)


def row(*values: float, kind: str = "car") -> list[list[Spot]]:
    """One object that stands still, by its scores; 0 where the model has no box for it."""
    return [[(X, kind, value)] if value else [] for value in values]


def expect(found: FrameScores, values: list[float]) -> None:
    np.testing.assert_allclose(found.values, values, atol=1e-6)


STEADY = row(0.9, 0.9, 0.9, 0.9)


@pytest.mark.parametrize("score", temporal.SCORES, ids=lambda score: score.name)
def test_a_steady_track_and_an_empty_clip_show_nothing(score: Score) -> None:
    found = scores(score, {"a": STEADY, "b": [[], [], []]})
    expect(found, [0] * 7)
    assert found.reason(0) == "nothing odd here about its tracks, of which there are 1"
    assert found.reason(5).endswith("of which there are 0")


@pytest.mark.parametrize("score", temporal.SCORES, ids=lambda score: score.name)
def test_stills_show_nothing_and_say_why(score: Score) -> None:
    found = scores(
        score,
        {"a": row(0.9), "b": row(0.4), "c": row(0.8, 0.8)},
        times={"a": [0.0], "b": [0.0], "c": [None, None]},
    )
    expect(found, [0] * 4)
    assert {found.reason(i) for i in range(4)} == {
        "no other frame of its clip is near it in time: tracks tell nothing of it"
    }


def test_temporal_expects_a_miss_where_the_track_is_sure() -> None:
    """A faint 0.2 between 0.8 and 0.6: the mean of 0.2 and 0.7 is 0.45, enough for an object."""
    found = scores(temporal.TEMPORAL, {"a": row(0.8, 0.8, 0.2, 0.6, 0.6)})
    expect(found, [0, 0, 0.45, 0, 0])
    assert found.reason(2) == "a car track has only 0.20 here, 0.80 before and 0.60 after: probably missed"


def test_temporal_expects_a_false_alarm_where_the_track_is_faint() -> None:
    """0.4 between nothing and 0.1: the mean of 0.4 and 0.05 is 0.225, so 0.775 for a false alarm."""
    found = scores(temporal.TEMPORAL, {"a": row(0, 0.4, 0.1, 0.0)})
    expect(found, [0, 0.775, 0, 0])
    assert found.reason(1) == (
        "a car 0.40 has 0.00 before and 0.10 after on its track: probably a false alarm"
    )


def test_temporal_knows_what_it_cannot_know() -> None:
    border: list[list[Spot]] = [[], [(6.0, "car", 0.4)], []]
    expect(scores(temporal.TEMPORAL, {"a": border}), [0, 0, 0])  # it may have come from outside
    first = row(0.4, 0.0)
    expect(scores(temporal.TEMPORAL, {"a": first}), [0.8, 0])  # the mean of 0.4 and 0 is 0.2


def test_temporal_adds_up_while_the_single_signs_are_by_track() -> None:
    steady: list[list[Spot]] = [[(20.0, "car", 0.9)] for _ in range(5)]
    both = [one + other for one, other in zip(row(0.8, 0.8, 0.2, 0.6, 0.6), steady, strict=True)]
    expect(scores(temporal.TEMPORAL, {"a": both}), [0, 0, 0.45, 0, 0])
    expect(scores(temporal.BRIDGED, {"a": both}), [0, 0, 0.3, 0, 0])


def test_flicker_counts_changes_of_status() -> None:
    found = scores(temporal.FLICKER, {"a": row(0.8, 0.2, 0.7, 0.1, 0.8, 0.8)})
    expect(found, [0.5, 1, 1, 1, 0.5, 0])
    assert found.reason(1) == "a car track flickers here: 0.80, 0.20, 0.70; such signs here: 2"
    expect(scores(temporal.FLICKER, {"a": row(0.1, 0.8, 0.8, 0.1)}), [0, 0, 0, 0])  # comes and goes once
    assert "0.80, nothing, 0.80" in scores(temporal.FLICKER, {"a": row(0.8, 0, 0.8)}).reason(1)


def test_isolated_boxes_are_surer_false_alarms_the_fainter_they_are() -> None:
    found = scores(temporal.ISOLATED, {"a": row(0, 0.4, 0), "b": row(0, 0.9, 0), "c": row(0, 0.4, 0.4)})
    expect(found, [0, 0.6, 0, 0, 0.1, 0, 0, 0, 0])
    assert found.reason(1) == "a car 0.40 is alone: its track has 0.00 before and 0.00 after"


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        (row(0.4, 0, 0), "the first frame: it may have been there before"),
        (row(0, 0, 0.4), "the last frame"),
        ([[], [(6.0, "car", 0.4)], []], "at the border"),
        ([[], [(X, "car", 0.25)], []], "not sure"),
    ],
)
def test_boxes_that_may_well_be_alone(frames: list[list[Spot]], why: str) -> None:
    assert not scores(temporal.ISOLATED, {"a": frames}).values.any(), why


def test_a_gap_is_bridged() -> None:
    found = scores(temporal.BRIDGED, {"a": row(0.7, 0.2, 0.6, kind="cyclist")})
    expect(found, [0, 0.6, 0])
    assert found.reason(1) == (
        "a cyclist track is bridged here for 1 frame between scores 0.70 and 0.60, 0.20 here"
    )


def test_a_gap_without_a_faint_box_counts_a_tenth() -> None:
    found = scores(temporal.BRIDGED, {"a": row(0.7, 0, 0, 0.6)})
    expect(found, [0, 0.06, 0.06, 0])
    assert found.reason(2) == "a car track is bridged here for 2 frames between scores 0.70 and 0.60"


def test_a_gap_behind_a_nearer_object_is_none() -> None:
    """A large box that stands lower hides the whole place."""
    one = pool({"a": row(0.7, 0.2, 0.6)})
    assert one.predictions is not None
    boxes = one.predictions.boxes
    wall = type(boxes).build(
        boxes.frame_ids,
        [1, 2, 1],
        [boxes.xyxy[0], [10, 5, 90, 60], boxes.xyxy[1], boxes.xyxy[2]],
        [0, 2, 0, 0],
        score=[0.7, 0.9, 0.2, 0.6],
    )
    hidden = type(one.predictions)(
        boxes=wall,
        class_scores=np.eye(3, dtype=np.float32)[[0, 2, 0, 0]] * wall.score[:, None],
        embeddings=one.predictions.embeddings,
    )
    walled = type(one)(
        frames=one.frames,
        predictions=hidden,
        labelled_embeddings=one.labelled_embeddings,
        labelled_class_counts=one.labelled_class_counts,
        classes=one.classes,
    )
    task = Task(candidates=Candidates(walled, 0.05), config=MineConfig(), rng=np.random.default_rng(0))
    expect(temporal.BRIDGED.compute(task), [0, 0, 0])


def test_a_place_where_another_object_was_found_is_no_gap() -> None:
    """A pedestrian walks past the car and stands before it in the very frame in which the car is missed."""
    walk: list[list[Spot]] = [[(X - 20 + 10 * i, "pedestrian", 0.9)] for i in range(5)]
    car = row(0.7, 0.7, 0, 0.6, 0.6)
    both = [one + other for one, other in zip(car, walk, strict=True)]
    found = scores(temporal.BRIDGED, {"a": both})
    expect(found, [0, 0, 0, 0, 0])
    away = [[*one, (X + 30, "pedestrian", 0.9)] for one in car]
    expect(scores(temporal.BRIDGED, {"a": away}), [0, 0, 0.03, 0, 0])  # 0.6 / 10, by two tracks


def test_a_swapped_class() -> None:
    frames = row(0.8, 0.8, 0.6, 0.8)
    frames[2] = [(X, "cyclist", 0.6)]
    found = scores(temporal.CLASS_FLIPS, {"a": frames})
    expect(found, [0, 0, 0.6, 0])
    assert found.reason(2) == "a car track of 4 frames is called cyclist 0.60 here"
    expect(scores(temporal.CLASS_FLIPS, {"a": frames[2:]}), [0, 0])  # too short to know better
    expect(scores(temporal.TEMPORAL, {"a": frames}), [0, 0, 0.6, 0])


def test_tracks_that_begin_and_end_in_mid_image() -> None:
    found = scores(temporal.ABRUPT_TRACKS, {"a": row(0, 0.8, 0.6, 0)})
    expect(found, [0.4, 0.1, 0.2, 0.3])
    assert found.reason(0) == "a car 0.80 begins in mid-image just after this frame"
    assert found.reason(1) == "a car 0.80 begins in mid-image here"
    assert found.reason(3) == "a car 0.60 ends in mid-image just before this frame"
    border: list[list[Spot]] = [[], [(6.0, "car", 0.8)], [(14.0, "car", 0.8)], [(22.0, "car", 0.8)]]
    expect(scores(temporal.ABRUPT_TRACKS, {"a": border}), [0, 0, 0, 0])


TWO_WAYS: list[list[Spot]] = [
    [(20.0, "car", 0.9)],
    [(12.0, "car", 0.8), (30.0, "car", 0.9)],
    [(45.0, "car", 0.9)],
    [(60.0, "car", 0.9)],
]
"""Forward, the first car is nearest to 12; backward, what comes from 60, 45 and 30 is due at 15, near 20."""


def test_directions_that_disagree() -> None:
    found = scores(temporal.TRACK_DISAGREEMENT, {"a": TWO_WAYS})
    # 20-12 is doubted backward and 20-30 forward: two connections at the first frame, on one track
    expect(found, [1, 0.5, 0, 0])
    assert found.reason(0) == "a car 0.90 is tracked otherwise backward in time; such signs here: 2"


def test_a_box_that_jumps() -> None:
    frames: list[list[Spot]] = [[(X, "car", 0.9)], [(X + 5, "car", 0.9)], [(X, "car", 0.9)]]
    found = scores(temporal.BOX_JITTER, {"a": frames})
    expect(found, [0, 2 / 3, 0])  # overlap of 50 in 150
    assert found.reason(1) == "a car box jumps here: overlap 0.33 with the middle of the boxes beside it"


def test_a_bought_frame_still_speaks_for_its_neighbours() -> None:
    frames = row(0.8, 0.8, 0.2, 0.6, 0.6)
    found = scores(temporal.TEMPORAL, {"a": frames}, bought=("a/1", "a/3"))
    expect(found, [0, 0.45, 0])


@pytest.mark.parametrize("score", temporal.SCORES, ids=lambda score: score.name)
def test_the_arm_takes_the_oddest_frames_and_not_the_smoothest(score: Score) -> None:
    """A miner with its sign the wrong way round would fail here."""
    clips = {
        "a": row(0.8, 0.2, 0.7, 0.1, 0.8, 0.8, 0, 0),
        "b": [
            [],
            [(X, "car", 0.4)],
            [],
            [(X, "car", 0.9)],
            [(X + 5, "cyclist", 0.6)],
            [(X, "car", 0.9)],
            [(X, "car", 0.9)],
        ],
        "c": STEADY,
        "d": TWO_WAYS,
    }
    one = pool(clips)
    values = dict(zip(one.frames["frame_id"].to_pylist(), scores(score, clips).values, strict=True))
    number = sum(value > 0 for value in values.values())
    assert 0 < number < len(values)
    found = picked(pick(one, score.name, number, max_per_clip=0, bits=-1))
    assert set(found) == {frame for frame, value in values.items() if value > 0}
    assert [values[frame] for frame in found] == sorted(values.values(), reverse=True)[:number]


@pytest.mark.parametrize("score", temporal.SCORES, ids=lambda score: score.name)
def test_values_are_finite_and_every_reason_can_be_said(score: Score) -> None:
    task = Task(candidates=Candidates(synthetic(2), 0.05), config=MineConfig(), rng=np.random.default_rng(0))
    found = score.compute(task)
    assert np.isfinite(found.values).all()
    assert (found.values >= 0).all()
    for number in range(len(found.values)):
        odd = found.values[number] > 0
        assert odd != found.reason(number).startswith(("nothing odd", "no other frame"))


@pytest.mark.parametrize("factor", [1e30, 1e-30, np.inf])
def test_boxes_beyond_all_measure(factor: float) -> None:
    one = synthetic(1)
    assert one.predictions is not None
    boxes = one.predictions.boxes
    with np.errstate(invalid="ignore"):
        xyxy = boxes.xyxy * np.float32(factor)
    predictions = replace(one.predictions, boxes=replace(boxes, xyxy=xyxy))
    task = Task(
        candidates=Candidates(replace(one, predictions=predictions), 0.05),
        config=MineConfig(),
        rng=np.random.default_rng(0),
    )
    for score in temporal.SCORES:
        assert np.isfinite(score.compute(task).values).all()

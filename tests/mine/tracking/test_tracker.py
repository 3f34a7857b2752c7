from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine.frameboxes import FrameBoxes
from dataengine.mine.tracking import TrackerSettings, link, segments
from tests.mine.tracking.lines import timeline

SETTINGS = TrackerSettings()
SURE, FAINT = 0.8, 0.15


def tracked(
    frames: list[list[tuple[float, ...]]], times: list[float] | None = None, **settings: float
) -> list[list[int]]:
    """Track numbers by frame, of boxes 20 pixels wide given as ``(x, score, class)``."""
    rows = [(*spot, *(SURE, 0)[len(spot) - 1 :]) for frame in frames for spot in frame]
    boxes = FrameBoxes.build(
        [f"{i:03d}" for i in range(len(frames))],
        [len(frame) for frame in frames],
        [[x, 80, x + 20, 100] for x, *_ in rows],
        [kind for *_, kind in rows],
        score=[score for _, score, _ in rows],
    )
    line = timeline(boxes, [0] * len(frames), times or [0.5 * i for i in range(len(frames))])
    found = iter(link(line, TrackerSettings(**settings)).tolist())  # type: ignore[arg-type]
    return [[next(found) for _ in frame] for frame in frames]


def test_one_object_in_motion_is_one_track() -> None:
    """It moves by its own width and more, so that no box overlaps the one before."""
    assert tracked([[(10.0 + 25 * i,)] for i in range(6)]) == [[0]] * 6


def test_two_objects_that_pass_each_other_keep_their_tracks() -> None:
    left = [20.0 + 30 * i for i in range(6)]
    right = [185.0 - 30 * i for i in range(6)]
    assert tracked([[(a,), (b,)] for a, b in zip(left, right, strict=True)]) == [[0, 1]] * 6


@pytest.mark.parametrize(
    ("missing", "ends", "why"),
    [
        (1, 0, "one frame is bridged"),
        (2, 0, "two frames are"),
        (3, 1, "three are not, and these are more than 1.5 s"),
    ],
)
def test_an_object_is_lost_for_a_few_frames(missing: int, ends: int, why: str) -> None:
    frames = [[(100.0,)], [(102.0,)], *([[]] * missing), [(104.0 + 2 * missing,)]]
    assert tracked(frames)[-1] == [ends], why


def test_dense_frames_may_be_missed_for_longer() -> None:
    """At 30 frames a second 1.5 s are 45 frames."""
    frames: list[list[tuple[float, ...]]] = [[(100.0,)], [(100.0,)], *([[]] * 30), [(100.0,)]]
    assert tracked(frames, [i / 30 for i in range(len(frames))])[-1] == [0]


@pytest.mark.parametrize(
    ("times", "why"),
    [
        ([0.0, 0.5, 9.0], "nine seconds later"),
        ([0.0, 0.5, 0.5], "at the same moment: stills that were put together"),
        ([0.0, 0.5, float("nan")], "at an unknown time"),
    ],
)
def test_frames_that_do_not_follow_each_other_are_not_connected(times: list[float], why: str) -> None:
    assert tracked([[(100.0,)]] * 3, times) == [[0], [0], [1]], why


def test_a_sure_box_is_taken_before_a_faint_one_that_lies_nearer() -> None:
    assert tracked([[(100.0,)], [(100.0,)], [(108.0, SURE), (101.0, FAINT)]])[2] == [0, 1]
    assert tracked([[(100.0,)], [(100.0,)], [(101.0, FAINT)]])[2] == [0]


@pytest.mark.parametrize(
    ("offset", "score", "track"), [(10, FAINT, 0), (30, FAINT, 1), (30, SURE, 0), (60, SURE, 1)]
)
def test_a_faint_box_has_to_lie_nearer_than_a_sure_one(offset: float, score: float, track: int) -> None:
    assert tracked([[(100.0,)]] * 4 + [[(100.0 + offset, score)]])[4] == [track]


def test_a_box_of_another_class_continues_a_track_where_no_other_does() -> None:
    assert tracked([[(100.0,)], [(101.0, SURE, 1)], [(102.0,)]]) == [[0]] * 3
    assert tracked([[(100.0,)], [(101.0, SURE, 1), (112.0, SURE, 0)]])[1] == [1, 0]


def test_boxes_of_one_object_in_two_classes_share_its_track() -> None:
    assert tracked([[(100.0, 0.9, 0), (101.0, 0.4, 1)], [(103.0, 0.9, 0)]]) == [[0, 0], [0]]
    assert tracked([[(100.0, 0.9, 0), (130.0, 0.4, 1)]]) == [[0, 1]]


def test_what_is_small_and_far_away_is_another_object() -> None:
    assert tracked([[(20.0,)], [(290.0,)]], [0.0, 0.1]) == [[0], [1]]


def test_the_camera_turns_and_everything_is_where_it_should_be() -> None:
    """All shift by 14 pixels; of two cars 22 apart, one is now nearer to where the other was."""
    row = [40.0, 62.0, 120.0, 170.0, 220.0, 270.0]
    frames = [[(x,) for x in row]] * 4 + [[(x + 14,) for x in row]]
    assert tracked(frames)[4] == list(range(6))
    assert tracked(frames, steady_pairs=99)[4] != list(range(6))  # nobody looks at what they have in common


def test_segments() -> None:
    boxes = FrameBoxes.build(list("abcdef"), [0] * 6, [], [])
    line = timeline(boxes, [0, 0, 0, 1, 1, 2], [0, 0.5, 5, 0, np.nan, 1])
    begin, end = segments(line, 3.0)
    assert list(zip(begin.tolist(), end.tolist(), strict=True)) == [(0, 2), (2, 3), (3, 4), (4, 5), (5, 6)]


spots = st.tuples(st.floats(0, 280), st.floats(0.1, 1), st.integers(0, 2))
clips = st.lists(st.lists(st.lists(spots, max_size=4), min_size=1, max_size=4), min_size=1, max_size=4)


def line_of(
    frames_of: list[list[list[tuple[float, float, int]]]],
) -> tuple[FrameBoxes, list[int], list[float]]:
    frames = [sorted(frame, key=lambda spot: -spot[1]) for clip in frames_of for frame in clip]
    rows = [spot for frame in frames for spot in frame]
    boxes = FrameBoxes.build(
        [f"{i:03d}" for i in range(len(frames))],
        [len(frame) for frame in frames],
        [[x, 80, x + 20, 100] for x, *_ in rows],
        [kind for *_, kind in rows],
        score=[score for _, score, _ in rows],
    )
    clip = [number for number, clip in enumerate(frames_of) for _ in clip]
    return boxes, clip, [0.5 * i for clip in frames_of for i in range(len(clip))]


@settings(deadline=None, max_examples=60)
@given(clips)
def test_every_box_has_a_track_within_its_clip(frames_of: list[list[list[tuple[float, float, int]]]]) -> None:
    boxes, clip, time_s = line_of(frames_of)
    line = timeline(boxes, clip, time_s)
    track = link(line, SETTINGS)
    numbers, first = np.unique(track, return_index=True)
    assert numbers.tolist() == list(range(len(numbers)))  # no holes
    assert (np.diff(first) > 0).all()  # in the order in which they begin
    of_box = np.array(clip, np.int64)[line.frame]
    assert all(len(set(of_box[track == number])) == 1 for number in numbers)


@settings(deadline=None, max_examples=60)
@given(clips)
def test_a_clip_is_tracked_alike_alone_and_among_others(
    frames_of: list[list[list[tuple[float, float, int]]]],
) -> None:
    boxes, clip, time_s = line_of(frames_of)
    line = timeline(boxes, clip, time_s)
    track = link(line, SETTINGS)
    alone, number = [], 0
    for frames in frames_of:
        found = link(timeline(*line_of([frames])), SETTINGS)
        alone += (found + number).tolist()
        number += len(set(found.tolist()))
    assert track.tolist() == alone


@settings(deadline=None, max_examples=60)
@given(clips)
def test_backward_is_forward_in_a_mirrored_clock(
    frames_of: list[list[list[tuple[float, float, int]]]],
) -> None:
    boxes, clip, time_s = line_of(frames_of)
    line = timeline(boxes, clip, time_s)
    order = np.arange(boxes.num_frames)[::-1]
    turned = timeline(boxes.take(order), np.array(clip)[order] * -1, -np.array(time_s)[order])
    forward = link(replace(turned, clip=turned.clip - turned.clip.min(initial=0)), SETTINGS)
    rows = np.concatenate([np.arange(len(line.row))[boxes.rows(frame)] for frame in order])
    back = link(line, SETTINGS, backward=True)[rows]
    same = [len(set(pair)) for pair in (zip(forward.tolist(), back.tolist(), strict=True),)]
    assert same[0] == len(set(forward.tolist())) == len(set(back.tolist()))


def test_nothing_at_all() -> None:
    empty = FrameBoxes.build([], [], [], [])
    assert link(timeline(empty, [], []), SETTINGS).tolist() == []
    assert link(timeline(FrameBoxes.build(["a"], [0], [], []), [0], [0.0]), SETTINGS).tolist() == []

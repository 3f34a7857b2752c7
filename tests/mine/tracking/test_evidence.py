from __future__ import annotations

import numpy as np
import pytest

from dataengine.mine.candidates import Candidates
from dataengine.mine.tracking import TrackerSettings, tracks
from tests.mine.pools import by_hand, shuffled, synthetic
from tests.mine.tracking.lines import candidates, pool

CAR, PEDESTRIAN = ("car", 0), ("pedestrian", 1)

CLIPS = {
    # a car that is missed once, beside a pedestrian too faint to be tracked
    "a": [[(40.0, "car", 0.9)], [(42.0, "car", 0.2), (80.0, "pedestrian", 0.06)], [(44.0, "car", 0.7)]],
    "b": [[], [(20.0, "cyclist", 0.5)]],
}


def test_what_tracks_tell_of_every_box() -> None:
    found = tracks(candidates(CLIPS))
    assert found.num_tracks == 2
    assert found.track.tolist() == [0, 0, -1, 0, 1]
    assert found.length.tolist() == [3, 1]
    assert found.span.tolist() == [3, 1]
    np.testing.assert_allclose(found.mean, [[0.6, 0, 0], [0, 0, 0.5]], atol=1e-6)
    np.testing.assert_allclose(found.max, [[0.9, 0, 0], [0, 0, 0.5]], atol=1e-6)
    assert found.at_gap.tolist() == [False, True, False, False, False]
    assert found.box_length.tolist() == [3, 3, 0, 3, 1]
    np.testing.assert_allclose(found.box_max[:, 0], [0.9, 0.9, 0, 0.9, 0], atol=1e-6)
    np.testing.assert_allclose(found.box_mean[:, 2], [0, 0, 0, 0, 0.5], atol=1e-6)


def test_a_faint_box_marks_the_gap_and_else_the_place_is_interpolated() -> None:
    gaps = tracks(candidates(CLIPS)).gaps
    assert gaps.within.tolist() == pytest.approx([0.2])
    assert gaps.xyxy.tolist() == [[37, 27, 47, 37]]
    empty = {"a": [[(40.0, "car", 0.9)], [], [(44.0, "car", 0.7)]]}
    gaps = tracks(candidates(empty)).gaps
    assert (gaps.frame.tolist(), gaps.track.tolist(), gaps.within.tolist()) == ([1], [0], [0.0])
    np.testing.assert_allclose(gaps.xyxy, [[37, 27, 47, 37]])
    uneven = tracks(candidates(empty, times={"a": [0.0, 0.75, 1.0]})).gaps
    np.testing.assert_allclose(uneven.xyxy, [[38, 27, 48, 37]])  # three quarters of the way


def test_a_gap_of_two_frames_and_none_at_the_ends() -> None:
    frames = [[(40.0, "car", 0.2)], [(40.0, "car", 0.9)], [], [], [(40.0, "car", 0.8)], [(40.0, "car", 0.2)]]
    found = tracks(candidates({"a": frames}))
    assert found.at_gap.tolist() == [False, False, True, True, False, False]
    assert found.length.tolist() == [4]
    assert found.span.tolist() == [6]


def test_frames_that_were_bought_break_no_track() -> None:
    frames = [[(40.0, "car", 0.9)], [(42.0, "car", 0.8)], [(44.0, "car", 0.7)]]
    found = tracks(candidates({"a": frames}, bought=("a/1",)))
    assert found.track.tolist() == [0, 0]  # rows of the candidates alone
    assert found.length.tolist() == [3]
    assert not found.at_gap.any()
    np.testing.assert_allclose(found.mean[0, 0], 0.8, atol=1e-6)
    missed = [[(40.0, "car", 0.9)], [], [(44.0, "car", 0.7)]]
    assert not tracks(candidates({"a": missed}, bought=("a/1",))).at_gap.any()  # nothing left to buy there
    assert tracks(candidates({"a": missed}, bought=("a/0",))).at_gap.tolist() == [True, False]


def test_labelled_frames_of_other_clips_stay_out() -> None:
    clips = {"a": [[(40.0, "car", 0.9)]], "b": [[(40.0, "car", 0.9)]]}
    assert tracks(candidates(clips, bought=("b/0",))).num_tracks == 1


def test_one_object_of_two_classes_counts_once_in_a_frame() -> None:
    frames = [[(40.0, "car", 0.9), (40.5, "pedestrian", 0.4)], [(41.0, "car", 0.5)]]
    found = tracks(candidates({"a": frames}))
    assert found.track.tolist() == [0, 0, 0]
    assert found.length.tolist() == [2]
    np.testing.assert_allclose(found.mean, [[0.7, 0.2, 0]], atol=1e-6)


def test_settings_move_the_levels() -> None:
    found = tracks(candidates(CLIPS), TrackerSettings(faint_score=0.05, sure_score=0.15))
    assert found.track.tolist() == [0, 0, 1, 0, 2]
    assert not found.at_gap.any()


def test_no_boxes_and_no_frames() -> None:
    for nothing in (candidates({"a": [[], []]}), Candidates(by_hand([]), 0.05)):
        found = tracks(nothing)
        assert found.num_tracks == 0
        assert found.mean.shape == found.max.shape == (0, 3)
        assert not found.at_gap.any()
        assert found.box_mean.shape == (0, 3)


def test_boxes_that_are_no_boxes_are_not_tracked() -> None:
    one = pool({"a": [[(40.0, "car", 0.9)], [(40.0, "car", 0.9)], [(float("nan"), "car", 0.9)]]})
    assert tracks(Candidates(one, 0.05)).track.tolist() == [0, 0, -1]
    unsure = pool({"a": [[(40.0, "car", float("nan"))], [(40.0, "car", 0.9)]]})
    assert tracks(Candidates(unsure, 0.05)).track.tolist() == [-1, 0]


def test_frames_without_times_are_alone() -> None:
    clips = {"a": [[(40.0, "car", 0.9)], [(40.0, "car", 0.9)]]}
    assert tracks(candidates(clips, times={"a": [None, None]})).track.tolist() == [0, 1]


def test_the_order_of_the_pool_does_not_matter() -> None:
    one = Candidates(synthetic(3), 0.05)
    other = Candidates(shuffled(synthetic(3), 1), 0.05)
    first, second = tracks(one), tracks(other)
    np.testing.assert_array_equal(first.track, second.track)
    np.testing.assert_array_equal(first.mean, second.mean)
    np.testing.assert_array_equal(first.at_gap, second.at_gap)

"""Whole clips at a stride."""

from __future__ import annotations

import numpy as np

from dataengine.mine.diversity.clips import rank_within
from tests.mine.pools import by_hand, pick, picked

SURE, UNSURE = [0.99, 0.0, 0.0], [0.5, 0.0, 0.0]


def three_clips() -> list[tuple[str, list[list[float]]]]:
    """Six frames each: b is unsure in every second frame, c in every one, a in none."""
    wavers = {"a": [0] * 6, "b": [1, 0] * 3, "c": [1] * 6}
    return [
        (f"{clip}/{i}", [UNSURE if unsure else SURE])
        for clip, frames in wavers.items()
        for i, unsure in enumerate(frames)
    ]


def test_the_clip_of_the_highest_mean_comes_first_at_its_stride() -> None:
    selection = pick(
        by_hand(three_clips()), "whole_clips", 5, score="uncertainty", clip_stride=3, max_per_clip=1
    )
    assert picked(selection) == ["c/1", "c/4", "b/1", "b/4", "a/1"]
    assert selection["trigger"].to_pylist() == ["uncertainty"] * 5
    assert selection["reason"][0].as_py().startswith("clip 1 of 3, mean uncertainty 1.000; one frame in 3")


def test_a_stride_of_one_takes_all_of_a_clip() -> None:
    found = picked(pick(by_hand(three_clips()), "whole_clips", 6, score="uncertainty", clip_stride=1))
    assert found == [f"c/{i}" for i in range(6)]


def test_when_every_clip_is_bought_the_frames_between_follow() -> None:
    found = picked(pick(by_hand(three_clips()), "whole_clips", 8, score="uncertainty", clip_stride=3))
    assert found == ["c/1", "c/4", "b/1", "b/4", "a/1", "a/4", "c/0", "c/2"]


def test_a_clip_shorter_than_half_the_stride_gives_its_last_frame() -> None:
    pool = by_hand([("a/0", []), ("b/0", []), ("b/1", [])])
    assert set(picked(pick(pool, "whole_clips", 2, clip_stride=50))) == {"a/0", "b/1"}


def test_without_a_score_clips_are_drawn() -> None:
    pool = by_hand([(f"c{c:02d}/{i}", []) for c in range(20) for i in range(3)])
    first = {tuple(picked(pick(pool, "whole_clips", 5, seed=seed))) for seed in range(8)}
    assert len(first) == 8
    assert all(frame.endswith("/1") for frames in first for frame in frames)


def test_rank_within() -> None:
    assert rank_within(np.array([2, 0, 2, 1, 0, 2])).tolist() == [0, 0, 1, 0, 1, 2]
    assert rank_within(np.zeros(0, np.int64)).tolist() == []

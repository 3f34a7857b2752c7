"""The baselines."""

from __future__ import annotations

import numpy as np

from dataengine.mine.blind import spread_order
from tests.mine.pools import by_hand, pick, picked, synthetic


def test_random_is_uniform_over_frames() -> None:
    """Each of 20 frames is drawn 5 of 20 times in the mean; 400 draws put the count within 60..140."""
    pool = by_hand([(f"c{i:02d}/0", []) for i in range(20)])
    drawn = [frame for seed in range(400) for frame in picked(pick(pool, "random", 5, seed=seed))]
    counts = np.unique(drawn, return_counts=True)[1]
    assert len(counts) == 20
    assert ((counts > 60) & (counts < 140)).all()


def test_random_follows_its_stream() -> None:
    pool = synthetic()
    first, again, other = (picked(pick(pool, "random", 10, seed=seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_random_clips_come_whole_and_in_order() -> None:
    pool = by_hand([(f"clip{c}/{f}", []) for c in range(5) for f in range(4)])
    found = picked(pick(pool, "random_clips", 10, max_per_clip=1, bits=-1))
    clips = [frame.split("/")[0] for frame in found]
    assert [clips[0]] * 4 + [clips[4]] * 4 + [clips[8]] * 2 == clips
    assert [frame.split("/")[1] for frame in found] == ["0", "1", "2", "3", "0", "1", "2", "3", "0", "1"]
    assert len(set(clips)) == 3


def test_every_kth_is_evenly_spaced() -> None:
    pool = by_hand([(f"c/{i:03d}", []) for i in range(100)])
    found = sorted(int(frame[2:]) for frame in picked(pick(pool, "every_kth", 10, max_per_clip=0)))
    assert found == [5, 15, 25, 35, 45, 55, 65, 75, 85, 95]


def test_any_beginning_of_every_kth_is_spread_over_the_pool() -> None:
    """A budget in seconds may cut the list anywhere."""
    pool = by_hand([(f"c/{i:03d}", []) for i in range(128)])
    found = [int(frame[2:]) for frame in picked(pick(pool, "every_kth", 32, max_per_clip=0))]
    for length in (4, 8, 16):
        assert np.diff(sorted(found[:length])).max() <= 2 * 128 / length


def test_every_kth_steps_past_what_it_may_not_take() -> None:
    """Eight frames that look alike and two that do not: the third pick is the next one that may join."""
    pool = by_hand([(f"c/{i}", []) for i in range(10)], phash=[0] * 8 + [2**32 - 1, 2**64 - 1])
    assert sorted(picked(pick(pool, "every_kth", 3, max_per_clip=0))) == ["c/1", "c/8", "c/9"]


def test_spread_order_is_a_permutation() -> None:
    for length in (1, 2, 3, 7, 8, 100):
        assert sorted(spread_order(length).tolist()) == list(range(length))
    assert spread_order(8).tolist() == [0, 4, 2, 6, 1, 5, 3, 7]

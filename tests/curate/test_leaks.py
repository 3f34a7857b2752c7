"""The leak test must fail on splits that leak."""

from __future__ import annotations

import pytest

from dataengine.curate.leaks import check, lookalikes_at_cuts, num_identical
from dataengine.errors import InputError
from tests.curate.timelines import codes, timeline


def test_two_splits_of_a_drive_without_a_gap_leak():
    with pytest.raises(
        InputError, match=r"drive a leaks: a/000000 \(pool\) and a/000001 \(test\) are 1.0 s apart"
    ):
        check(timeline({"a": [0, 1]}), codes("pool", "test"), gap_s=2, bits=0)


LOOKS = [
    # second hash, seconds apart, bits, leaks
    (0b0011, 10, 2, True),
    (0b0011, 10, 1, False),
    (0b0000, 10, 0, True),
    (0b0000, 30, 0, True),
    (0b0000, 31, 0, False),  # too far apart to be the same scene
]


@pytest.mark.parametrize(("second", "seconds", "bits", "leaking"), LOOKS)
def test_frames_that_look_alike_across_a_boundary_leak(second, seconds, bits, leaking):
    found = timeline({"a": [0, seconds]}, phash=[0, second])
    if not leaking:
        check(found, codes("pool", "val"), gap_s=2, bits=bits)
        return
    with pytest.raises(InputError, match=rf"raise dataset.split_gap_s above {seconds}.0"):
        check(found, codes("pool", "val"), gap_s=2, bits=bits)


@pytest.mark.parametrize(
    "names", [("pool", "pool"), ("test", "test_balanced"), ("pool", "gap"), ("gap", "test")]
)
def test_the_same_look_on_one_side_is_no_leak(names):
    check(timeline({"a": [0, 1]}, phash=[5, 5]), codes(*names), gap_s=2, bits=4)


def test_other_drives_may_look_alike_and_are_counted():
    found = timeline({"a": [0, 1], "b": [0], "c": [0]}, phash=[5, 6, 5, 5])
    splits = codes("pool", "pool", "test", "val")
    check(found, splits, gap_s=2, bits=4)
    assert num_identical(found, splits) == 2


def test_frames_that_nobody_learns_from_cannot_leak():
    check(timeline({"a": [0, 1]}, phash=[5, 5]), codes("unlabelled", "test"), gap_s=2, bits=4)


def test_a_cut_leaves_out_the_looks_that_it_would_part():
    """A still that a dead camera shows from 4 s on, cut in three: val and the pool yield to test."""
    found = timeline({"a": range(9)}, phash=[1 << 60, 3 << 40, 7 << 20, 15 << 10, 0, 0, 0, 0, 0])
    splits = codes(*["pool"] * 5, "val", "val", "test", "test")
    assert lookalikes_at_cuts(found, splits, 0).tolist() == [4, 5, 6]
    splits[[4, 5, 6]] = codes("gap")[0]
    check(found, splits, gap_s=1, bits=0)

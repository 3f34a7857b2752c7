"""Splits: the publisher's, drawn drives, drives cut in time, and the gap between them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine.curate import leaks
from dataengine.curate.splits import assign, draw_drives
from tests.curate.timelines import timeline


def split(found, **settings) -> list[str]:
    return assign(found, **{"gap_s": 2.0, "val_share": 0.2, "test_share": 0.2, **settings})[0].tolist()


GAPS = [
    # hints of frames one second apart                     splits with a gap of 2 s
    (["pool", "pool", "pool", "test", "test"], ["pool", "pool", "gap", "test", "test"]),  # 2 s away stays
    (["test", "pool", "pool", "pool", "val"], ["test", "gap", "pool", "gap", "val"]),
    (["val", "val", "val", "test", "test"], ["val", "val", "gap", "test", "test"]),  # val yields to test
    (["test", "test_balanced", "test"], ["test", "test_balanced", "test"]),  # test sets do not
    (["pool", "pool", "pool"], ["pool", "pool", "pool"]),
    (["pool", "", "test"], ["pool", "gap", "test"]),  # unpublished frames are of the pool
]


@pytest.mark.parametrize(("hints", "expected"), GAPS)
def test_frames_near_another_split_of_their_drive_make_room(hints, expected):
    assert split(timeline({"a": range(len(hints))}, hints=hints)) == expected


def test_the_reason_of_a_gap_is_told():
    _, reasons = assign(timeline({"a": [0, 1]}, hints=["pool", "test"]), gap_s=2, val_share=0, test_share=0)
    assert reasons.tolist() == ["less than 2 s from test in the same drive", "published split"]


def test_other_drives_at_the_same_time_need_no_gap():
    assert split(timeline({"a": [0, 1], "b": [0, 1]}, hints=["pool", "pool", "test", "test"])) == [
        "pool",
        "pool",
        "test",
        "test",
    ]


def test_no_gap_is_asked_for_and_none_is_left():
    assert split(timeline({"a": range(3)}, hints=["pool", "val", "test"]), gap_s=0) == ["pool", "val", "test"]


def test_order_of_frames_is_time_not_name():
    # frame ids rise while time falls
    assert split(timeline({"a": [9, 5, 1]}, hints=["pool", "pool", "test"]), gap_s=5) == [
        "pool",
        "gap",
        "test",
    ]


def test_drives_are_drawn_whole_near_their_shares():
    given_splits = draw_drives({f"d{number}": 10 for number in range(20)}, {"test": 0.25, "val": 0.15})
    assert given_splits is not None
    held = list(given_splits.values())
    assert (held.count("test"), held.count("val"), held.count("pool")) == (5, 3, 12)


def test_the_draw_depends_on_names_alone_not_on_their_order():
    sizes = {f"d{number}": number + 5 for number in range(20)}
    backwards = dict(reversed(sizes.items()))
    shares = {"test": 0.2, "val": 0.2}
    assert draw_drives(sizes, shares) == draw_drives(backwards, shares)


@pytest.mark.parametrize("sizes", [{"a": 100}, {"a": 50, "b": 50}, {"a": 2, "b": 200, "c": 200}])
def test_too_few_drives_cannot_be_drawn(sizes):
    assert draw_drives(sizes, {"test": 0.25, "val": 0.15}) is None


def test_a_lonely_drive_is_cut_in_time_with_gaps():
    splits = split(timeline({"a": range(100)}))
    assert splits == ["pool"] * 59 + ["gap"] + ["val"] * 19 + ["gap"] + ["test"] * 20


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    hinted=st.booleans(),
    gap_s=st.floats(0, 5),
    seed=st.integers(0, 999),
)
def test_no_drive_is_in_two_splits_without_the_gap(sizes, hinted, gap_s, seed):
    rng = np.random.default_rng(seed)
    hints = rng.choice(["pool", "val", "test", "test_balanced"], sum(sizes)).tolist() if hinted else ()
    found = timeline(
        {f"d{number}": np.sort(rng.uniform(0, 60, size)) for number, size in enumerate(sizes)}, hints=hints
    )
    splits, reasons = assign(found, gap_s=gap_s, val_share=0.2, test_share=0.2)
    leaks.check(found, splits, gap_s=gap_s, bits=0)
    assert all(reasons)
    again, _ = assign(found, gap_s=gap_s, val_share=0.2, test_share=0.2)
    assert (splits == again).all()

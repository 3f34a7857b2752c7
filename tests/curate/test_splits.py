"""Splits: the publisher's, drawn drives, drives cut in time, and the gap between them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine.curate import leaks
from dataengine.curate.contents import Contents
from dataengine.curate.drawing import draw_drives
from dataengine.curate.splits import Assignment, assign
from tests.curate.timelines import timeline


def assigned(found, **settings) -> Assignment:
    return assign(found, **{"gap_s": 2.0, "val_share": 0.2, "test_share": 0.2, **settings})


def split(found, **settings) -> list[str]:
    return assigned(found, **settings).names().to_pylist()


def drawn_splits(sizes: dict[str, int], shares: dict[str, float]) -> dict[str, str] | None:
    names = sorted(sizes)
    drawn = draw_drives(names, np.array([sizes[name] for name in names]), shares)
    return None if drawn is None else dict(zip(names, drawn.splits, strict=True))


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
    found = timeline({"a": range(len(hints))}, hints=hints)
    assert split(found, val_share=0, test_share=0) == expected


DRIVES = {name: [0.0, 1.0] for name in "abcdefghij"}


def test_a_published_val_is_the_test_where_the_publisher_keeps_that_ones_labels():
    hints = ["pool"] * 14 + ["val"] * 6
    found = assigned(timeline(DRIVES, hints=hints))
    names = found.names().to_pylist()
    assert names[14:] == ["test"] * 6
    assert set(found.reason_words().to_pylist()[14:]) == {
        "published val, as no labels of a test are published"
    }
    assert found.drawn
    assert 2 <= names[:14].count("val") <= 4
    assert names[:14].count("test") == 0


def test_a_published_test_without_val_keeps_its_frames():
    names = split(timeline(DRIVES, hints=["pool"] * 16 + ["test"] * 4))
    assert names[16:] == ["test"] * 4
    assert names.count("test") == 4
    assert names.count("val") == 4


def test_a_val_and_a_test_that_are_published_leave_nothing_to_draw():
    hints = ["pool"] * 12 + ["val"] * 4 + ["test"] * 4
    found = assigned(timeline(DRIVES, hints=hints))
    assert found.names().to_pylist() == hints
    assert not found.drawn


def test_each_dataset_of_a_mix_is_split_for_itself():
    hints = ["pool", "pool", "val", "val", "test", "test", *[""] * 14]
    names = split(timeline(DRIVES, hints=hints, datasets=[0] * 6 + [1] * 14))
    assert names[:6] == hints[:6]
    assert {"pool", "val", "test"} == set(names[6:])


def test_labels_of_the_test_decide_whether_it_is_published():
    hints = ["pool"] * 12 + ["val"] * 4 + ["test"] * 4
    names = split(timeline(DRIVES, hints=hints, labelled=[True] * 16 + [False] * 4))
    assert names[12:] == ["test"] * 4 + ["unlabelled"] * 4


def test_the_reason_of_a_gap_is_told():
    found = assigned(timeline({"a": [0, 1]}, hints=["pool", "test"]))
    assert found.reason_words().to_pylist() == [
        "less than 2 s from test in the same drive",
        "published split",
    ]


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
    given_splits = drawn_splits({f"d{number}": 10 for number in range(20)}, {"test": 0.25, "val": 0.15})
    assert given_splits is not None
    held = list(given_splits.values())
    assert (held.count("test"), held.count("val"), held.count("pool")) == (5, 3, 12)


def test_the_draw_depends_on_names_alone_not_on_their_order():
    sizes = {f"d{number}": number + 5 for number in range(20)}
    backwards = dict(reversed(sizes.items()))
    shares = {"test": 0.2, "val": 0.2}
    assert drawn_splits(sizes, shares) == drawn_splits(backwards, shares)


@pytest.mark.parametrize("sizes", [{"a": 100}, {"a": 50, "b": 50}, {"a": 2, "b": 200, "c": 200}])
def test_too_few_drives_cannot_be_drawn(sizes):
    assert drawn_splits(sizes, {"test": 0.25, "val": 0.15}) is None


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
    given_splits = assigned(found, gap_s=gap_s)
    leaks.check(found, given_splits.splits, gap_s=gap_s, bits=0)
    assert all(given_splits.reason_words().to_pylist())
    assert (given_splits.splits == assigned(found, gap_s=gap_s).splits).all()


def test_frames_that_nobody_labelled_are_in_no_split():
    found = timeline(
        {"a": range(4)}, hints=["pool", "pool", "test", "test"], labelled=[True, False, False, True]
    )
    assert split(found) == ["pool", "unlabelled", "unlabelled", "test"]
    assert assigned(found).reason_words()[1].as_py() == "nobody labelled it, while other frames have labels"
    assert split(found, keep_unlabelled=True) == ["pool", "gap", "test", "test"]


def test_a_dataset_without_any_label_is_split_as_usual():
    found = timeline({f"d{number}": range(10) for number in range(10)}, labelled=[False] * 100)
    assert sorted(set(split(found))) == ["pool", "test", "val"]


def test_unlabelled_frames_do_not_count_as_a_splits_share():
    labelled = [number < 10 for number in range(10) for _ in range(10)] + [False] * 900
    drives = {f"d{number}": range(10) for number in range(10)} | {"unlabelled": range(900)}
    found = split(timeline(drives, labelled=labelled))
    assert (found.count("test"), found.count("val"), found.count("unlabelled")) == (20, 20, 900)


def conditions(**amounts: list[int]) -> Contents:
    columns = np.array(list(amounts.values()), float).T
    return Contents(names=tuple(amounts), amounts=columns)


def test_stratified_drives_share_out_what_is_rare():
    """Five of twenty drives of ten frames hold all rain: a split gets one of them."""
    names = [f"d{number:02d}" for number in range(20)]
    rain = [10] * 5 + [0] * 15
    sizes = np.full(20, 10)
    shares = {"test": 0.2, "val": 0.2}
    even = draw_drives(names, sizes, shares, conditions(rain=rain))
    assert even is not None
    held = [even.splits[drive] for drive in range(5)]
    assert (held.count("test"), held.count("val"), held.count("pool")) == (1, 1, 3)
    assert even.unbalanced == ()
    again = draw_drives(names[::-1], sizes, shares, conditions(rain=rain[::-1]))
    assert again is not None
    assert dict(zip(names[::-1], again.splits, strict=True)) == dict(zip(names, even.splits, strict=True))


def test_what_drives_cannot_share_out_is_told():
    fog = [10] + [0] * 19
    drawn = draw_drives(
        [f"d{n:02d}" for n in range(20)], np.full(20, 10), {"test": 0.2, "val": 0.2}, conditions(fog=fog)
    )
    assert drawn is not None
    assert drawn.splits[0] == "pool"  # one drive cannot be shared: it is learned from
    assert drawn.unbalanced == (
        "test holds 0% of fog for 20% (1 drives)",
        "val holds 0% of fog for 20% (1 drives)",
    )


@settings(max_examples=30, deadline=None)
@given(number=st.integers(3, 60), seed=st.integers(0, 999))
def test_a_stratified_draw_is_never_further_from_its_shares_than_allowed(number, seed):
    rng = np.random.default_rng(seed)
    sizes, rare = rng.integers(1, 40, number), rng.integers(0, 9, number) * (rng.random(number) < 0.3)
    names = [f"d{n}" for n in range(number)]
    drawn = draw_drives(names, sizes, {"test": 0.25, "val": 0.15}, conditions(rare=rare.tolist()))
    if drawn is None:
        return
    for name, share in (("test", 0.25), ("val", 0.15)):
        held = sizes[np.array(drawn.splits) == name].sum() / sizes.sum()
        assert 0.5 * share <= held <= 1.5 * share
    assert "pool" in drawn.splits

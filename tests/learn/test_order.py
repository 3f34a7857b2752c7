from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine.frameboxes import FrameBoxes
from dataengine.learn.order import batches, num_pseudo, repeat_factors, together
from dataengine.streams import Streams


def labels_of(*frames: tuple[int, ...], ignore: tuple[bool, ...] | None = None) -> FrameBoxes:
    """Frames holding boxes of the given classes."""
    classes = [k for frame in frames for k in frame]
    xyxy = [(0, 0, 9, 9)] * len(classes)
    ids = [f"c/{i:06d}" for i in range(len(frames))]
    return FrameBoxes.build(ids, [len(f) for f in frames], xyxy, classes, ignore=ignore)


def test_frames_of_rare_classes_are_drawn_more_often() -> None:
    # class 0 is in all of 16 frames, class 1 in one: share 1/16, sqrt(0.25 / (1/16)) = 2
    labels = labels_of((0, 1), *[(0,)] * 15)
    assert repeat_factors(labels, 2, 0.25).tolist() == [2.0] + [1.0] * 15


@pytest.mark.parametrize(
    ("labels", "threshold"),
    [
        (labels_of((0, 1), *[(0,)] * 15), 0.0),  # switched off
        (labels_of(*[()] * 4), 0.5),  # no boxes at all
        (labels_of((0,), (0,)), 0.5),  # every class is common
        (labels_of((0, 1), *[(0,)] * 15, ignore=(False, True) + (False,) * 15), 0.25),  # ignored box
    ],
)
def test_nothing_is_repeated(labels: FrameBoxes, threshold: float) -> None:
    assert (repeat_factors(labels, 2, threshold) == 1).all()


@given(
    factors=st.lists(st.floats(1, 4), min_size=1, max_size=9),
    batch_size=st.integers(1, 7),
    start=st.integers(0, 11),
    seed=st.integers(0, 3),
)
@settings(deadline=None, max_examples=30)
def test_a_resumed_order_is_the_rest_of_the_whole_one(
    factors: list[float], batch_size: int, start: int, seed: int
) -> None:
    whole = list(batches(np.array(factors), batch_size, range(12), Streams(seed)))
    rest = list(batches(np.array(factors), batch_size, range(start, 12), Streams(seed)))
    assert [step for step, _ in rest] == list(range(start, 12))
    for (_, expected), (_, got) in zip(whole[start:], rest, strict=True):
        assert len(got) == batch_size
        np.testing.assert_array_equal(got, expected)


def test_every_epoch_holds_every_frame() -> None:
    order = np.concatenate([chosen for _, chosen in batches(np.ones(6), 2, range(6), Streams(1))])
    assert sorted(order[:6]) == sorted(order[6:]) == list(range(6))
    assert order[:6].tolist() != order[6:].tolist()


def test_repeats_average_to_the_factor() -> None:
    order = np.concatenate(
        [chosen for _, chosen in batches(np.array([2.5, 1.0]), 10, range(350), Streams(1))]
    )
    assert np.bincount(order)[0] / np.bincount(order)[1] == pytest.approx(2.5, rel=0.02)


@pytest.mark.parametrize(
    ("share", "batch_size", "expected"),
    [(0.5, 8, 4), (0.0, 8, 0), (0.95, 8, 7), (0.5, 1, 0), (0.1, 2, 0), (0.3, 8, 2)],
)
def test_share_of_pseudo_labelled_frames(share: float, batch_size: int, expected: int) -> None:
    assert num_pseudo(share, batch_size) == expected


def test_batches_are_labelled_frames_and_then_pseudo_labelled_ones() -> None:
    own = batches(np.ones(5), 3, range(2, 6), Streams(0))
    more = batches(np.ones(7), 2, range(2, 6), Streams(0), "order/pseudo")
    mixed = list(together(own, more, 5))
    assert [step for step, _ in mixed] == [2, 3, 4, 5]
    for _, chosen in mixed:
        assert len(chosen) == 5
        assert (chosen[:3] < 5).all()
        assert ((chosen[3:] >= 5) & (chosen[3:] < 12)).all()


def test_each_order_has_a_stream_of_its_own() -> None:
    one, other = (
        np.concatenate([chosen for _, chosen in batches(np.ones(20), 4, range(5), Streams(0), name)])
        for name in ("order", "order/pseudo")
    )
    assert one.tolist() != other.tolist()

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine.frameboxes import FrameBoxes
from dataengine.learn.order import batches, repeat_factors
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

"""What the frames before and after say of a box."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.mine.errors_model import support as module
from dataengine.mine.errors_model.said import Said
from dataengine.mine.errors_model.support import clip_support, nearness, neighbours, support
from tests.mine.errors_model.judged import CAR, PEDESTRIAN, detector, known
from tests.mine.pools import frame_rows

BOX = [0.0, 0.0, 10.0, 10.0]

TABLE = [
    # another box, nearness, why
    ([0.0, 0.0, 10.0, 10.0], 1.0, "the same"),
    ([10.0, 0.0, 20.0, 10.0], np.exp(-0.5), "one size to the right"),
    ([2.5, 2.5, 7.5, 7.5], 0.5, "half the size, same centre"),
    ([100.0, 0.0, 110.0, 10.0], 0.0, "far away"),
    ([5.0, 5.0, 5.0, 5.0], 0.0, "no area"),
]


@pytest.mark.parametrize(("other", "value", "why"), TABLE, ids=[row[-1] for row in TABLE])
def test_nearness(other: list[float], value: float, why: str) -> None:
    assert nearness(np.array([BOX]), np.array([other]))[0] == pytest.approx(value, abs=1e-9), why
    assert nearness(np.array([other]), np.array([BOX]))[0] == pytest.approx(value, abs=1e-9), why


def test_frames_are_neighbours_within_their_clip_in_order_of_time() -> None:
    before, after = neighbours(frame_rows(["b/0", "a/2", "a/0", "a/1"]))
    assert before.tolist() == [-1, 3, -1, 2]
    assert after.tolist() == [-1, -1, 3, 1]


def test_a_box_is_confirmed_by_the_same_class_in_the_same_place() -> None:
    frames = known(
        [
            ("a/0", [(0, CAR, 0.9), (1, CAR, 0.8)], []),
            ("a/1", [(0, CAR, 0.5), (1, PEDESTRIAN, 0.7)], []),
            ("a/2", [], []),
        ]
    )
    said = Said.of_known(frames, 0.05)
    before, after = neighbours(frames.frames)
    np.testing.assert_allclose(support(said, after)[:2], [0.5, np.exp(-2) * 0.5])  # the one on place 0
    np.testing.assert_allclose(support(said, after)[2:], 0)  # the next frame is empty
    assert np.isnan(support(said, before)[:2]).all()
    np.testing.assert_allclose(support(said, before)[2:], [0, 0.9], atol=1e-6)  # the surer pedestrian first


def test_a_clip_supports_a_class_by_its_other_frames() -> None:
    frames = known(
        [
            ("a/0", [(0, CAR, 0.9), (1, CAR, 0.8)], []),
            ("a/1", [(0, CAR, 0.6), (1, PEDESTRIAN, 0.3)], []),
            ("a/2", [], []),
            ("b/0", [(0, CAR, 0.7)], []),
        ]
    )
    found = clip_support(Said.of_known(frames, 0.05))
    np.testing.assert_allclose(found[:, CAR], [0.3, 0.45, 0.75, 0.7], atol=1e-6)
    np.testing.assert_allclose(found[:, PEDESTRIAN], [0.15, 0, 0.15, 0], atol=1e-6)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = detector({CAR: 1.0, PEDESTRIAN: 1.0}, drives=3)
    said, (before, _) = Said.of_known(frames, 0.05), neighbours(frames.frames)
    whole = support(said, before)
    monkeypatch.setattr(module, "PAIRS_PER_BLOCK", 3)
    np.testing.assert_array_equal(support(said, before), whole)

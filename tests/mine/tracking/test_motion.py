from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine.mine.tracking.motion import (
    FIRST_SPEED,
    MEASURED,
    SPEED_DRIFT,
    TAIL,
    Motion,
    coordinates,
    corners,
    farthest,
    surprise,
)

sides = st.floats(1, 500)
places = st.floats(-500, 2000)
ONE, FIRST = np.ones(1), np.zeros(1, np.int64)


@settings(deadline=None)
@given(places, places, sides, sides)
def test_coordinates_and_back(x: float, y: float, width: float, height: float) -> None:
    box = np.array([[x, y, x + width, y + height]])
    np.testing.assert_allclose(corners(coordinates(box)), box, atol=1e-6)


def follow(boxes: list[list[float]], step_s: float) -> Motion:
    """The motion after boxes have been seen one after the other."""
    motion = Motion.begin(coordinates(np.array(boxes[:1], np.float64)))
    for box in boxes[1:]:
        motion = motion.after(ONE * step_s).seen(coordinates(np.array([box], np.float64)))
    return motion


@pytest.mark.parametrize("step_s", [0.1, 0.5, 2.0])
def test_steady_motion_across_the_image_goes_on(step_s: float) -> None:
    shift = 20 * step_s
    motion = follow([[i * shift, 50, i * shift + 20, 70] for i in range(8)], step_s)
    found = corners(motion.after(ONE * step_s).place)[0]
    np.testing.assert_allclose(found, [8 * shift, 50, 8 * shift + 20, 70], atol=0.15 * shift)


def test_what_comes_nearer_grows_faster_and_faster() -> None:
    """At 40, 35, ... metres, a side is 400 / distance, and so is the way from the middle of the image."""

    def seen(distance: float) -> list[float]:
        return [800 / distance, 400 / distance, 1200 / distance, 800 / distance]

    motion = follow([seen(distance) for distance in (40, 35, 30, 25, 20)], 0.5)
    found = corners(motion.after(ONE * 0.5).place)[0]
    truth = np.array(seen(15))
    straight = 2 * np.array(seen(20)) - np.array(seen(25))
    assert np.abs(found - truth).max() < 0.5 * np.abs(straight - truth).max()


def test_a_coordinate_is_a_kalman_filter_of_constant_speed() -> None:
    """Against the textbook's matrices, for the centre of a box that does not grow."""
    box, later = np.array([[90.0, 0, 110, 20]]), np.array([[94.0, 0, 114, 20]])
    time, size = 0.5, 20.0
    state = np.array([100.0, 0.0])
    spread = np.diag([(MEASURED[0] * size) ** 2, (FIRST_SPEED[0] * size) ** 2])
    step = np.array([[1, time], [0, 1]])
    drift = (SPEED_DRIFT[0] * size) ** 2 * np.array([[time**3 / 3, time**2 / 2], [time**2 / 2, time]])
    state, spread = step @ state, step @ spread @ step.T + drift
    gain = spread[:, 0] / (spread[0, 0] + (MEASURED[0] * size) ** 2)
    state = state + gain * (104 - state[0])
    spread = spread - np.outer(gain, spread[0])

    ours = Motion.begin(coordinates(box)).after(ONE * time).seen(coordinates(later))
    assert [ours.place[0, 0], ours.speed[0, 0]] == pytest.approx(state)
    assert [ours.place_var[0, 0], ours.shared_var[0, 0], ours.speed_var[0, 0]] == pytest.approx(
        [spread[0, 0], spread[0, 1], spread[1, 1]]
    )


def test_surprise_grows_with_the_distance_and_is_gentle_far_off() -> None:
    motion = Motion.begin(coordinates(np.array([[100.0, 100, 120, 120]]))).after(ONE * 0.1)
    boxes = np.array([[100.0 + d, 100, 120 + d, 120] for d in (0, 5, 20, 200)])
    track, box = np.zeros(4, np.int64), np.arange(4)
    distance, spread = surprise(motion, coordinates(boxes), np.zeros(1), track, box)
    assert distance[0] == pytest.approx(0)
    assert (np.diff(distance) > 0).all()
    assert distance[3] < 10 * distance[2]  # 100 times as far in squares
    assert len(set(spread.round(9))) == 1
    shaken, _ = surprise(motion, coordinates(boxes), np.full(1, 10.0), track, box)
    assert (shaken[1:] < distance[1:]).all()


def test_the_farthest_that_one_coordinate_may_be_off() -> None:
    limit = farthest(15.0)
    assert TAIL * np.log1p(limit / TAIL) == pytest.approx(15.0)


def test_a_longer_look_ahead_is_less_certain() -> None:
    motion = Motion.begin(coordinates(np.array([[100.0, 100, 120, 120]])))
    near, far = motion.after(ONE * 0.5), motion.after(ONE * 1.0)
    assert (far.place_var > near.place_var).all()
    assert (near.seen(near.place).place_var < near.place_var).all()
    assert near.take(FIRST).join(far).place.shape == (2, 4)

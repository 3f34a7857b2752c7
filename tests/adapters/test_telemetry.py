"""Signals at the times of frames."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.adapters.telemetry import Between, Signal
from dataengine.errors import InputError

TIMES = np.array([0.0, 1.0, 2.0, 6.0])


@pytest.mark.parametrize(
    ("between", "values", "time_s", "expected"),
    [
        (Between.linear, [0.0, 10.0, 20.0, 60.0], 0.25, 2.5),
        (Between.linear, [0.0, 10.0, 20.0, 60.0], 2.0, 20.0),  # as measured
        (Between.linear, [0.0, 10.0, 20.0, 60.0], 4.0, np.nan),  # within a pause of 4 s
        (Between.linear, [0.0, 10.0, 20.0, 60.0], -0.6, 0.0),  # a little before the first
        (Between.linear, [0.0, 10.0, 20.0, 60.0], -0.8, np.nan),  # long before it
        (Between.linear, [0.0, 10.0, 20.0, 60.0], 6.7, 60.0),
        (Between.linear, [0.0, np.nan, 20.0, 60.0], 1.0, np.nan),  # a failed one leaves a pause of 2 s
        (Between.previous, [0.0, 10.0, 20.0, 60.0], 0.99, 0.0),
        (Between.previous, [0.0, 10.0, 20.0, 60.0], 1.0, 10.0),
        (Between.degrees, [350.0, 10.0, 20.0, 60.0], 0.5, 0.0),  # across north, not round by south
        (Between.degrees, [10.0, 350.0, 20.0, 60.0], 0.25, 5.0),
    ],
)
def test_a_signal_between_its_measurements(
    between: Between, values: list[float], time_s: float, expected: float
) -> None:
    signal = Signal(time_s=TIMES, values=np.array(values), between=between)
    found = signal.at(np.array([time_s]), 1.5)
    np.testing.assert_allclose(found, [expected], atol=1e-12)


def test_a_vector_is_read_component_by_component() -> None:
    signal = Signal(time_s=TIMES[:2], values=np.array([[0.0, 1.0], [10.0, 3.0]]))
    np.testing.assert_allclose(signal.at(np.array([0.5, 9.0]), 1.0), [[5.0, 2.0], [np.nan, np.nan]])


def test_no_measurement_answers_nothing() -> None:
    signal = Signal(time_s=np.zeros(0), values=np.zeros(0))
    assert np.isnan(signal.at(np.array([0.0, 1.0]), 10.0)).all()


def test_times_that_repeat_take_the_later_measurement() -> None:
    signal = Signal(time_s=np.array([0.0, 1.0, 1.0, 2.0]), values=np.array([0.0, 1.0, 5.0, 6.0]))
    np.testing.assert_allclose(signal.at(np.array([1.0, 1.5]), 1.0), [5.0, 5.5])


@pytest.mark.parametrize(
    ("times", "values", "said"),
    [
        ([0.0, 1.0], [1.0], "1 measurements at 2 times"),
        ([1.0, 0.0], [1.0, 2.0], "go backwards"),
        ([0.0, np.nan], [1.0, 2.0], "not a number"),
    ],
)
def test_a_clock_that_cannot_be_is_refused(times: list[float], values: list[float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Signal(time_s=np.array(times), values=np.array(values))

"""Telemetry at the times of frames."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.adapters.base import Telemetry
from dataengine.ingest.rows import at_times


def telemetry(*times: float) -> Telemetry:
    known = np.array(times)
    return Telemetry(time_s=known, speed_mps=10 * known, yaw_rate_radps=-known, acceleration_mps2=0 * known)


def test_signals_are_interpolated_and_null_where_nothing_was_recorded():
    signals = at_times(telemetry(1, 2, 3), np.array([0, 0.5, 1.25, 3, 3.9, 4.5]))
    # one sampling interval before the first and after the last is still theirs
    assert signals["speed_mps"] == pytest.approx([10, 10, 12.5, 30, 30, np.nan], nan_ok=True)
    assert signals["yaw_rate_radps"][2] == pytest.approx(-1.25)


def test_a_single_measurement_counts_at_its_own_time_only():
    assert at_times(telemetry(1), np.array([0.5, 1]))["speed_mps"] == pytest.approx([np.nan, 10], nan_ok=True)


def test_no_telemetry_is_null_everywhere():
    assert np.isnan(at_times(None, np.array([0.0, 1]))["acceleration_mps2"]).all()

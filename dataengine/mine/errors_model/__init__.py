"""Small models, fitted on val, of when the detector is right: chances of boxes, expected errors of frames."""

from __future__ import annotations

from dataengine.mine.errors_model.calibration import Calibration, calibration, true_chance
from dataengine.mine.errors_model.expectation import Expectation, expect

__all__ = ["Calibration", "Expectation", "calibration", "expect", "true_chance"]

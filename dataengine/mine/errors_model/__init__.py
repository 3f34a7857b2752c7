"""Small models, fitted on val, of when the detector is right: chances of boxes, expected errors of frames."""

from __future__ import annotations

from dataengine.mine.errors_model.calibration import Calibration, calibration, true_chance

__all__ = ["Calibration", "calibration", "true_chance"]

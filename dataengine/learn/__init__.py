"""Detectors: fit one on labelled frames, and run it over any frames.

``fit`` and ``predict`` are the two stages; ``models.NAMES`` lists the detectors. Torch is imported
when one of them is first asked for, not with the package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataengine.interrupts import held_back

if TYPE_CHECKING:
    from dataengine.learn.fitting import FitResult, fit
    from dataengine.learn.predicting import predict

__all__ = ["FitResult", "fit", "predict"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        with held_back():  # importing torch
            from dataengine.learn import fitting, predicting

        return getattr(predicting if name == "predict" else fitting, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

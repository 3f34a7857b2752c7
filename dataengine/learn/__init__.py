"""Detectors: fit one on labelled frames, and run it over any frames.

``fit`` and ``predict`` are the two stages; ``models.NAMES`` lists the detectors. Torch is imported
when one of them is first asked for, not with the package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataengine.learn.fitting import FitResult, fit
    from dataengine.learn.predicting import predict

__all__ = ["FitResult", "fit", "predict"]


def __getattr__(name: str) -> Any:
    if name in {"fit", "FitResult"}:
        from dataengine.learn import fitting

        return getattr(fitting, name)
    if name == "predict":
        from dataengine.learn.predicting import predict

        return predict
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

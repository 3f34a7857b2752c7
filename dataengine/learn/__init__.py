"""Detectors: fit one on labelled frames, and run it over any frames.

``fit`` and ``predict`` are the two stages; ``models.NAMES`` lists the detectors. Torch is imported
when one of them is first asked for, not with the package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataengine.interrupts import held_back

if TYPE_CHECKING:
    from dataengine.learn.device import cpu_threads
    from dataengine.learn.fitting import FitResult, fit
    from dataengine.learn.predicting import predict

__all__ = ["FitResult", "cpu_threads", "fit", "predict"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        with held_back():  # importing torch
            from dataengine.learn import device, fitting, predicting

        return {
            "FitResult": fitting.FitResult,
            "cpu_threads": device.cpu_threads,
            "fit": fitting.fit,
            "predict": predicting.predict,
        }[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

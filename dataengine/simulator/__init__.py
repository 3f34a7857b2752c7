"""The embedded fleet: a long-tailed procedural world, its vehicles, cameras, telemetry and exact boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataengine.simulator.fleet import render_fleet

__all__ = ["render_fleet"]


def __getattr__(name: str) -> Any:
    """Import the renderer on first use: it brings OpenCV and PyAV."""
    if name in __all__:
        from dataengine.simulator import fleet

        return getattr(fleet, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

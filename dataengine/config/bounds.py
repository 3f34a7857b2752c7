"""How a record checks itself."""

from __future__ import annotations

import math
from typing import Any

from dataengine.errors import ConfigError


def check(record: Any, name: str, low: float, high: float = math.inf) -> None:
    """Raise ``ConfigError`` unless ``low <= record.name <= high``."""
    value = getattr(record, name)
    if not low <= value <= high:
        kind = type(record).__name__.removesuffix("Config").lower()
        group = {"": "", "budget": "mine.budget.", "world": "dataset.world."}.get(kind, f"{kind}.")
        bound = f">= {low:.15g}" if high == math.inf else f"in {low:.15g}..{high:.15g}"
        raise ConfigError(f"{group}{name}={value} is out of range: it must be {bound}")

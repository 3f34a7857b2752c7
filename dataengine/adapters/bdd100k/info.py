"""BDD100K's info files: what the phone measured while it filmed.

::

    {"startTime": ms,
     "locations": [{"timestamp": ms, "latitude", "longitude", "speed", "course", "accuracy"}],
     "gps": [{"timestamp": ms, ..., "altitude", "horizontal accuracy", "vertical accuracy"}],
     "accelerometer": [{"timestamp": ms, "x", "y", "z"}], "gyro": [...]}

The video starts at ``startTime``. Any of the lists may lack; ``gps`` and ``locations`` tick about once a
second.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine.adapters.telemetry import Between, Signal, Telemetry
from dataengine.errors import InputError

_POSITIONS = {
    "speed_mps": "speed",
    "latitude_deg": "latitude",
    "longitude_deg": "longitude",
    "altitude_m": "altitude",
    "heading_deg": "course",
    "horizontal_accuracy_m": "horizontal accuracy",
}
_NEVER_NEGATIVE = frozenset({"speed_mps", "heading_deg", "horizontal_accuracy_m"})
_MOTIONS = {"accelerometer_raw": "accelerometer", "gyro_raw": "gyro"}


def read_info(path: Path, start_s: float) -> Telemetry | None:
    """Signals of an info file, since ``start_s`` seconds after the video's start.

    Positions (``speed_mps``, ``latitude_deg``, ``longitude_deg``, ``altitude_m``, ``heading_deg``,
    ``horizontal_accuracy_m``) come from ``gps``, or from ``locations`` where ``gps`` lacks one. A negative
    speed, course or accuracy stands for an unknown one. ``accelerometer_raw`` and ``gyro_raw`` ``[N, 3]``
    are left in the phone's own axes and in the unit that it wrote: the publisher states neither, and
    how a phone was mounted is unknown, so no forward acceleration can be told.

    Returns:
        ``None`` where nothing was measured.

    Raises:
        InputError: The file is no info file; the message says why.
    """
    value = _read(path)
    start_ms = _number(value.get("startTime"))
    if not (math.isfinite(start_ms) and start_ms > 0):
        raise InputError("no startTime, so nobody knows when in the video its measurements were made")
    origin = start_ms / 1000 + start_s
    signals: dict[str, Signal] = {}
    for source in ("gps", "locations"):
        for name, key in _POSITIONS.items():
            found = _signal(value.get(source), (key,), origin)
            if found is not None and name not in signals:
                column = found.values[:, 0]
                column = np.where(column < 0, np.nan, column) if name in _NEVER_NEGATIVE else column
                between = Between.degrees if name == "heading_deg" else Between.linear
                if np.isfinite(column).any():
                    signals[name] = Signal(time_s=found.time_s, values=column, between=between)
    for name, source in _MOTIONS.items():
        found = _signal(value.get(source), ("x", "y", "z"), origin)
        if found is not None:
            signals[name] = found
    return Telemetry(signals=signals) if signals else None


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})") from error
    except RecursionError as error:
        raise InputError("nested too deep") from error
    except ValueError as error:
        raise InputError(f"no JSON ({error})" if path.stat().st_size else "empty file") from error
    if not isinstance(value, dict):
        raise InputError("no object of measurements")
    return value


def _signal(rows: Any, keys: tuple[str, ...], origin: float) -> Signal | None:
    """``[N, len(keys)]`` values in the order of their times; ``None`` where there are none."""
    if not isinstance(rows, list):
        return None
    table: NDArray[np.float64] = np.array(
        [
            [_number(row.get("timestamp")), *(_number(row.get(key)) for key in keys)]
            for row in rows
            if isinstance(row, dict)
        ],
        np.float64,
    ).reshape(-1, 1 + len(keys))
    table = table[np.isfinite(table[:, 0])]
    if not np.isfinite(table[:, 1:]).any():
        return None
    table = table[np.argsort(table[:, 0], kind="stable")]
    return Signal(time_s=table[:, 0] / 1000 - origin, values=table[:, 1:])


def _number(value: Any) -> float:
    """A number as a float, NaN for anything else."""
    if not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan

"""Columns of a telemetry sidecar, by name and unit, as signals on the video's clock.

Names are read without regard to case and punctuation (``Speed (km/h)`` is ``speed_km_h``). A time is needed:

* since the video's start: ``time_s`` (``t``, ``t_s``, ``seconds``, ``elapsed_s``) or ``time_ms``
  (``elapsed_ms``, ``cts``);
* or on a clock: ``timestamp`` (``time``, ``utc``, ``datetime``, ``date``, ``timestamp_ms``), as ISO 8601 text
  or as seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by size; a small
  number counts from the video's start.

======================  ===========================================================================
signal                  columns
======================  ===========================================================================
``speed_mps``           ``speed_mps`` (``speed_m_s``, ``speed_ms``), ``speed_kmh`` (``speed_km_h``,
                        ``speed_kph``, ``kmh``), ``speed_mph`` (``mph``), ``speed_knots`` (``speed_kn``); a
                        bare ``speed`` states no unit and is left out. Without any, speed is
                        computed from the positions.
``latitude_deg``        ``latitude_deg`` (``latitude``, ``lat``)
``longitude_deg``       ``longitude_deg`` (``longitude``, ``lon``, ``lng``, ``long``)
``altitude_m``          ``altitude_m`` (``altitude``, ``alt``, ``ele``, ``elevation``), ``altitude_ft``
``heading_deg``         ``heading_deg`` (``heading``, ``course``, ``bearing``, ``track``), from north
``yaw_rate_radps``      ``yaw_rate_radps`` (``yaw_rate_rad_s``), ``yaw_rate_dps`` (``yaw_rate_deg_s``)
``acceleration_mps2``   ``acceleration_mps2`` (``acceleration_m_s2``), ``acceleration_g``; forward
``steering_angle_deg``  ``steering_angle_deg`` (``steering_angle``)
``brake``               ``brake``, as it is
======================  ===========================================================================
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine.adapters.telemetry import Between, Signal, Telemetry
from dataengine.errors import InputError

Floats = NDArray[np.float64]
Record = Mapping[str, Any]
"""One measurement by normalised column name: numbers or text."""

_KMH, _MPH, _KNOT, _G, _FOOT = 1 / 3.6, 0.44704, 1852 / 3600, 9.80665, 0.3048
_EARTH_RADIUS_M = 6_371_008.8
_ZONE_STEP_S = 900.0
_TOLERANCE_S = 60.0

_RELATIVE = {
    "time_s": 1,
    "t": 1,
    "t_s": 1,
    "seconds": 1,
    "elapsed_s": 1,
    "time_ms": 1e-3,
    "elapsed_ms": 1e-3,
    "cts": 1e-3,
}
_CLOCK = ("timestamp", "time", "utc", "datetime", "date_time", "date", "timestamp_s", "timestamp_ms")
_SIGNALS: dict[str, dict[str, float]] = {
    "speed_mps": {
        **dict.fromkeys(("speed_mps", "speed_m_s", "speed_ms"), 1.0),
        **dict.fromkeys(("speed_kmh", "speed_km_h", "speed_kph", "kmh", "km_h", "kph"), _KMH),
        **dict.fromkeys(("speed_mph", "mph"), _MPH),
        **dict.fromkeys(("speed_knots", "speed_kn", "speed_kt", "knots"), _KNOT),
    },
    "latitude_deg": dict.fromkeys(("latitude_deg", "latitude", "lat"), 1.0),
    "longitude_deg": dict.fromkeys(("longitude_deg", "longitude", "lon", "lng", "long"), 1.0),
    "altitude_m": {
        **dict.fromkeys(("altitude_m", "altitude", "alt", "ele", "elevation", "elevation_m"), 1.0),
        "altitude_ft": _FOOT,
    },
    "heading_deg": dict.fromkeys(
        ("heading_deg", "heading", "course_deg", "course", "bearing_deg", "bearing", "track"), 1.0
    ),
    "yaw_rate_radps": {
        **dict.fromkeys(("yaw_rate_radps", "yaw_rate_rad_s"), 1.0),
        **dict.fromkeys(("yaw_rate_dps", "yaw_rate_deg_s"), math.pi / 180),
    },
    "acceleration_mps2": {
        **dict.fromkeys(("acceleration_mps2", "acceleration_m_s2"), 1.0),
        "acceleration_g": _G,
    },
    "steering_angle_deg": dict.fromkeys(("steering_angle_deg", "steering_angle"), 1.0),
    "brake": {"brake": 1.0},
}
_LIMITS = {"latitude_deg": 90.0, "longitude_deg": 180.0}


def column_name(text: str) -> str:
    """The normalised name of a column."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def to_telemetry(records: Iterable[Record], start: datetime | None) -> Telemetry:
    """Signals of a sidecar, since the video's start.

    Measurements on a clock are laid on the video's: zones differ by whole quarters of an hour, so those are
    left out of the comparison. Where the two then agree to a minute, the rest is when, after the
    video's start, the first measurement was made; else it is taken to be made at the start.

    Args:
        records: Measurements in any order; those without a time are left out.
        start: When the video starts, by the camera's clock, if that is known.

    Raises:
        InputError: No record has a time, or none has a signal.
    """
    rows = [(time, is_clock, record) for record in records for time, is_clock in [_time(record)]]
    rows = [row for row in rows if math.isfinite(row[0])]
    if not rows:
        raise InputError("no record has a time; columns time_s or timestamp are looked for")
    on_clock = rows[0][1]
    rows = sorted((row for row in rows if row[1] == on_clock), key=lambda row: row[0])
    times = np.array([time for time, _, _ in rows])
    if on_clock:
        times = times - times[0] + _delay(float(times[0]), start)
    columns = {name: _column([record for *_, record in rows], name) for name in _SIGNALS}
    columns = {name: column for name, column in columns.items() if np.isfinite(column).any()}
    if "speed_mps" not in columns and {"latitude_deg", "longitude_deg"} <= columns.keys():
        columns["speed_mps"] = speeds(times, columns["latitude_deg"], columns["longitude_deg"])
    if not columns:
        raise InputError(f"no column is known; {', '.join(_SIGNALS)} and others are looked for")
    return Telemetry(
        signals={
            name: Signal(
                time_s=times,
                values=column,
                between=Between.degrees if name == "heading_deg" else Between.linear,
            )
            for name, column in columns.items()
        }
    )


def speeds(times: Floats, latitude: Floats, longitude: Floats) -> Floats:
    """``[N]`` speeds in m/s over the ground, from the places before and after each measurement.

    Args:
        times: ``[N]`` seconds, never falling.
        latitude: ``[N]`` degrees; NaN where unknown.
        longitude: ``[N]`` degrees.
    """
    found = np.full(len(times), np.nan)
    known = np.flatnonzero(np.isfinite(latitude) & np.isfinite(longitude))
    if len(known) < 2:
        return found
    before, after = known[np.r_[0, 0 : len(known) - 1]], known[np.r_[1 : len(known), len(known) - 1]]
    north, south = np.radians(latitude[after]), np.radians(latitude[before])
    east = np.radians(longitude[after] - longitude[before])
    # the haversine: exact enough for places metres apart, where the cosine formula is not
    square = np.sin((north - south) / 2) ** 2 + np.cos(north) * np.cos(south) * np.sin(east / 2) ** 2
    metres = 2 * _EARTH_RADIUS_M * np.arcsin(np.sqrt(square.clip(0, 1)))
    seconds = times[after] - times[before]
    found[known] = np.where(seconds > 0, metres / np.where(seconds > 0, seconds, 1.0), np.nan)
    return found


def number(value: Any) -> float:
    """A finite number, or NaN for anything else; a decimal comma is understood."""
    if isinstance(value, str):
        value = value.strip().replace(",", ".")
    elif not isinstance(value, int | float) or isinstance(value, bool):
        return math.nan
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return math.nan
    return found if math.isfinite(found) else math.nan


def _column(records: list[Record], signal: str) -> Floats:
    """``[N]`` values of the first column that holds the signal; NaN where it holds none."""
    for name, factor in _SIGNALS[signal].items():
        if any(name in record for record in records):
            values = np.array([number(record.get(name)) for record in records]) * factor
            if signal == "heading_deg":
                return np.asarray(values % 360.0)
            limit = _LIMITS.get(signal, math.inf)
            return np.where(np.abs(values) <= limit, values, np.nan)
    return np.full(len(records), np.nan)


def _time(record: Record) -> tuple[float, bool]:
    """Seconds, and whether they are on a clock rather than since the video's start."""
    for name, factor in _RELATIVE.items():
        if name in record:
            return number(record[name]) * factor, False
    value = next((record[name] for name in _CLOCK if name in record), None)
    seconds = number(value)
    if math.isnan(seconds):
        return _moment(value), True
    for least, unit in ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3), (1e8, 1.0)):
        if seconds >= least:
            return seconds * unit, True
    return seconds, False


def _moment(value: Any) -> float:
    try:
        found = datetime.fromisoformat(str(value).strip().replace("/", "-"))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan


def _delay(first: float, start: datetime | None) -> float:
    if start is None:
        return 0.0
    difference = first - start.timestamp()
    rest = difference - round(difference / _ZONE_STEP_S) * _ZONE_STEP_S
    return rest if abs(rest) <= _TOLERANCE_S else 0.0

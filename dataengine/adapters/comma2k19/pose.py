"""Where a camera is and where it looks, from poses in the earth's own frame (ECEF).

ECEF is metres from the earth's centre: x to the crossing of equator and zero meridian, z to the pole.
Ellipsoid: WGS 84 (NGA.STND.0036).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MAJOR_M = 6_378_137.0
_FLATTENING = 1 / 298.257223563
_MINOR_M = _MAJOR_M * (1 - _FLATTENING)
_ECCENTRICITY = _FLATTENING * (2 - _FLATTENING)
"""First eccentricity, squared."""


def geodetic(positions: Floats) -> tuple[Floats, Floats, Floats]:
    """Latitude and longitude in degrees, and height above the ellipsoid in metres.

    Bowring's formula (Survey Review 23, 1976), one step: off by less than a micrometre within 10 km of
    the ground.

    Args:
        positions: ``[N, 3]`` ECEF in metres.
    """
    x, y, z = positions.T
    with np.errstate(invalid="ignore", over="ignore"):  # a damaged position is NaN, and stays that
        across = np.hypot(x, y)
        reduced = np.arctan2(z * _MAJOR_M, across * _MINOR_M)
        second = _ECCENTRICITY / (1 - _ECCENTRICITY)
        latitude = np.arctan2(
            z + second * _MINOR_M * np.sin(reduced) ** 3,
            across - _ECCENTRICITY * _MAJOR_M * np.cos(reduced) ** 3,
        )
        down_to_axis = _MAJOR_M * np.sqrt(1 - _ECCENTRICITY * np.sin(latitude) ** 2)
        height = across * np.cos(latitude) + z * np.sin(latitude) - down_to_axis
        return np.degrees(latitude), np.degrees(np.arctan2(y, x)), height


def forward_axis(quaternions: Floats) -> Floats:
    """``[N, 3]`` where a camera looks, in ECEF, from its orientation.

    The publisher calls them rotations from ECEF to [forward, right, down], but they hold the camera's
    axes in ECEF: read so, they agree with the direction of travel within a few degrees.

    Args:
        quaternions: ``[N, 4]`` unit quaternions (Hamilton), real part first.
    """
    w, x, y, z = quaternions.T
    return np.stack([w * w + x * x - y * y - z * z, 2 * (x * y + w * z), 2 * (x * z - w * y)], axis=1)


def heading_deg(directions: Floats, latitude_deg: Floats, longitude_deg: Floats) -> Floats:
    """``[N]`` compass headings in 0..360, clockwise from north, of directions in ECEF ``[N, 3]``."""
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    x, y, z = directions.T
    with np.errstate(invalid="ignore", over="ignore"):
        east = -np.sin(longitude) * x + np.cos(longitude) * y
        outward = np.cos(longitude) * x + np.sin(longitude) * y
        north = -np.sin(latitude) * outward + np.cos(latitude) * z
        return np.asarray(np.degrees(np.arctan2(east, north)) % 360.0)

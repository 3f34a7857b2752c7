"""A pinhole camera behind a windscreen: height above the road, pitch, no roll.

Camera coordinates: ``x`` to the right, ``y`` up from the road's surface, ``z`` forward along the
vehicle, in metres with the origin on the road below the lens. Pixels: ``u`` right, ``v`` down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEAR_M = 0.3
"""Points nearer than this are moved onto the near plane: they only ever lie outside the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Where the lens is and what it sees.

    Attributes:
        width: Image width in pixels.
        height: Image height in pixels.
        focal: Focal length in pixels, equal in both axes.
        height_m: Height of the lens above the road.
        pitch: Angle in radians by which the optical axis points below the horizontal.
    """

    width: int
    height: int
    focal: float
    height_m: float
    pitch: float

    @property
    def horizon(self) -> float:
        """Image row of the horizon, in pixels from the top."""
        return self.height / 2 - self.focal * math.tan(self.pitch)

    def project(self, points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Project points given in camera coordinates.

        Args:
            points: ``[N, 3]`` metres.

        Returns:
            Pixels ``[N, 2]`` and depth along the optical axis ``[N]`` in metres, never below ``NEAR_M``.
        """
        sine, cosine = math.sin(self.pitch), math.cos(self.pitch)
        up = points[:, 1] - np.float32(self.height_m)
        ahead = points[:, 2]
        depth = np.maximum(ahead * np.float32(cosine) - up * np.float32(sine), np.float32(NEAR_M))
        scale = np.float32(self.focal) / depth
        pixels = np.empty((len(points), 2), np.float32)
        pixels[:, 0] = np.float32(self.width / 2) + points[:, 0] * scale
        pixels[:, 1] = (
            np.float32(self.height / 2) - (up * np.float32(cosine) + ahead * np.float32(sine)) * scale
        )
        return pixels, depth

    def ground_rows(self) -> tuple[int, NDArray[np.float32], NDArray[np.float32]]:
        """What each image row below the horizon sees of the road's plane.

        Returns:
            The first such row, and for it and all rows below: distance ahead ``z`` and depth along the
            optical axis, both ``[rows]`` in metres. Distances are cut at 400 m.
        """
        sine, cosine = math.sin(self.pitch), math.cos(self.pitch)
        first = max(0, min(self.height, math.ceil(self.horizon - 0.5)))
        slope = (np.arange(first, self.height, dtype=np.float32) + 0.5 - self.height / 2) / self.focal
        ahead = self.height_m * (cosine - slope * sine) / np.maximum(slope * cosine + sine, 1e-4)
        ahead = np.minimum(ahead, 400.0).astype(np.float32)
        return first, ahead, (self.height_m * sine + ahead * cosine).astype(np.float32)

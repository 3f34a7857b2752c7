"""Shadows that standing things throw on the ground, painted into its texture once a clip."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dataengine.simulator.ground import Ground
from dataengine.simulator.light import Light
from dataengine.simulator.roadside import Prop

Doubles = NDArray[np.float64]
TALL_M = 4.0
"""Things taller than this are a crown on a stem: trees and lamps."""


def cast(ground: Ground, things: list[Prop], light: Light) -> None:
    """Darken the ground where things stand in the sun's way, or just below them under clouds."""
    if not things:
        return
    corners = _corners(things)
    if not light.casts_shadows:
        low = [shape for shape, thing in zip(corners, things, strict=True) if not thing.wall]
        ground.darken(low, 0.25)
        return
    sun = light.sun_direction
    reach = min(1.0 / max(float(sun[1]), 0.2), 2.6)
    away = -np.array([float(sun[2]), float(sun[0])]) * reach
    height = np.array([thing.mesh.height for thing in things])
    tall = (height > TALL_M) & ~np.array([thing.wall for thing in things])
    throw = height[:, None] * away
    both = np.concatenate([corners, corners + throw[:, None]], axis=1).astype(np.float32)
    polygons = [np.asarray(cv2.convexHull(shape), np.float64)[:, 0] for shape in both[~tall]]
    ground.darken(polygons + _stems_and_crowns(corners[tall], throw[tall]), 0.38)


def _stems_and_crowns(corners: Doubles, throw: Doubles) -> list[Doubles]:
    """Shadows of trees and lamps: a thin stroke each, and an ellipse at its end where there is a crown.

    Args:
        corners: ``[O, 4, 2]`` footprints in ``(s, d)``.
        throw: ``[O, 2]`` where the shadow of the top falls, from the foot.
    """
    along = throw / np.maximum(np.hypot(throw[:, 0], throw[:, 1]), 1e-6)[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    foot = corners.mean(1)
    crown, side = foot + 0.72 * throw, 0.12 * across
    stems = np.stack([foot - side, foot + side, crown + side, crown - side], axis=1)
    radius = 0.5 * (corners.max(1) - corners.min(1)).min(1)[:, None, None]
    ring = 1.3 * _COSINE[:, None] * along[:, None] + _SINE[:, None] * across[:, None]
    return [*stems, *(crown[:, None] + radius * ring)[radius[:, 0, 0] > 0.8]]


_COSINE, _SINE = np.cos(np.arange(10) * np.pi / 5), np.sin(np.arange(10) * np.pi / 5)


def _corners(things: list[Prop]) -> Doubles:
    """The footprints of things in ``(s, d)``, ``[O, 4, 2]``."""
    feet = np.stack([thing.mesh.footprint for thing in things]).astype(float)
    turn = np.array([thing.turn for thing in things])[:, None]
    place = np.array([(thing.s, thing.d) for thing in things])[:, None]
    x, z, cosine, sine = feet[..., 0], feet[..., 2], np.cos(turn), np.sin(turn)
    turned = np.stack([x * sine + z * cosine, x * cosine - z * sine], axis=2)
    return np.asarray(place + turned, np.float64)

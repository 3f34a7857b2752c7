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
    polygons: list[Doubles] = []
    for shape, thing in zip(corners, things, strict=True):
        throw = away * thing.mesh.height
        if thing.mesh.height > TALL_M and not thing.wall:
            polygons += _stem_and_crown(shape, throw)
        else:
            both = np.concatenate([shape, shape + throw]).astype(np.float32)
            polygons.append(np.asarray(cv2.convexHull(both), np.float64)[:, 0])
    ground.darken(polygons, 0.38)


def _stem_and_crown(shape: Doubles, throw: Doubles) -> list[Doubles]:
    """The shadow of a tree or a lamp: a thin stroke, and an ellipse at its end where there is a crown."""
    foot, along = shape.mean(0), throw / max(float(np.hypot(*throw)), 1e-6)
    across = np.array([-along[1], along[0]])
    crown = foot + 0.72 * throw
    side = 0.12 * across
    found = [np.stack([foot - side, foot + side, crown + side, crown - side])]
    radius = 0.5 * float((shape.max(0) - shape.min(0)).min())
    if radius > 0.8:
        found.append(crown + radius * (np.outer(_COSINE, along) * 1.3 + np.outer(_SINE, across)))
    return found


_COSINE, _SINE = np.cos(np.arange(10) * np.pi / 5), np.sin(np.arange(10) * np.pi / 5)


def _corners(things: list[Prop]) -> Doubles:
    """The footprints of things in ``(s, d)``, ``[O, 4, 2]``."""
    feet = np.stack([thing.mesh.footprint for thing in things]).astype(float)
    turn = np.array([thing.turn for thing in things])[:, None]
    place = np.array([(thing.s, thing.d) for thing in things])[:, None]
    x, z, cosine, sine = feet[..., 0], feet[..., 2], np.cos(turn), np.sin(turn)
    turned = np.stack([x * sine + z * cosine, x * cosine - z * sine], axis=2)
    return np.asarray(place + turned, np.float64)

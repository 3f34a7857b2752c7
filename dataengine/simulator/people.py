"""Shapes of pedestrians, cyclists and cones.

A pedestrian's limbs swing, its envelope does not: the labelled box is that of an upright cylinder
that holds the whole stride, so that it never jitters with the gait.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from dataengine.simulator.mesh import Builder, Colour, Mesh

SKIN: tuple[Colour, ...] = ((222, 178, 150), (176, 124, 92), (118, 80, 58))
TROUSERS: tuple[Colour, ...] = ((44, 50, 72), (60, 58, 56), (96, 84, 66), (30, 30, 34), (110, 112, 118))
HAIR: tuple[Colour, ...] = ((40, 30, 24), (92, 66, 40), (24, 22, 22), (150, 120, 76), (130, 130, 130))
COATS: tuple[Colour, ...] = (
    (178, 44, 48),
    (40, 88, 150),
    (58, 118, 78),
    (212, 168, 60),
    (120, 66, 128),
    (208, 206, 200),
    (44, 46, 52),
    (196, 104, 52),
    (92, 108, 120),
)


def _cylinder(radius: float, height: float, length: float = 0.0) -> list[list[float]]:
    """Corners of an upright cylinder (stretched along z by ``length``) that a box must span."""
    angles = np.arange(12) * np.pi / 6
    ring = [(radius * np.cos(a), radius * np.sin(a) + np.sign(np.sin(a)) * length / 2) for a in angles]
    return [[float(x), y, float(z)] for x, z in ring for y in (0.0, height)]


@cache
def pedestrian(build: int, look: int) -> Mesh:
    """A walking person; ``build`` 0..3 is the stature, ``look`` picks trousers, hair and skin."""
    height = (1.78, 1.66, 1.86, 1.36)[build % 4]
    wide = (1.0, 0.94, 1.08, 0.84)[build % 4]
    trousers, hair = TROUSERS[look % len(TROUSERS)], HAIR[(look * 2) % len(HAIR)]
    skin = SKIN[look % len(SKIN)]
    hip, shoulder = height * 0.5, height * 0.82
    half = 0.24 * wide
    shape = Builder()
    stride = 0.21 * height / 1.75
    for side, swing in ((-1, stride), (1, -stride)):
        x = (side * 0.12 - 0.085) * wide, (side * 0.12 + 0.085) * wide
        shape.part(side * 0.12, hip / 2, 0)
        shape.box(x, (0.09, hip + 0.02), (-0.09, 0.09), trousers, swing=(swing, 0.0))
        shape.box(x, (0.0, 0.1), (-0.10, 0.13), (40, 34, 32), swing=(swing, swing))
    for side, swing in ((-1, -stride * 0.7), (1, stride * 0.7)):
        x = side * (half + 0.01), side * (half + 0.11)
        shape.part(side * (half + 0.08), shoulder * 0.8, 0)
        shape.box(
            (min(x), max(x)),
            (hip - 0.04, shoulder),
            (-0.06, 0.06),
            (120, 120, 120),
            paint=True,
            swing=(swing, 0.0),
        )
        shape.box((min(x), max(x)), (hip - 0.14, hip - 0.04), (-0.05, 0.05), skin, swing=(swing * 1.2, swing))
    shape.part(0, (hip + shoulder) / 2, 0)
    shape.box((-half, half), (hip - 0.06, shoulder + 0.02), (-0.15, 0.15), (120, 120, 120), paint=True)
    if look % 3 == 0:
        shape.box((-half * 0.7, half * 0.7), (hip + 0.1, shoulder - 0.04), (-0.32, -0.15), (52, 62, 58))
    shape.part(0, height - 0.15, 0)
    shape.box((-0.06, 0.06), (shoulder, shoulder + 0.08), (-0.06, 0.06), skin)
    shape.ball(0, height - 0.135, 0.0, 0.135, hair)
    shape.ball(0, height - 0.16, 0.05, 0.105, skin)
    return shape.done(_cylinder(0.38 * wide + 0.02, height))


def _bicycle(shape: Builder, frame: Colour) -> None:
    """Two wheels in the plane x = 0, a frame and a handlebar."""
    for z in (-0.55, 0.55):
        shape.part(0, 0.35, z)
        shape.box((-0.05, 0.05), (0.01, 0.69), (z - 0.05, z + 0.05), (28, 28, 30))
        for x in (-0.05, 0.05):
            shape.wheel(x, 0.35, z, 0.36, n=12, rim=(176, 178, 180))
    shape.part(0, 0.6, 0)
    for (z0, y0), (z1, y1) in (
        ((-0.55, 0.36), (-0.18, 0.82)),
        ((-0.18, 0.82), (0.42, 0.80)),
        ((0.0, 0.30), (0.42, 0.80)),
        ((0.55, 0.36), (0.40, 0.98)),
        ((-0.55, 0.36), (0.0, 0.30)),
    ):
        shape.face(
            [(0, y0, z0 - 0.04), (0, y0 + 0.03, z0 + 0.04), (0, y1 + 0.03, z1 + 0.04), (0, y1, z1 - 0.04)],
            frame,
            two_sided=True,
        )
    shape.box((-0.28, 0.28), (0.98, 1.03), (0.36, 0.42), (30, 30, 32))


@cache
def cyclist(look: int, lit: bool) -> Mesh:
    """A person riding a bicycle, every other one with bags; the legs pedal inside a fixed envelope."""
    trousers, skin = TROUSERS[look % len(TROUSERS)], SKIN[(look + 1) % len(SKIN)]
    shape = Builder()
    _bicycle(shape, ((190, 40, 40), (40, 80, 160), (220, 220, 220), (50, 130, 80))[look % 4])
    if look % 2:
        shape.part(0, 0.55, -0.6)
        shape.box((-0.26, 0.26), (0.34, 0.72), (-0.78, -0.46), ((36, 60, 56), (120, 60, 40))[look // 2 % 2])
    for side, swing in ((-1, 0.17), (1, -0.17)):
        x = side * 0.08, side * 0.23
        shape.part(side * 0.13, 0.6, 0)
        shape.box((min(x), max(x)), (0.30, 0.95), (-0.10, 0.08), trousers, swing=(swing, 0.0))
    shape.part(0, 1.25, 0.0)
    torso = [(-0.34, 0.88), (-0.06, 0.88), (0.26, 1.42), (0.0, 1.50)]
    shape.prism(torso, (-0.23, 0.23), (120, 120, 120))
    for side in (-1, 1):
        x = (side * 0.24, side * 0.33)
        quad = [(min(x), 1.38, 0.10), (max(x), 1.38, 0.16), (max(x), 1.02, 0.44), (min(x), 1.02, 0.36)]
        shape.face(quad, (120, 120, 120), paint=True, two_sided=True)
    shape.part(0, 1.66, 0.2)
    shape.ball(0, 1.62, 0.2, 0.12, skin)
    shape.ball(0, 1.67, 0.17, 0.13, ((230, 230, 226), (40, 42, 46), (200, 60, 40), (60, 140, 190))[look % 4])
    if lit:
        shape.part(0, 0.8, 0)
        for z, y, colour in ((-0.62, 0.74, (255, 40, 30)), (0.62, 0.92, (255, 250, 230))):
            lamp = [(-0.05, y, z), (0.05, y, z), (0.05, y + 0.1, z), (-0.05, y + 0.1, z)]
            shape.face(lamp, colour, glow=1.0)
    envelope = [[x, y, z] for x in (-0.34, 0.34) for y in (0.0, 1.8) for z in (-0.35, 0.35)]
    envelope += [[x, y, z] for x in (-0.06, 0.06) for y in (0.0, 0.71) for z in (-0.91, 0.91)]
    if look % 2:
        envelope += [[x, y, -0.78] for x in (-0.26, 0.26) for y in (0.34, 0.72)]
    return shape.done(envelope)


@cache
def parked_bicycle(look: int) -> Mesh:
    """A bicycle without rider, leaning at a wall: clutter."""
    shape = Builder()
    _bicycle(shape, ((60, 60, 66), (140, 50, 50), (60, 90, 120))[look % 3])
    return shape.done()


@cache
def cone(height: float = 0.78) -> Mesh:
    """A traffic cone with two white bands on a square foot."""
    orange: Colour = (238, 96, 28)
    white: Colour = (240, 240, 236)
    shape = Builder().part(0, height / 2, 0)
    shape.box((-0.24, 0.24), (0.0, 0.05), (-0.24, 0.24), (48, 44, 42))
    levels = (
        (0.05, 0.32, orange),
        (0.32, 0.5, white),
        (0.5, 0.66, orange),
        (0.66, 0.82, white),
        (0.82, 1.0, orange),
    )
    for low, high, colour in levels:
        radii = (0.19 * (1 - low) + 0.035, 0.19 * (1 - high) + 0.035)
        shape.frustum(8, radii, (low * height, high * height), colour)
    return shape.done()

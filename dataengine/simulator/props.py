"""Things beside the road that nobody labels, some of which look like objects: trees, poles, bins, posts."""

from __future__ import annotations

from functools import cache

import numpy as np

from dataengine.simulator.mesh import Builder, Colour, Mesh

METAL: Colour = (112, 116, 120)


@cache
def tree(look: int) -> Mesh:
    """A tree of leafy balls on a trunk; ``look`` picks species and size."""
    rng = np.random.default_rng([17, look])
    leaf = ((62, 96, 44), (84, 112, 52), (48, 84, 52), (116, 110, 48))[look % 4]
    height, spread = rng.uniform(4.5, 8.0), rng.uniform(1.3, 2.2)
    shape = Builder().part(0, height * 0.3, 0)
    shape.frustum(6, (0.2, 0.13), (0.0, height * 0.6), (84, 68, 52))
    shape.part(0, height * 0.75, 0)
    for level in range(7):
        angle, out = rng.uniform(0, 2 * np.pi), spread * rng.uniform(0.15, 0.7)
        shade = 0.72 + 0.45 * level / 7
        colour = (leaf[0] * shade, leaf[1] * shade, leaf[2] * shade)
        y = height * (0.55 + 0.40 * level / 7)
        shape.ball(
            out * float(np.cos(angle)),
            y,
            out * float(np.sin(angle)),
            spread * rng.uniform(0.45, 0.66),
            colour,
        )
    return shape.done()


@cache
def conifer(look: int) -> Mesh:
    """A fir of three stacked cones."""
    height = 5.0 + (look % 3)
    shape = Builder().part(0, 0.5, 0)
    shape.frustum(5, (0.15, 0.15), (0, 1), (84, 68, 52))
    for low, high, radius in ((0.12, 0.55, 1.6), (0.36, 0.78, 1.25), (0.6, 1.0, 0.85)):
        shape.part(0, height * low, 0)
        shape.frustum(7, (radius, 0.05), (height * low, height * high), (42, 78, 52))
    return shape.done()


@cache
def bush(look: int) -> Mesh:
    """A low bush."""
    rng = np.random.default_rng([18, look])
    shape = Builder().part(0, 0.5, 0)
    for k in range(4):
        shade = 0.8 + 0.12 * k
        shape.ball(
            rng.uniform(-0.5, 0.5),
            rng.uniform(0.3, 0.7),
            rng.uniform(-0.5, 0.5),
            rng.uniform(0.4, 0.6),
            (64 * shade, 98 * shade, 50 * shade),
        )
    return shape.done()


@cache
def lamp(lit: bool) -> Mesh:
    """A street lamp whose arm reaches over the road (towards -x)."""
    shape = Builder().part(0, 3, 0)
    shape.frustum(5, (0.11, 0.07), (0, 6.2), METAL)
    shape.box((-1.7, 0.05), (6.1, 6.22), (-0.05, 0.05), METAL)
    shape.box((-2.1, -1.4), (6.02, 6.16), (-0.14, 0.14), (90, 94, 98))
    shape.part(-1.75, 6.1, 0)
    glow = 1.0 if lit else 0.0
    shape.face(
        [(-2.05, 6.0, -0.12), (-1.45, 6.0, -0.12), (-1.45, 6.0, 0.12), (-2.05, 6.0, 0.12)],
        (255, 226, 170),
        glow=glow,
        two_sided=True,
    )
    if lit:
        shape.face(
            [(-2.05, 5.98, 0), (-1.45, 5.98, 0), (-1.45, 6.12, 0), (-2.05, 6.12, 0)],
            (255, 226, 170),
            glow=1.0,
            two_sided=True,
        )
    return shape.done()


@cache
def sign(kind: int) -> Mesh:
    """A traffic sign that faces the traffic (towards -z): round, triangle, square or a cone-like warning."""
    rim, core = (
        ((196, 36, 40), (238, 238, 234)),
        ((40, 84, 160), (238, 238, 234)),
        ((236, 190, 40), (60, 56, 40)),
    )[kind % 3]
    shape = Builder().part(0, 1.5, 0.05)
    shape.box((-0.04, 0.04), (0, 2.6), (-0.04, 0.04), METAL)
    corners = (12, 3, 4)[kind % 3]
    turn = (0.0, np.pi / 2, np.pi / 4)[kind % 3]
    for size, colour in ((0.40, rim), (0.27, core)):
        ring = [
            (size * float(np.cos(a + turn)), 2.4 + size * float(np.sin(a + turn)), -0.06)
            for a in np.arange(corners) * 2 * np.pi / corners
        ]
        shape.face(ring, colour, two_sided=True)
    return shape.done()


@cache
def traffic_light(state: int, lit: bool) -> Mesh:
    """A signal on a pole, facing the traffic."""
    shape = Builder().part(0, 1.6, 0.1)
    shape.box((-0.06, 0.06), (0, 2.5), (-0.06, 0.06), (70, 74, 72))
    shape.box((-0.17, 0.17), (2.5, 3.4), (-0.14, 0.14), (34, 36, 36))
    for i, colour in enumerate(((255, 50, 40), (255, 190, 50), (70, 240, 120))):
        on = i == state % 3
        y = 3.22 - 0.28 * i
        ring = [(0.1 * float(np.cos(a)), y + 0.1 * float(np.sin(a)), -0.15) for a in np.arange(8) * np.pi / 4]
        shape.face(
            ring, colour if on else (60, 58, 54), glow=(1.0 if lit else 0.7) if on else 0.0, decal=True
        )
    return shape.done()


@cache
def bin_(kind: int) -> Mesh:
    """A waste bin; the orange kind has the colour of a cone."""
    colour = ((60, 92, 66), (206, 96, 40), (80, 84, 90), (52, 76, 120))[kind % 4]
    shape = Builder().part(0, 0.5, 0)
    if kind % 2:
        shape.frustum(8, (0.24, 0.29), (0.05, 0.92), colour)
        shape.frustum(8, (0.3, 0.12), (0.92, 1.04), (40, 42, 44))
    else:
        shape.box((-0.3, 0.3), (0.08, 1.0), (-0.34, 0.34), colour)
        shape.box((-0.33, 0.33), (1.0, 1.1), (-0.38, 0.38), (44, 46, 48))
    return shape.done()


@cache
def hydrant() -> Mesh:
    """A red hydrant, as tall as a cone."""
    red: Colour = (186, 44, 36)
    shape = Builder().part(0, 0.35, 0)
    shape.frustum(8, (0.15, 0.13), (0, 0.58), red)
    shape.box((-0.22, 0.22), (0.36, 0.48), (-0.06, 0.06), red)
    shape.frustum(8, (0.16, 0.05), (0.58, 0.74), (206, 200, 190))
    return shape.done()


@cache
def bollard(kind: int) -> Mesh:
    """A post with a bright band: white and red, or black and white."""
    body, band = (
        ((226, 224, 218), (200, 40, 36)),
        ((50, 52, 54), (226, 224, 218)),
        ((92, 96, 100), (232, 196, 52)),
    )[kind % 3]
    shape = Builder().part(0, 0.5, 0)
    shape.frustum(7, (0.08, 0.08), (0, 0.62), body)
    shape.frustum(7, (0.082, 0.082), (0.62, 0.8), band)
    shape.frustum(7, (0.08, 0.05), (0.8, 0.95), body)
    return shape.done()


@cache
def cabinet(kind: int) -> Mesh:
    """A street cabinet or letter box."""
    colour = ((122, 128, 118), (200, 170, 40), (96, 100, 106))[kind % 3]
    shape = Builder().part(0, 0.6, 0)
    shape.box((-0.45, 0.45), (0, 1.25), (-0.22, 0.22), colour)
    return shape.done()


@cache
def pillar() -> Mesh:
    """An advertising pillar with a painted figure: tall and narrow as a person."""
    shape = Builder().part(0, 1.3, 0)
    shape.frustum(10, (0.5, 0.5), (0, 2.5), (196, 188, 170))
    shape.frustum(10, (0.6, 0.15), (2.5, 2.95), (70, 92, 84))
    for angle, colour in ((-np.pi / 2, (176, 60, 56)), (np.pi, (60, 96, 150)), (0.0, (210, 160, 60))):
        c, s = float(np.cos(angle)), float(np.sin(angle))
        corners = [(-0.24, 0.7), (0.24, 0.7), (0.24, 2.0), (-0.24, 2.0)]
        shape.face([(0.5 * c - s * w, y, 0.5 * s + c * w) for w, y in corners], colour, decal=True)
    return shape.done()


@cache
def container(kind: int) -> Mesh:
    """A skip or site box on legs: large and square as a truck's load, but with neither cab nor wheels."""
    colour = ((72, 104, 132), (150, 128, 60), (108, 112, 110))[kind % 3]
    shape = Builder().part(0, 1.2, 0)
    shape.box((-1.15, 1.15), (0.12, 2.3), (-2.6, 2.6), colour)
    dark = (colour[0] * 0.7, colour[1] * 0.7, colour[2] * 0.7)
    for side in (-1.16, 1.16):
        for z in np.arange(-2.3, 2.4, 0.75):
            shape.face(
                [(side, 0.2, z), (side, 0.2, z + 0.12), (side, 2.2, z + 0.12), (side, 2.2, z)],
                dark,
                decal=True,
            )
    for x in (-0.6, 0.0, 0.6):
        shape.face(
            [(x, 0.2, -2.61), (x + 0.1, 0.2, -2.61), (x + 0.1, 2.2, -2.61), (x, 2.2, -2.61)], dark, decal=True
        )
    return shape.done()


@cache
def shelter() -> Mesh:
    """A bus shelter that opens towards the road (-x)."""
    shape = Builder().part(0, 1.2, 0)
    shape.box((0.5, 0.56), (0.2, 2.2), (-1.8, 1.8), (126, 146, 152))
    for z in (-1.8, 1.72):
        shape.box((-0.6, -0.54), (0, 2.3), (z, z + 0.08), METAL)
    shape.box((0.1, 0.45), (0.42, 0.5), (-1.5, 1.5), (120, 92, 60))
    shape.part(0, 2.4, 0)
    shape.box((-0.8, 0.7), (2.3, 2.42), (-2.0, 2.0), (74, 82, 88))
    return shape.done()


@cache
def barrier() -> Mesh:
    """A roadworks barrier with red and white boards, facing along the road."""
    shape = Builder().part(0, 0.6, 0.1)
    for x in (-0.95, 0.95):
        shape.box((x - 0.04, x + 0.04), (0, 1.1), (-0.04, 0.04), METAL)
    for k in range(8):
        x = -1.0 + 0.25 * k
        colour: Colour = (212, 48, 40) if k % 2 else (238, 238, 234)
        shape.face(
            [(x, 0.72, -0.06), (x + 0.25, 0.72, -0.06), (x + 0.25, 1.0, -0.06), (x, 1.0, -0.06)],
            colour,
            two_sided=True,
        )
    return shape.done()


@cache
def fence() -> Mesh:
    """Eight metres of guard rail along the road."""
    shape = Builder().part(0, 0.4, 0)
    for z in (-3.9, -1.3, 1.3, 3.9):
        shape.box((-0.05, 0.05), (0, 0.6), (z - 0.05, z + 0.05), METAL)
    shape.part(-0.1, 0.55, 0)
    shape.box((-0.1, -0.05), (0.48, 0.78), (-4.0, 4.0), (160, 162, 162))
    return shape.done()

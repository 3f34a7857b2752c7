"""House fronts: floors of windows between piers, a shop or a door at street level, lit at night."""

from __future__ import annotations

from functools import cache

import numpy as np

from dataengine.simulator.mesh import Builder, Colour, Mesh

WALLS: tuple[Colour, ...] = (
    (172, 152, 128),
    (150, 92, 74),
    (188, 184, 174),
    (128, 122, 116),
    (196, 172, 120),
    (142, 148, 152),
    (164, 118, 88),
    (118, 96, 86),
)
AWNINGS: tuple[Colour, ...] = ((158, 44, 44), (40, 84, 72), (44, 62, 112))
LAMPS: tuple[Colour, ...] = ((255, 208, 130), (255, 226, 170), (220, 226, 240))
SHOP_LIT: Colour = (255, 222, 160)
SHOP_DARK: Colour = (58, 66, 76)
NUM_LOOKS = 24
DEPTH_M = 9.0


@cache
def building(look: int, lit: bool, terraced: bool = False) -> Mesh:
    """A house whose front is the plane ``x = 0``, facing -x; it fills ``x`` from 0 to ``DEPTH_M``.

    Args:
        look: 0..``NUM_LOOKS``-1: size, colours and windows.
        lit: Whether some windows are lit.
        terraced: Whether its gables are blank, since houses adjoin there.
    """
    rng = np.random.default_rng([29, look])
    wall = WALLS[look % len(WALLS)]
    floors, bays = int(rng.integers(2, 6)), int(rng.integers(3, 6))
    length, storey = bays * rng.uniform(2.3, 2.9), rng.uniform(2.9, 3.3)
    height = floors * storey + 0.5
    shop = look % 3 == 0
    shape = Builder().part(DEPTH_M / 2, height / 2, 0)
    shape.box((0, DEPTH_M), (0, height), (-length / 2, length / 2), wall, top=(96, 92, 90))
    front = _Front(shape, -length / 2, length / 2, axis="z")
    _windows(front, rng, (1 if shop else 0, floors), bays, storey, height, wall, lit=lit)
    if not terraced:
        for at in (-length / 2, length / 2):
            gable = _Front(shape, 0.0, DEPTH_M, axis="x", at=at)
            _windows(gable, rng, (0, floors), 3, storey, height, wall, lit=lit)
    cornice: Colour = (min(wall[0] * 1.15, 255), min(wall[1] * 1.15, 255), min(wall[2] * 1.15, 255))
    front.quad(0, 1, height - 0.4, height, cornice, bias=0.03)
    if shop:
        front.quad(0.06, 0.94, 0.4, 2.3, SHOP_LIT if lit else SHOP_DARK, glow=0.6 if lit else 0.0, bias=0.01)
        front.quad(0.03, 0.97, 2.35, 2.9, AWNINGS[look // 3 % len(AWNINGS)], bias=0.02)
    else:
        front.quad(0.44, 0.56, 0.0, 2.2, (74, 52, 42), bias=0.03)
    return shape.done()


def _windows(
    side: _Front,
    rng: np.random.Generator,
    floors: tuple[int, int],
    columns: int,
    storey: float,
    height: float,
    wall: Colour,
    *,
    lit: bool,
) -> None:
    """Bands of glass, piers of wall across them, and here and there a lamp behind a window."""
    for floor in range(*floors):
        low = floor * storey + 0.95
        side.quad(0.05, 0.95, low, low + 1.35, (66, 78, 92))
        for column in range(columns if lit else 0):
            if rng.random() < 0.4:
                a = (column + 0.25) / columns
                lamp = LAMPS[int(rng.integers(len(LAMPS)))]
                side.quad(a, a + 0.5 / columns, low, low + 1.35, lamp, glow=0.65, bias=0.01)
    half = 0.27 / columns
    for column in range(columns + 1):
        a = column / columns
        side.quad(max(a - half, 0), min(a + half, 1), floors[0] * storey, height, wall, bias=0.02)


class _Front:
    """Places rectangles on one wall, along it from 0 to 1."""

    def __init__(self, shape: Builder, start: float, stop: float, *, axis: str, at: float = 0.0) -> None:
        self.shape, self.start, self.stop, self.axis, self.at = shape, start, stop, axis, at

    def quad(
        self,
        a: float,
        b: float,
        low: float,
        high: float,
        colour: Colour,
        *,
        glow: float = 0.0,
        bias: float = 0.0,
    ) -> None:
        """Add a rectangle from ``a`` to ``b`` along the wall and ``low`` to ``high`` metres up."""
        u, v = (self.start + (self.stop - self.start) * t for t in (a, b))
        flat = [(u, low), (v, low), (v, high), (u, high)]
        out = 0.01 + bias
        if self.axis == "z":
            points = [(-out, y, w) for w, y in flat]
        else:
            points = [(w, y, self.at + np.sign(self.at) * out) for w, y in flat]
        self.shape.face(points, colour, glow=glow, decal=True)

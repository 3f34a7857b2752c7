"""Shapes of cars and trucks. Each is made once per process and shared by every vehicle of its kind."""

from __future__ import annotations

from functools import cache

from dataengine.simulator.mesh import Builder, Colour, Mesh

GLASS: Colour = (52, 62, 74)
DARK: Colour = (34, 35, 38)
PAINTS: tuple[Colour, ...] = (
    (196, 198, 202),
    (228, 228, 226),
    (72, 76, 84),
    (38, 40, 46),
    (166, 38, 36),
    (38, 72, 140),
    (60, 100, 82),
    (150, 120, 84),
    (112, 138, 168),
    (196, 150, 50),
)
CARGO_PAINTS: tuple[Colour, ...] = (
    (224, 224, 220),
    (188, 196, 206),
    (62, 96, 150),
    (180, 66, 48),
    (84, 128, 84),
    (212, 176, 84),
)

_Body = tuple[float, float, float, float, tuple[float, float], tuple[float, float]]

_BODIES: dict[str, _Body] = {
    # name: length, width, belt height, roof height, cabin base from rear to front, roof from rear to front
    "hatch": (3.9, 1.74, 0.88, 1.50, (-1.90, 0.95), (-1.55, 0.20)),
    "sedan": (4.6, 1.82, 0.90, 1.45, (-1.65, 1.10), (-0.95, 0.30)),
    "estate": (4.7, 1.84, 0.92, 1.52, (-2.25, 1.15), (-1.95, 0.35)),
    "suv": (4.6, 1.92, 1.04, 1.76, (-2.20, 1.20), (-1.90, 0.55)),
    "van": (5.0, 1.96, 1.10, 2.02, (-2.45, 1.75), (-2.35, 0.95)),
}
CAR_BODIES = tuple(_BODIES)
_LARGER = 1.25


@cache
def car(body: str, lit: bool, braking: bool = False) -> Mesh:
    """A car; ``lit`` switches its head and tail lights on."""
    return _body(*_BODIES[body], lit=lit, braking=braking)


def _scaled(body: _Body, factor: float) -> _Body:
    length, width, belt, roof, base, top = body
    return (
        factor * length,
        factor * width,
        factor * belt,
        factor * roof,
        (factor * base[0], factor * base[1]),
        (factor * top[0], factor * top[1]),
    )


def _body(
    length: float,
    width: float,
    belt: float,
    roof: float,
    base: tuple[float, float],
    top: tuple[float, float],
    *,
    lit: bool,
    braking: bool,
) -> Mesh:
    half, rear, front = width / 2, -length / 2, length / 2
    shape = Builder().part(0, 0.6, 0)
    hood = belt - 0.06
    lower = [
        (rear + 0.05, 0.26),
        (front - 0.05, 0.26),
        (front, 0.56),
        (front - 0.14, hood - 0.06),
        (base[1], belt),
        (rear + 0.06, belt),
        (rear, 0.6),
    ]
    shape.prism(lower, (-half, half), (150, 150, 150))
    for side in (-half - 0.01, half + 0.01):
        shape.face(
            [
                (side, 0.26, rear + 0.2),
                (side, 0.26, front - 0.2),
                (side, 0.38, front - 0.1),
                (side, 0.38, rear + 0.1),
            ],
            DARK,
            decal=True,
        )
        for z in (rear + 0.78, front - 0.82):
            shape.wheel(side * 1.005, 0.33, z, 0.34)
    _ends(shape, half, rear, front, belt, lit=lit, braking=braking)
    cabin = [(base[0], belt - 0.02), (base[1], belt - 0.02), (top[1], roof), (top[0], roof)]
    shape.prism(cabin, (-half + 0.05, half - 0.05), (150, 150, 150), edges={1: GLASS, 3: GLASS}, inset=0.14)
    for side in (-1, 1):
        low, high = side * (half - 0.055 + 0.012), side * (half - 0.17)
        pillar = 0.12
        middle = (base[0] + base[1]) / 2 * 0.4 + (top[0] + top[1]) / 2 * 0.6
        for z0, z1, t0, t1 in (
            (base[0] + 0.22, middle - pillar / 2, top[0] + 0.12, middle - pillar / 2),
            (middle + pillar / 2, base[1] - 0.25, middle + pillar / 2, top[1] - 0.1),
        ):
            y0, y1 = belt + 0.03, roof - 0.09
            shape.face([(low, y0, z0), (low, y0, z1), (high, y1, t1), (high, y1, t0)], GLASS, decal=True)
        shape.face(
            [
                (side * (half + 0.16), belt - 0.02, base[1] - 0.42),
                (side * half * 0.95, belt - 0.02, base[1] - 0.42),
                (side * half * 0.95, belt + 0.14, base[1] - 0.42),
                (side * (half + 0.16), belt + 0.14, base[1] - 0.42),
            ],
            DARK,
            decal=True,
            two_sided=True,
        )
    return shape.done()


@cache
def large_van(lit: bool, braking: bool = False) -> Mesh:
    """A truck that looks like the van among the cars, but for its size."""
    return _body(*_scaled(_BODIES["van"], _LARGER), lit=lit, braking=braking)


def _ends(
    shape: Builder, half: float, rear: float, front: float, belt: float, *, lit: bool, braking: bool
) -> None:
    """Lights, bumpers and plates of a car."""
    tail = rear - 0.012
    red: Colour = (255, 40, 30) if lit or braking else (150, 22, 22)
    lamp: Colour = (255, 246, 214) if lit else (206, 210, 214)
    for side in (-1, 1):
        x0, x1 = side * (half - 0.05), side * (half - 0.42)
        shape.face(
            [
                (x0, 0.64, tail),
                (x1, 0.66, tail),
                (x1, belt - 0.06, tail + 0.04),
                (x0, belt - 0.06, tail + 0.04),
            ],
            red,
            decal=True,
            glow=1.0 if braking else 0.75 if lit else 0.0,
        )
        shape.face(
            [
                (x0, 0.56, front + 0.012),
                (x1, 0.56, front + 0.012),
                (x1, 0.74, front - 0.1),
                (x0, 0.76, front - 0.11),
            ],
            lamp,
            decal=True,
            glow=1.0 if lit else 0.0,
        )
    for z, outwards in ((tail, -1), (front + 0.012, 1)):
        shape.face(
            [
                (-half + 0.05, 0.27, z),
                (half - 0.05, 0.27, z),
                (half - 0.05, 0.42, z),
                (-half + 0.05, 0.42, z),
            ],
            DARK,
            decal=True,
        )
        plate = z + outwards * 0.005
        shape.face(
            [(-0.26, 0.46, plate), (0.26, 0.46, plate), (0.26, 0.58, plate), (-0.26, 0.58, plate)],
            (222, 218, 190),
            decal=True,
        )


@cache
def truck(kind: str, lit: bool, braking: bool = False) -> Mesh:
    """A truck: ``box`` (rigid), ``semi`` (long) or ``tipper`` (open load); chassis, load and cab."""
    length, cargo_top, cargo_low = {
        "box": (7.2, 3.3, 0.95),
        "semi": (11.5, 3.7, 1.05),
        "tipper": (6.8, 2.5, 1.0),
    }[kind]
    half, rear, front = 1.22, -length / 2, length / 2
    cab_rear = front - 2.0
    shape = Builder()
    shape.part(0, 0.6, 0)
    shape.box((-half + 0.15, half - 0.15), (0.45, cargo_low), (rear + 0.1, front - 0.1), DARK)
    axles = [rear + 0.9, rear + 2.1, front - 1.15] if kind != "box" else [rear + 1.3, front - 1.15]
    for side in (-half, half):
        for z in axles:
            shape.wheel(side, 0.5, z, 0.5, rim=(150, 150, 148))
    shape.part(0, cargo_top / 2, (rear + cab_rear) / 2)
    shape.box((-half, half), (cargo_low, cargo_top), (rear, cab_rear - 0.25), (200, 200, 200), paint=True)
    _cargo_details(shape, kind, half, rear, cab_rear - 0.25, (cargo_low, cargo_top), lit=lit or braking)
    shape.part(0, 1.5, front - 1)
    roof = 2.75 if kind != "semi" else 3.0
    profile = [
        (cab_rear, 0.5),
        (front - 0.05, 0.5),
        (front, 1.35),
        (front - 0.28, roof - 0.1),
        (cab_rear, roof),
    ]
    shape.prism(profile, (-half + 0.04, half - 0.04), (196, 90, 40), paint=False)
    z = front + 0.015
    shape.face(
        [
            (-1.05, 1.48, z - 0.01),
            (1.05, 1.48, z - 0.01),
            (0.98, roof - 0.45, z - 0.2),
            (-0.98, roof - 0.45, z - 0.2),
        ],
        GLASS,
        decal=True,
    )
    shape.face([(-0.8, 0.75, z), (0.8, 0.75, z), (0.8, 1.25, z), (-0.8, 1.25, z)], DARK, decal=True)
    for side in (-1, 1):
        x = side * (half - 0.03)
        shape.face(
            [
                (x, 1.5, front - 1.35),
                (x, 1.5, front - 0.35),
                (x, roof - 0.45, front - 0.5),
                (x, roof - 0.45, front - 1.35),
            ],
            GLASS,
            decal=True,
        )
        a, b = side * 1.12, side * 0.82
        shape.face(
            [(a, 0.62, z), (b, 0.62, z), (b, 0.86, z), (a, 0.86, z)],
            (255, 246, 214) if lit else (206, 210, 214),
            decal=True,
            glow=1.0 if lit else 0.0,
        )
    return shape.done()


def _cargo_details(
    shape: Builder, kind: str, half: float, rear: float, front: float, y: tuple[float, float], *, lit: bool
) -> None:
    """Doors, stripes and tail lights of a load."""
    low, high = y
    back = rear - 0.012
    frame: Colour = (120, 122, 124)
    for x0, x1 in ((-half, -half + 0.09), (-0.05, 0.05), (half - 0.09, half)):
        shape.face([(x0, low, back), (x1, low, back), (x1, high, back), (x0, high, back)], frame, decal=True)
    for y0, y1 in ((low, low + 0.1), (high - 0.1, high)):
        shape.face(
            [(-half, y0, back), (half, y0, back), (half, y1, back), (-half, y1, back)], frame, decal=True
        )
    shape.face(
        [
            (-half, low - 0.3, back),
            (half, low - 0.3, back),
            (half, low - 0.08, back),
            (-half, low - 0.08, back),
        ],
        (200, 60, 40),
        decal=True,
    )
    for side in (-1, 1):
        a, b = side * (half - 0.06), side * (half - 0.4)
        shape.face(
            [
                (a, low - 0.3, back - 0.01),
                (b, low - 0.3, back - 0.01),
                (b, low - 0.06, back - 0.01),
                (a, low - 0.06, back - 0.01),
            ],
            (255, 40, 30) if lit else (140, 20, 20),
            decal=True,
            glow=0.85 if lit else 0.0,
        )
        x = side * (half + 0.012)
        if kind == "tipper":
            for z in (rear + 0.8, rear + 1.9, rear + 3.0, rear + 4.0):
                shape.face(
                    [(x, low, z), (x, low, z + 0.16), (x, high, z + 0.16), (x, high, z)], frame, decal=True
                )
        else:
            stripe = low + (high - low) * 0.55
            shape.face(
                [(x, low, rear), (x, low, front), (x, low + 0.12, front), (x, low + 0.12, rear)],
                frame,
                decal=True,
            )
            shape.face(
                [
                    (x, stripe, rear + 0.6),
                    (x, stripe, front - 0.6),
                    (x, stripe + 0.35, front - 0.6),
                    (x, stripe + 0.35, rear + 0.6),
                ],
                (236, 236, 232),
                decal=True,
            )


TRUCK_KINDS = ("box", "semi", "tipper")

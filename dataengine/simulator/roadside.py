"""What stands along the road and is never labelled: houses, trees, poles, and look-alikes of objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dataengine.simulator import buildings, people, props
from dataengine.simulator.layout import Layout
from dataengine.simulator.mesh import Mesh


@dataclass(frozen=True, slots=True, kw_only=True)
class Prop:
    """One unlabelled thing.

    Attributes:
        mesh: Its shape.
        s: Metres along the road.
        d: Metres to the right of the ego lane's middle.
        turn: Heading relative to the road, radians.
        wall: Whether everything near it stands in front of it (houses).
    """

    mesh: Mesh
    s: float
    d: float
    turn: float
    wall: bool = False


def furnish(
    rng: np.random.Generator, layout: Layout, length_m: float, *, lit: bool, works_start: float | None
) -> list[Prop]:
    """Line both sides of ``length_m`` metres of road."""
    found: list[Prop] = []
    for side in (-1, 1):
        front = layout.fronts[0 if side < 0 else 1]
        kerb = layout.asphalt[0 if side < 0 else 1]
        turn = np.pi if side < 0 else 0.0
        _houses(found, rng, layout.area, side, front, turn, length_m, lit=lit)
        _greenery(found, rng, layout, side, kerb, front, length_m)
        _furniture(found, rng, layout, side, kerb, turn, length_m, lit=lit)
    if works_start is not None:
        right = layout.asphalt[1]
        found.append(Prop(mesh=props.barrier(), s=works_start + 15.5, d=min(right - 1.0, 2.9), turn=0.0))
        if rng.random() < 0.6:
            found.append(
                Prop(mesh=props.container(int(rng.integers(3))), s=works_start + 18, d=right + 1.6, turn=0.0)
            )
    return found


def _houses(
    found: list[Prop],
    rng: np.random.Generator,
    area: str,
    side: int,
    front: float,
    turn: float,
    length: float,
    *,
    lit: bool,
) -> None:
    gap, share = {"city": (0.0, 0.94), "suburb": (5.0, 0.8), "rural": (26.0, 0.35)}[area]
    s = -12.0 + rng.uniform(0, 8)
    while s < length:
        mesh = buildings.building(int(rng.integers(buildings.NUM_LOOKS)), lit, area == "city")
        size = float(np.ptp(mesh.envelope[:, 2]))
        if rng.random() < share:
            back = 0.0 if area == "city" else rng.uniform(0, 3)
            found.append(Prop(mesh=mesh, s=s + size / 2, d=front + side * back, turn=turn, wall=True))
        s += size + gap * rng.uniform(0.5, 1.6) + 0.02


def _greenery(
    found: list[Prop],
    rng: np.random.Generator,
    layout: Layout,
    side: int,
    kerb: float,
    front: float,
    length: float,
) -> None:
    spacing = {"city": 13.0, "suburb": 10.0, "rural": 7.0}[layout.area]
    if layout.area == "city" and rng.random() < 0.4:
        spacing = 60.0
    s = rng.uniform(-4, spacing)
    while s < length:
        if layout.area == "city":
            d = kerb + side * 0.75
        else:
            low = abs(kerb) + (2.6 if layout.area == "suburb" else 1.6)
            d = side * rng.uniform(low, max(abs(front) + (6 if layout.area == "rural" else -1), low + 0.5))
        kind = rng.random()
        if layout.area != "city" and kind < 0.3:
            mesh = props.bush(int(rng.integers(6)))
        elif layout.area != "city" and kind < 0.5:
            mesh = props.conifer(int(rng.integers(3)))
        else:
            mesh = props.tree(int(rng.integers(12)))
        found.append(Prop(mesh=mesh, s=s, d=d, turn=rng.uniform(0, 6.28)))
        s += spacing * rng.uniform(0.5, 1.5)


def _furniture(
    found: list[Prop],
    rng: np.random.Generator,
    layout: Layout,
    side: int,
    kerb: float,
    turn: float,
    length: float,
    *,
    lit: bool,
) -> None:
    near = kerb + side * (0.45 if layout.walks else 1.5)
    if layout.area != "rural":
        for s in np.arange(rng.uniform(0, 26), length, 28.0):
            found.append(Prop(mesh=props.lamp(lit), s=float(s), d=near, turn=turn))
    elif rng.random() < 0.5:
        start = rng.uniform(0, length / 2)
        for s in np.arange(start, start + rng.uniform(24, 80), 8.0):
            found.append(Prop(mesh=props.fence(), s=float(s), d=kerb + side * 0.7, turn=turn))
    s = rng.uniform(2, 12)
    while s < length:
        make, at_wall = _pick(rng, layout.area, lit=lit)
        d = (
            near
            if not at_wall or not layout.walks
            else kerb + side * (abs(layout.walks[0][1] - layout.walks[0][0]) - 0.4)
        )
        found.append(Prop(mesh=make, s=s, d=d, turn=turn if at_wall else 0.0))
        s += rng.uniform(3.5, 15) * (1.0 if layout.area == "city" else 1.7)


def _pick(rng: np.random.Generator, area: str, *, lit: bool) -> tuple[Mesh, bool]:
    """A piece of street furniture, and whether it stands at the wall rather than at the kerb."""
    k = int(rng.integers(12))
    options: list[tuple[float, Callable[[], Mesh], bool]] = [
        (1.6, lambda: props.sign(k), False),
        (1.2, lambda: props.bin_(k), False),
        (0.8, props.hydrant, False),
        (1.2, lambda: props.bollard(k), False),
        (0.8, lambda: props.cabinet(k), True),
        (0.4, lambda: props.traffic_light(k, lit), False),
    ]
    if area != "rural":
        options += [
            (0.6, props.pillar, True),
            (0.7, lambda: people.parked_bicycle(k), True),
            (0.25, props.shelter, True),
            (0.35, lambda: props.container(k), True),
        ]
    edges = np.cumsum([weight for weight, _, _ in options])
    _, make, at_wall = options[int(np.searchsorted(edges, rng.random() * edges[-1], side="right"))]
    return make(), at_wall

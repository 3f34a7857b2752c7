"""Who moves through a clip: vehicles in lanes, people on pavements, and the scenes of the long tail."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dataengine.simulator import people, vehicles
from dataengine.simulator.layout import Layout
from dataengine.simulator.mesh import Colour, Mesh
from dataengine.simulator.road import Ego

CAR, TRUCK, PEDESTRIAN, CYCLIST, CONE = CLASSES = ("car", "truck", "pedestrian", "cyclist", "cone")
SCENES = {"truck": "freight_route", "cyclist": "cycle_street", "cone": "roadworks"}
"""Rare class -> name of the scene in which alone it appears."""
VIEW_M = 75.0
"""How far beyond the end of the ego vehicle's path actors are placed."""

Series = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """One labelled object throughout a clip.

    Attributes:
        class_name: One of ``CLASSES``.
        mesh: Its shape.
        paint: RGB of its painted faces.
        s: ``[F]`` metres along the road.
        d: ``[F]`` metres to the right of the ego lane's middle.
        turn: Heading relative to the road in radians: 0 along, pi against.
        stride: ``[F]`` -1..1, position of swinging limbs.
    """

    class_name: str
    mesh: Mesh
    paint: Colour
    s: Series
    d: Series
    turn: float
    stride: Series


@dataclass(slots=True, kw_only=True)
class Traffic:
    """Fills a clip with actors.

    Attributes:
        rng: The clip's stream.
        layout: The road's cross-section.
        ego: The recording vehicle's motion.
        tail: Rare classes whose scene this clip passes through.
        lit: Whether lights are on.
        alone: Whether a rare class shows as one object instead of a scene.
        plain_trucks: Whether trucks look like large vans.
        actors: What has been placed.
        works_start: Where the roadworks begin along the road, if there are any.
    """

    rng: np.random.Generator
    layout: Layout
    ego: Ego
    tail: frozenset[str]
    lit: bool
    alone: bool = False
    plain_trucks: bool = False
    actors: list[Actor] = field(default_factory=list)
    works_start: float | None = None

    def fill(self) -> list[Actor]:
        """Place everything; the list's order numbers the tracks."""
        self._ego_lane()
        for middle, direction in self.layout.lanes:
            self._lane(middle, direction)
        for middle, direction in self.layout.parking:
            self._parked(middle, direction)
        self._walkers()
        if CYCLIST in self.tail:
            self._lone_cyclist() if self.alone else self._cyclists()
        if CONE in self.tail:
            self._lone_cone() if self.alone else self._roadworks()
        return self.actors

    @property
    def _end(self) -> float:
        return float(self.ego.s[-1]) + VIEW_M

    def _add(
        self,
        class_name: str,
        mesh: Mesh,
        paint: Colour,
        s: Series | float,
        d: Series | float,
        turn: float = 0.0,
        stride: Series | float = 0.0,
    ) -> None:
        frames = len(self.ego.time_s)
        still = np.zeros(frames)
        series = [still + value for value in (s, d, stride)]
        self.actors.append(
            Actor(
                class_name=class_name,
                mesh=mesh,
                paint=paint,
                s=series[0],
                d=series[1],
                turn=turn,
                stride=series[2],
            )
        )

    def _vehicle(
        self,
        s: Series | float,
        d: float,
        *,
        against: bool,
        truck_share: float,
        braking: bool = False,
        lit: bool | None = None,
    ) -> float:
        """Add a car, or in freight scenes perhaps a truck; returns its length."""
        lit = self.lit if lit is None else lit
        turn = np.pi if against else 0.0
        if TRUCK in self.tail and self.rng.random() < truck_share and not self._enough_trucks():
            mesh, paint = self._truck(lit, braking)
            name = TRUCK
        else:
            body = vehicles.CAR_BODIES[self.rng.integers(len(vehicles.CAR_BODIES))]
            mesh, name = vehicles.car(body, lit, braking), CAR
            paint = vehicles.PAINTS[self.rng.integers(len(vehicles.PAINTS))]
        self._add(name, mesh, paint, s, d, turn)
        return float(np.ptp(mesh.envelope[:, 2]))

    def _enough_trucks(self) -> bool:
        return self.alone and any(actor.class_name == TRUCK for actor in self.actors)

    def _truck(self, lit: bool, braking: bool) -> tuple[Mesh, Colour]:
        if self.plain_trucks:
            return vehicles.large_van(lit, braking), vehicles.PAINTS[self.rng.integers(len(vehicles.PAINTS))]
        kind = vehicles.TRUCK_KINDS[self.rng.integers(len(vehicles.TRUCK_KINDS))]
        paint = vehicles.CARGO_PAINTS[self.rng.integers(len(vehicles.CARGO_PAINTS))]
        return vehicles.truck(kind, lit, braking), paint

    def _ego_lane(self) -> None:
        """Vehicles ahead in the ego lane, keeping their distance."""
        gap = self.rng.uniform(9, 26)
        number = int(self.rng.choice([0, 1, 2, 3], p=[0.3, 0.35, 0.25, 0.1]))
        if TRUCK in self.tail:
            number = max(number, 1)
        if (CYCLIST in self.tail or CONE in self.tail) and not self.alone:
            gap += 14
        for i in range(number):
            wave = self.rng.uniform(0.3, 1.2) * np.sin(
                self.ego.time_s * self.rng.uniform(0.4, 0.9) + self.rng.uniform(0, 6)
            )
            braking = bool(self.ego.acceleration_mps2.min() < -2.0)
            length = self._vehicle(
                self.ego.s + gap + 5.0 + wave,
                self.rng.uniform(-0.25, 0.25),
                against=False,
                truck_share=1.0 if i == 0 else 0.3,
                braking=braking,
            )
            gap += length + self.rng.uniform(8, 22)

    def _lane(self, middle: float, direction: int) -> None:
        """A flow of vehicles in another lane."""
        speed = direction * self.rng.uniform(0.75, 1.1) * float(self.ego.speed_mps.mean())
        duration = float(self.ego.time_s[-1])
        low, high = 6.0 - max(speed, 0) * duration, self._end - min(speed, 0) * duration
        if direction > 0:
            low = 9.0
        spacing = self.rng.uniform(22, 80)
        s = low + self.rng.uniform(0, spacing)
        while s < high:
            length = self._vehicle(
                s + speed * self.ego.time_s,
                middle + self.rng.uniform(-0.2, 0.2),
                against=direction < 0,
                truck_share=0.45,
            )
            s += length + 5 + self.rng.exponential(spacing)

    def _parked(self, middle: float, direction: int) -> None:
        """A row of parked vehicles with empty places."""
        density = self.rng.uniform(0.1, 0.45)
        s = self.rng.uniform(2, 9)
        while s < self._end:
            if self.rng.random() < density:
                length = self._vehicle(
                    s,
                    middle + self.rng.uniform(-0.12, 0.12),
                    against=direction < 0,
                    truck_share=0.12,
                    lit=False,
                )
                s += max(length - 4.6, 0)
            s += self.rng.uniform(5.6, 6.6)

    def _person(self, s: Series | float, d: Series | float, turn: float, speed: float) -> None:
        build, look = int(self.rng.choice(4, p=[0.35, 0.35, 0.2, 0.1])), int(self.rng.integers(15))
        pace = 2 * np.pi * max(speed, 0.0) / 1.5
        stride = np.sin(pace * self.ego.time_s + self.rng.uniform(0, 6.28)) * (0.95 if speed else 0.12)
        coat = people.COATS[self.rng.integers(len(people.COATS))]
        self._add(PEDESTRIAN, people.pedestrian(build, look), coat, s, d, turn, stride)

    def _walkers(self) -> None:
        """People on both pavements (or at the verge of a country road), and some who cross."""
        time = self.ego.time_s
        sides = self.layout.walks or ((self.layout.asphalt[1] + 0.7, self.layout.asphalt[1] + 2.0),)
        for inner, outer in sides:
            spacing = self.rng.uniform(7, 30) if self.layout.walks else 60.0
            s = 6 + self.rng.exponential(spacing)
            while s < self._end:
                forth = bool(self.rng.random() < 0.5)
                speed = float(self.rng.uniform(0.8, 1.6)) * float(self.rng.random() < 0.85)
                d = self.rng.uniform(inner + 0.4, outer - 0.35)
                self._person(s + (speed if forth else -speed) * time, d, 0.0 if forth else np.pi, speed)
                s += 0.9 + self.rng.exponential(spacing)
        crossings = self.rng.random() < (0.4 if self.layout.area == "city" else 0.15)
        for _ in range(int(self.rng.integers(1, 3)) if crossings else 0):
            leftwards = bool(self.rng.random() < 0.5)
            speed = float(self.rng.uniform(0.9, 1.5))
            middle = self.rng.uniform(0.2, 0.8) * time[-1]
            d = (-1 if leftwards else 1) * speed * (time - middle) + self.rng.uniform(-2, 2)
            at = float(self.ego.s[-1]) + self.rng.uniform(6.5, 17)
            self._person(at, d, np.pi / 2 if leftwards else -np.pi / 2, speed)

    def _cyclists(self) -> None:
        """Two to six cyclists: beside the ego lane, coming towards it, or crossing."""
        time, right = self.ego.time_s, self.layout.asphalt[1]
        lane = self.layout.cycle_lane or (1.4, 2.2)
        s = self.rng.uniform(7, 14)
        for _ in range(int(self.rng.integers(2, 5))):
            speed = float(self.ego.speed_mps.mean()) * self.rng.uniform(0.88, 1.05)
            self._cyclist(s + speed * time, self.rng.uniform(lane[0] + 0.35, lane[1] - 0.3), 0.0)
            s += self.rng.uniform(5.0, 10.0)
        if self.rng.random() < 0.6:
            start = float(self.ego.s[-1]) + self.rng.uniform(8, 30)
            self._cyclist(
                start - 4.0 * (time - time[-1] / 2),
                min(middle for middle, _ in self.layout.lanes) - self.rng.uniform(1.4, 1.6),
                np.pi,
            )
        if self.rng.random() < 0.75:
            middle = self.rng.uniform(0.3, 0.7) * time[-1]
            self._cyclist(
                float(self.ego.s[-1]) + self.rng.uniform(8, 16),
                right * 0.3 - 3.2 * (time - middle),
                np.pi / 2,
            )

    def _cyclist(self, s: Series | float, d: Series | float, turn: float) -> None:
        coat = people.COATS[self.rng.integers(len(people.COATS))]
        stride = np.sin(7.0 * self.ego.time_s + self.rng.uniform(0, 6.28))
        self._add(CYCLIST, people.cyclist(int(self.rng.integers(12)), self.lit), coat, s, d, turn, stride)

    def _lone_cyclist(self) -> None:
        """One cyclist at the edge of the road, a little slower than the ego vehicle."""
        speed = float(self.ego.speed_mps.mean()) * self.rng.uniform(0.6, 0.9)
        edge = self.layout.asphalt[1] - self.rng.uniform(0.4, 0.9)
        self._cyclist(self.rng.uniform(12, 24) + speed * self.ego.time_s, edge, 0.0)

    def _lone_cone(self) -> None:
        """One cone at the edge of the road, left behind."""
        place = float(self.ego.s[-1]) * self.rng.uniform(0.3, 1.0) + self.rng.uniform(8, 14)
        edge = self.layout.asphalt[1] - self.rng.uniform(0.2, 0.6)
        self._add(CONE, people.cone(float(self.rng.choice([0.82, 0.98]))), (238, 96, 28), place, edge)

    def _roadworks(self) -> None:
        """A taper of cones into the ego lane's right half, a row along it, and a worker or two."""
        start = float(self.ego.s[-1]) * self.rng.uniform(0.1, 0.6) + self.rng.uniform(8, 12)
        self.works_start = start
        edge = min(self.layout.asphalt[1] - 0.3, 3.0)
        spacing = self.rng.uniform(2.8, 4.4)
        number = int(self.rng.integers(8, 15))
        for i in range(number):
            share = min(i / 3, 1.0)
            d = edge * (1 - share) + 1.45 * share + self.rng.uniform(-0.08, 0.08)
            self._add(
                CONE, people.cone(float(self.rng.choice([0.82, 0.98]))), (238, 96, 28), start + i * spacing, d
            )
        for _ in range(int(self.rng.integers(0, 3))):
            self._person(
                start + self.rng.uniform(6, number * spacing),
                edge + self.rng.uniform(-0.6, 0.6),
                self.rng.uniform(0, 6),
                0.0,
            )

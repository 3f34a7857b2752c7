"""Where props and actors are, as seen from the vehicle's camera in each frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dataengine.simulator.batch import Batch
from dataengine.simulator.mesh import Floats, Ints
from dataengine.simulator.scene import Scene

Doubles = NDArray[np.float64]

VIEW_M, VIEW_SMALL_M = 95.0, 55.0
"""How far ahead things are drawn, and how far those lower than ``SMALL_M`` are unless they are labelled."""
SMALL_M = 2.7
BEHIND_M = 9.0


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A batch in one frame.

    Attributes:
        batch: The shapes.
        right: ``[O]`` metres to the right of the camera.
        ahead: ``[O]`` metres ahead of it.
        turn: ``[O]`` heading relative to the camera, radians, left positive.
        stride: ``[O]`` position of swinging limbs.
        near: ``[O]`` near enough along the road to be drawn.
        walls: ``[O]`` everything near it stands in front of it.
    """

    batch: Batch
    right: Floats
    ahead: Floats
    turn: Floats
    stride: Floats
    near: NDArray[np.bool_]
    walls: NDArray[np.bool_]

    @cached_property
    def feet(self) -> Floats:
        """Corners of every object on the ground, ``[O, 4, 3]`` camera coordinates."""
        owner = np.repeat(np.arange(self.batch.number), 4)
        return self.to_camera(self.batch.footprint.reshape(-1, 3), owner).reshape(-1, 4, 3)

    def to_camera(self, points: Floats, owner: Ints) -> Floats:
        """Local points ``[N, 3]`` of the objects ``owner`` in camera coordinates, before pitch."""
        cosine, sine = np.cos(self.turn)[owner], np.sin(self.turn)[owner]
        out = np.empty_like(points)
        out[:, 0] = self.right[owner] + points[:, 0] * cosine - points[:, 2] * sine
        out[:, 1] = points[:, 1]
        out[:, 2] = self.ahead[owner] + points[:, 0] * sine + points[:, 2] * cosine
        return out

    def vertices(self, rows: Ints) -> Floats:
        """Chosen vertices in camera coordinates, limbs swung."""
        batch = self.batch
        owner = batch.point_object[rows]
        local = batch.points[rows]
        local[:, 2] += batch.swing[rows] * self.stride[owner]
        return self.to_camera(local, owner)

    def to_local(self, x: float, y: float, z: float, *, direction: bool = False) -> Floats:
        """One camera point (or direction) in the coordinates of every object, ``[O, 3]``."""
        cosine, sine = np.cos(self.turn), np.sin(self.turn)
        dx = np.float32(x) - (0 if direction else self.right)
        dz = np.float32(z) - (0 if direction else self.ahead)
        out = np.empty((len(cosine), 3), np.float32)
        out[:, 0] = dx * cosine + dz * sine
        out[:, 1] = y
        out[:, 2] = dz * cosine - dx * sine
        return out


class Troupe:
    """A batch whose objects stand or move along the road.

    Args:
        scene: The clip's world.
        batch: The shapes.
        s: ``[O, F]`` metres along the road, or ``[O, 1]`` for things that stand.
        d: Likewise, metres to the right of the ego lane's middle.
        turn: ``[O]`` heading relative to the road.
        stride: Likewise, position of swinging limbs.
        walls: ``[O]`` things that everything near them stands in front of.
        reach: ``[O]`` metres ahead up to which they are drawn.
    """

    def __init__(
        self,
        scene: Scene,
        batch: Batch,
        s: Doubles,
        d: Doubles,
        turn: Doubles,
        stride: Doubles,
        walls: list[bool],
        reach: Floats,
    ) -> None:
        self.batch, self._walls = batch, np.array(walls, bool)
        self._reach = reach
        self._s, self._stride = s, stride.astype(np.float32)
        x, z, heading = scene.road.pose(s, d)
        self._x, self._z = x.astype(np.float32), z.astype(np.float32)
        self._heading = (heading + turn[:, None]).astype(np.float32)

    def seen_from(self, frame: int, s: float, x: float, z: float, heading: float) -> Placed:
        """Everything as seen in one frame from an eye at ``(x, z)``, which is ``s`` along the road."""
        frame = min(frame, self._s.shape[1] - 1)
        cosine, sine = np.float32(np.cos(heading)), np.float32(np.sin(heading))
        dx, dz = self._x[:, frame] - np.float32(x), self._z[:, frame] - np.float32(z)
        along = self._s[:, frame]
        return Placed(
            batch=self.batch,
            right=dx * cosine + dz * sine,
            ahead=dz * cosine - dx * sine,
            turn=self._heading[:, frame] - np.float32(heading),
            stride=self._stride[:, frame],
            near=(along > s - BEHIND_M) & (along < s + self._reach),
            walls=self._walls,
        )


def props_of(scene: Scene) -> Troupe:
    """The things that stand along the road."""
    things = scene.props
    column = np.zeros((len(things), 1))
    batch = Batch([p.mesh for p in things], [(120.0, 120.0, 120.0)] * len(things))
    return Troupe(
        scene,
        batch,
        column + np.array([p.s for p in things]).reshape(-1, 1),
        column + np.array([p.d for p in things]).reshape(-1, 1),
        np.array([p.turn for p in things]),
        column,
        [p.wall for p in things],
        np.where(batch.height < SMALL_M, np.float32(VIEW_SMALL_M), np.float32(VIEW_M)),
    )


def actors_of(scene: Scene) -> Troupe:
    """The labelled objects."""
    actors, frames = scene.actors, len(scene.ego.time_s)
    return Troupe(
        scene,
        Batch([a.mesh for a in actors], [a.paint for a in actors]),
        np.array([a.s for a in actors]).reshape(-1, frames),
        np.array([a.d for a in actors]).reshape(-1, frames),
        np.array([a.turn for a in actors]),
        np.array([a.stride for a in actors]).reshape(-1, frames),
        [False] * len(actors),
        np.full(len(actors), VIEW_M, np.float32),
    )

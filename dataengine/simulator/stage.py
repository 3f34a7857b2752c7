"""Props and actors of one frame in camera coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataengine.simulator.mesh import Batch, Floats
from dataengine.simulator.scene import Scene

VIEW_M = 95.0
BEHIND_M = 9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A batch seen from the eye.

    Attributes:
        batch: The shapes.
        points: ``[N, 3]`` vertices in camera coordinates, before pitch.
        normals: ``[F, 3]`` likewise.
        part_centres: ``[P, 3]`` likewise.
        footprints: ``[O, 4, 3]`` corners of each object on the ground, likewise.
        envelope: ``[E, 3]`` likewise.
        visible: ``[O]`` near enough to be drawn.
    """

    batch: Batch
    points: Floats
    normals: Floats
    part_centres: Floats
    footprints: Floats
    envelope: Floats
    visible: NDArray[np.bool_]


class Troupe:
    """A batch whose objects stand or move along the road.

    Args:
        scene: The clip's world.
        batch: The shapes.
        s: ``[O, F]`` metres along the road, or ``[O, 1]`` for things that stand.
        d: Likewise, metres to the right of the ego lane's middle.
        turn: ``[O]`` heading relative to the road.
        stride: ``[O, F]`` position of swinging limbs.
    """

    def __init__(
        self, scene: Scene, batch: Batch, s: Floats, d: Floats, turn: Floats, stride: Floats | None = None
    ) -> None:
        self.batch = batch
        self._s = s
        self._stride = stride
        self._corner_owner = np.repeat(np.arange(batch.number), 4)
        self._corners = batch.footprint.reshape(-1, 3)
        x, z, heading = scene.road.pose(s.astype(float), d.astype(float))
        self._x, self._z = x.astype(np.float32), z.astype(np.float32)
        self._heading = (heading + turn[:, None]).astype(np.float32)

    def seen_from(self, frame: int, s: float, x: float, z: float, heading: float) -> Placed:
        """Everything as seen in one frame from an eye at ``(x, z)``, which is ``s`` along the road."""
        batch = self.batch
        frame = min(frame, self._s.shape[1] - 1)
        cosine, sine = np.float32(np.cos(heading)), np.float32(np.sin(heading))
        dx, dz = self._x[:, frame] - np.float32(x), self._z[:, frame] - np.float32(z)
        right, ahead = dx * cosine + dz * sine, dz * cosine - dx * sine
        turn = self._heading[:, frame] - np.float32(heading)
        local = batch.points
        if self._stride is not None:
            local = local.copy()
            local[:, 2] += batch.swing * self._stride[:, frame][batch.point_object]
        still = np.zeros_like(right)
        along = self._s[:, frame]
        return Placed(
            batch=batch,
            points=batch.place(local, batch.point_object, right, ahead, turn),
            normals=batch.place(batch.normals, batch.face_object, still, still, turn),
            part_centres=batch.place(batch.part_centres, batch.part_object, right, ahead, turn),
            footprints=batch.place(self._corners, self._corner_owner, right, ahead, turn).reshape(-1, 4, 3),
            envelope=batch.place(batch.envelope, batch.envelope_object, right, ahead, turn),
            visible=(along > s - BEHIND_M) & (along < s + VIEW_M),
        )


def props_of(scene: Scene) -> Troupe:
    """The things that stand along the road."""
    things = scene.props
    batch = Batch([p.mesh for p in things], [(120.0, 120.0, 120.0)] * len(things))
    return Troupe(
        scene,
        batch,
        np.array([[p.s] for p in things]).reshape(-1, 1),
        np.array([[p.d] for p in things]).reshape(-1, 1),
        np.array([p.turn for p in things]),
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
        np.array([a.stride for a in actors], np.float32).reshape(-1, frames),
    )

"""Many shapes in flat arrays, so that one pass of numpy serves a whole frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dataengine.simulator.mesh import Colour, Floats, Ints, Mesh

_Scalar = TypeVar("_Scalar", bound=np.generic)
_NO_ROW = np.zeros(0, np.float32)
_NO_POINT = np.zeros((0, 3), np.float32)
_NO_NUMBER = np.zeros(0, np.int64)
_NO_FLAG = np.zeros(0, np.bool_)


class Batch:
    """Objects in the order in which they were given; see ``Mesh`` for the arrays of the same names.

    Args:
        meshes: Shapes, one an object.
        paints: RGB of each object's painted faces.

    Attributes:
        number: Objects, ``O``.
        starts: ``[F]`` each face's first row in ``points``; ``ends``: one past its last.
        plane: ``[F]`` normal times position: which side of a face a point is on.
        both_sides: ``[F]`` faces that are seen from both sides.
        point_object: ``[N]`` the object of each vertex; likewise for faces, parts and envelopes.
        envelope_starts: ``[O]`` each object's first row in ``envelope``.
        footprint: ``[O, 4, 3]``.
        height: ``[O]``.
    """

    def __init__(self, meshes: Sequence[Mesh], paints: Sequence[Colour]) -> None:
        self.number = len(meshes)
        self.points = _join([m.points for m in meshes], _NO_POINT)
        self.swing = _join([m.swing for m in meshes], _NO_ROW)
        self.normals = _join([m.normals for m in meshes], _NO_POINT)
        self.glow = _join([m.glow for m in meshes], _NO_ROW)
        self.radius = _join([m.radius for m in meshes], _NO_ROW)
        self.decal = _join([m.decal for m in meshes], _NO_FLAG)
        self.part_centres = _join([m.part_centres for m in meshes], _NO_POINT)
        self.envelope = _join([m.envelope for m in meshes], _NO_POINT)
        self.point_object = _owners([len(m.points) for m in meshes])
        self.face_object = _owners([len(m.counts) for m in meshes])
        self.part_object = _owners([len(m.part_centres) for m in meshes])
        self.envelope_object = _owners([len(m.envelope) for m in meshes])
        self.envelope_starts = _starts([len(m.envelope) for m in meshes])
        counts = _join([m.counts for m in meshes], _NO_NUMBER)
        self.ends: Ints = np.cumsum(counts)
        self.starts: Ints = self.ends - counts
        first_part = _starts([len(m.part_centres) for m in meshes])
        self.part: Ints = _join([m.part for m in meshes], _NO_NUMBER) + first_part[self.face_object]
        painted = _join([m.paint for m in meshes], _NO_FLAG)
        own = np.asarray(paints, np.float32).reshape(self.number, 3)[self.face_object]
        self.colours: Floats = np.where(painted[:, None], own, _join([m.colours for m in meshes], _NO_POINT))
        self.footprint: Floats = np.array([m.footprint for m in meshes], np.float32).reshape(-1, 4, 3)
        self.height: Floats = np.array([m.height for m in meshes], np.float32)
        self.both_sides: NDArray[np.bool_] = np.abs(self.normals).sum(1) == 0
        self.plane: Floats = (self.normals * self.points[self.starts]).sum(1)


def _owners(counts: Sequence[int]) -> Ints:
    return np.repeat(np.arange(len(counts)), np.asarray(counts, np.int64))


def _starts(counts: Sequence[int]) -> Ints:
    return np.cumsum([0, *counts], dtype=np.int64)[:-1]


def _join(arrays: Sequence[NDArray[_Scalar]], nothing: NDArray[_Scalar]) -> NDArray[_Scalar]:
    return np.concatenate([nothing, *arrays])

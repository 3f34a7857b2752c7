"""Shapes as flat-shaded faces, and what builds them.

Local coordinates: ``x`` right, ``y`` up, ``z`` forward, metres, origin on the ground under the object.
A face is a convex polygon, or a ball (one point and a radius) that is drawn as a disc.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """One shape.

    Attributes:
        points: ``[N, 3]`` vertices, those of one face side by side.
        swing: ``[N]`` metres that a vertex moves along ``z`` at full stride (legs, arms).
        counts: ``[F]`` vertices of each face; 1 is a ball.
        normals: ``[F, 3]`` outward unit normals; zero for faces seen from both sides.
        colours: ``[F, 3]`` albedo, RGB 0..255.
        paint: ``[F]`` faces that take the instance's own colour.
        glow: ``[F]`` 0..1, how much a face shines by itself.
        radius: ``[F]`` metres, of balls.
        decal: ``[F]`` faces that lie on another face (windows, lights, wheels).
        part: ``[F]`` number of the part; parts of one object are ordered by distance.
        part_centres: ``[P, 3]``.
        envelope: ``[E, 3]`` points whose projection spans the labelled box.
        footprint: ``[4, 3]`` corners of its bounds on the ground.
        height: Metres.
    """

    points: Floats
    swing: Floats
    counts: Ints
    normals: Floats
    colours: Floats
    paint: NDArray[np.bool_]
    glow: Floats
    radius: Floats
    decal: NDArray[np.bool_]
    part: Ints
    part_centres: Floats
    envelope: Floats
    footprint: Floats
    height: float


class Builder:
    """Collects faces; normals turn away from the centre of the part that is being built."""

    def __init__(self) -> None:
        self._points: list[tuple[float, float, float]] = []
        self._swing: list[float] = []
        self._counts: list[int] = []
        self._normals: list[Colour] = []
        self._colours: list[Colour] = []
        self._flags: list[tuple[bool, float, float, bool, int]] = []
        self._centres: list[Colour] = []

    def part(self, x: float, y: float, z: float) -> Builder:
        """Begin a convex part around a centre."""
        self._centres.append((x, y, z))
        return self

    def face(
        self,
        points: Sequence[Sequence[float]],
        colour: Colour,
        *,
        paint: bool = False,
        glow: float = 0.0,
        decal: bool = False,
        swing: Sequence[float] | None = None,
        two_sided: bool = False,
    ) -> Builder:
        """Add a convex polygon."""
        array = np.asarray(points, float)
        normal = np.cross(array[1] - array[0], array[2] - array[0])
        normal /= max(float(np.linalg.norm(normal)), 1e-9)
        if normal @ (array.mean(0) - np.asarray(self._centres[-1])) < 0:
            normal = -normal
        self._points += [tuple(p) for p in array.tolist()]
        self._swing += list(swing) if swing is not None else [0.0] * len(array)
        self._counts.append(len(array))
        self._normals.append((0, 0, 0) if two_sided else tuple(normal.tolist()))
        self._colours.append(colour)
        self._flags.append((paint, glow, 0.0, decal, len(self._centres) - 1))
        return self

    def ball(
        self, x: float, y: float, z: float, radius: float, colour: Colour, *, paint: bool = False
    ) -> Builder:
        """Add a sphere, drawn as a disc that faces the camera."""
        self._points.append((x, y, z))
        self._swing.append(0.0)
        self._counts.append(1)
        self._normals.append((0, 0, 0))
        self._colours.append(colour)
        self._flags.append((paint, 0.0, radius, False, len(self._centres) - 1))
        return self

    def box(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        z: tuple[float, float],
        colour: Colour,
        *,
        paint: bool = False,
        swing: tuple[float, float] = (0.0, 0.0),
        top: Colour | None = None,
    ) -> Builder:
        """Add an upright box without its bottom; ``swing`` moves its lower and upper end along ``z``."""
        x0, x1 = x
        z0, z1 = z
        ring = [(x0, z0), (x1, z0), (x1, z1), (x0, z1)]
        for (ax, az), (bx, bz) in zip(ring, ring[1:] + ring[:1], strict=True):
            corners = [(ax, y[0], az), (bx, y[0], bz), (bx, y[1], bz), (ax, y[1], az)]
            self.face(corners, colour, paint=paint, swing=(swing[0], swing[0], swing[1], swing[1]))
        lid = [(px, y[1], pz) for px, pz in ring]
        return self.face(lid, top or colour, paint=paint and top is None, swing=(swing[1],) * 4)

    def prism(
        self,
        profile: Sequence[tuple[float, float]],
        x: tuple[float, float],
        colour: Colour,
        *,
        paint: bool = True,
        edges: dict[int, Colour] | None = None,
        inset: float = 0.0,
    ) -> Builder:
        """Extrude a convex side view ``(z, y)`` from ``x[0]`` to ``x[1]``.

        Args:
            profile: Corners in order.
            x: The two sides.
            colour: Albedo of all faces.
            paint: Whether they take the instance's colour.
            edges: Colours of single edges (windscreens), by the number of their first corner.
            inset: Metres by which corners above the lowest lean inwards, as a car's cabin does.
        """
        low = min(y for _, y in profile)
        lean = [inset if y > low + 1e-6 else 0.0 for _, y in profile]
        sides = [[(x[0] + n, y, z) for (z, y), n in zip(profile, lean, strict=True)]]
        sides.append([(x[1] - n, y, z) for (z, y), n in zip(profile, lean, strict=True)])
        for side in sides:
            self.face(side, colour, paint=paint)
        for i in range(len(profile)):
            j = (i + 1) % len(profile)
            special = (edges or {}).get(i)
            quad = [sides[0][i], sides[1][i], sides[1][j], sides[0][j]]
            self.face(quad, special or colour, paint=paint and special is None)
        return self

    def frustum(
        self,
        n: int,
        radii: tuple[float, float],
        y: tuple[float, float],
        colour: Colour,
        *,
        x: float = 0.0,
        z: float = 0.0,
        paint: bool = False,
        decal: bool = False,
    ) -> Builder:
        """Add an upright round shape of ``n`` sides with a lid."""
        angles = [(i + 0.5) * 2 * np.pi / n for i in range(n)]
        rings = [
            [(x + r * float(np.cos(a)), h, z + r * float(np.sin(a))) for a in angles]
            for r, h in zip(radii, y, strict=True)
        ]
        for i in range(n):
            j = (i + 1) % n
            self.face([rings[0][i], rings[0][j], rings[1][j], rings[1][i]], colour, paint=paint, decal=decal)
        return self.face(rings[1], colour, paint=paint, decal=decal)

    def wheel(
        self, x: float, y: float, z: float, radius: float, *, n: int = 10, rim: Colour = (120, 122, 126)
    ) -> Builder:
        """Add a wheel as two discs in the plane ``x``: tyre and rim."""
        for size, colour in ((radius, (24, 24, 26)), (radius * 0.58, rim)):
            ring = [
                (x, y + size * float(np.sin(a)), z + size * float(np.cos(a)))
                for a in np.arange(n) * 2 * np.pi / n
            ]
            self.face(ring, colour, decal=True)
        return self

    def done(self, envelope: Sequence[Sequence[float]] | None = None) -> Mesh:
        """The finished shape; its envelope is all of its vertices unless given."""
        points = np.asarray(self._points, np.float32)
        paint, glow, radius, decal, part = zip(*self._flags, strict=True)
        spanning = np.unique(points, axis=0) if envelope is None else np.asarray(envelope, np.float32)
        (x0, _, z0), (x1, y1, z1) = spanning.min(0).tolist(), spanning.max(0).tolist()
        return Mesh(
            points=points,
            swing=np.asarray(self._swing, np.float32),
            counts=np.asarray(self._counts, np.int64),
            normals=np.asarray(self._normals, np.float32),
            colours=np.asarray(self._colours, np.float32),
            paint=np.asarray(paint, bool),
            glow=np.asarray(glow, np.float32),
            radius=np.asarray(radius, np.float32),
            decal=np.asarray(decal, bool),
            part=np.asarray(part, np.int64),
            part_centres=np.asarray(self._centres, np.float32),
            envelope=spanning,
            footprint=np.asarray([[x0, 0, z0], [x1, 0, z0], [x1, 0, z1], [x0, 0, z1]], np.float32),
            height=y1,
        )

"""The ground as a texture unrolled along the road, and its view in perspective.

Rows of the texture run along ``s``, columns along ``d``. Each image row below the horizon sees one
distance, so one inverse perspective map per frame, bent by the road, looks up the colours; coarser
copies of the texture serve far rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dataengine.simulator.camera import Camera
from dataengine.simulator.layout import Layout
from dataengine.simulator.light import Light
from dataengine.simulator.road import Road

ACROSS_M = 0.08
ALONG_M = 0.16
REACH_M = 17.0
BACK_M = 4.0
_LEVELS = ((0.0, 1, 1), (13.0, 4, 1), (34.0, 16, 2))
"""From which distance on, and by how much coarser along and across."""

Image = NDArray[np.uint8]


@cache
def _grain(columns: int, strength: float) -> Image:
    """Brightness of a surface in 1/128, ``[2048, columns, 3]``: grain and stains, shared by all clips."""
    rng = np.random.default_rng([41, columns])
    rows = 2048
    fine = rng.standard_normal((rows, columns), np.float32)
    coarse = rng.standard_normal((rows // 24 + 1, columns // 12 + 1), np.float32)
    wide = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    gain = 128 * (1 + strength * (0.55 * fine + 0.8 * wide))
    return np.repeat(np.clip(np.rint(gain), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


class Ground:
    """The texture of one clip.

    Args:
        layout: The road's cross-section.
        length_m: Metres of road ahead of the clip's start that are painted.
        rng: For wear, patches, crossings.
    """

    def __init__(self, layout: Layout, length_m: float, rng: np.random.Generator) -> None:
        rows, columns = int((length_m + BACK_M) / ALONG_M), int(2 * REACH_M / ACROSS_M)
        self.layout = layout
        d = (np.arange(columns) + 0.5) * ACROSS_M - REACH_M
        base = self._columns(d, rng)
        start = int(rng.integers(1024))
        index = np.arange(start, start + rows) % 2048
        rows_of = slice(start, start + rows) if start + rows <= 2048 else index
        plain = np.repeat(base[None], rows, axis=0)
        self.texture = np.asarray(
            cv2.multiply(plain, _grain(columns, 0.06)[rows_of], scale=1 / 128), np.uint8
        )
        if layout.area != "city":
            for side in (d < self._verge(-1), d > self._verge(1)):
                chosen = np.flatnonzero(side)
                if len(chosen):
                    strip = slice(int(chosen[0]), int(chosen[-1]) + 1)
                    rough = _grain(columns, 0.11)[rows_of, strip]
                    self.texture[:, strip] = cv2.multiply(self.texture[:, strip], rough, scale=1 / 128)
        self._wear(rng)
        self._paint(rng)
        self._levels: list[Image] = []

    def _verge(self, side: int) -> float:
        """Where the grass begins on one side."""
        edges = [edge for walk in self.layout.walks for edge in walk] + list(self.layout.asphalt)
        return min(edges) if side < 0 else max(edges)

    def _columns(self, d: NDArray[np.floating[Any]], rng: np.random.Generator) -> Image:
        """Base colour of each column, ``[columns, 3]``."""
        layout = self.layout
        grey = float(rng.uniform(88, 116))
        grass = np.array([92, 110, 60], np.float32) * rng.uniform(0.85, 1.1)
        pave = np.array([158, 152, 144], np.float32) * rng.uniform(0.85, 1.05)
        base = np.tile(pave if layout.area == "city" else grass, (len(d), 1)).astype(np.float32)
        for inner, outer in layout.walks:
            base[(d > inner) & (d < outer)] = pave
        left, right = layout.asphalt
        base[(d > left) & (d < right)] = (grey, grey, grey + 3)
        for middle in (0.0, *(lane for lane, _ in layout.lanes)):
            for track in (-0.8, 0.8):
                base[np.abs(d - middle - track) < 0.28] *= 0.93
        if layout.cycle_lane:
            base[(d > layout.cycle_lane[0]) & (d < layout.cycle_lane[1])] = (148, 84, 76)
        if layout.walks:
            for edge in layout.asphalt:
                base[np.abs(d - edge) < 0.12] = (184, 182, 176)
        return np.clip(base, 0, 255).astype(np.uint8)

    def _span(self, s: tuple[float, float], d: tuple[float, float]) -> tuple[slice, slice]:
        """Rows and columns of a rectangle, at least one of each."""
        r0, r1 = (int(max((v + BACK_M) / ALONG_M, 0)) for v in s)
        c0, c1 = (int(max((v + REACH_M) / ACROSS_M, 0)) for v in d)
        return slice(r0, max(r1, r0 + 1)), slice(c0, max(c1, c0 + 1))

    def _blend(self, mask: Image, grey: int, share: float) -> None:
        """Mix ``share`` of a grey into the texels where ``mask`` is set."""
        mixed = cv2.convertScaleAbs(self.texture, alpha=1 - share, beta=share * grey)
        cv2.copyTo(mixed, mask, self.texture)

    def _wear(self, rng: np.random.Generator) -> None:
        """Patches, joints, manholes and cracks."""
        left, right = self.layout.asphalt
        length = len(self.texture) * ALONG_M - BACK_M
        patches = np.zeros(self.texture.shape[:2], np.uint8)
        for _ in range(int(rng.poisson(length / 18))):
            s, d = rng.uniform(0, length), rng.uniform(left, right - 1.5)
            patches[self._span((s, s + rng.uniform(1, 9)), (d, d + rng.uniform(0.5, 1.6)))] = 255
        self._blend(patches, 70, rng.uniform(0.25, 0.6))
        for _ in range(int(rng.poisson(length / 22))):
            centre = (
                int((rng.uniform(left + 1, right - 1) + REACH_M) / ACROSS_M),
                int((rng.uniform(0, length) + BACK_M) / ALONG_M),
            )
            cv2.ellipse(self.texture, centre, (4, 2), 0, 0, 360, (58, 56, 54), -1)
        for _ in range(int(rng.poisson(length / 20))):
            steps = rng.normal((0.4, 3.0), (1.6, 2.0), (14, 2)).cumsum(0)
            steps += ((rng.uniform(left, right) + REACH_M) / ACROSS_M, rng.uniform(0, len(self.texture)))
            cv2.polylines(self.texture, [steps.astype(np.int32)], False, (74, 74, 74), 1, cv2.LINE_AA)
        if self.layout.area == "city":
            joints = np.arange(0, len(self.texture), 9)
            for inner, outer in self.layout.walks:
                columns = slice(*(int(np.clip((v + REACH_M) / ACROSS_M, 0, 1e6)) for v in (inner, outer)))
                self.texture[joints, columns] = self.texture[joints, columns] // 5 * 4

    def _paint(self, rng: np.random.Generator) -> None:
        """Lane lines and pedestrian crossings."""
        length = len(self.texture) * ALONG_M - BACK_M
        mask = np.zeros(self.texture.shape[:2], np.uint8)
        for offset, width, dash, gap in self.layout.lines:
            span = (offset - width / 2, offset + width / 2)
            if not dash:
                mask[self._span((-BACK_M, length), span)] = 255
                continue
            for s in np.arange(-BACK_M + rng.uniform(0, dash + gap), length, dash + gap):
                mask[self._span((s, s + dash), span)] = 255
        left, right = self.layout.asphalt
        for s in np.cumsum(rng.uniform(25, 90, 4)) if self.layout.walks else ():
            if s > length - 4 or rng.random() < 0.35:
                continue
            for d in np.arange(left + 0.3, right - 0.5, 1.0):
                mask[self._span((s, s + 3.2), (d, d + 0.5))] = 255
            mask[self._span((s - 1.6, s - 1.2), (-1.6, right - 0.2))] = 255
        self._blend(mask, 226, rng.uniform(0.55, 0.95))

    def darken(self, polygons: Sequence[NDArray[np.float64]], share: float) -> None:
        """Throw shadows: darken by ``share`` what lies in a convex polygon ``[N, 2]`` of ``(s, d)``."""
        mask = np.zeros(self.texture.shape[:2], np.uint8)
        for polygon in polygons:
            texels = (polygon[:, ::-1] + (REACH_M, BACK_M)) * (1 / ACROSS_M, 1 / ALONG_M)
            cv2.fillConvexPoly(mask, np.clip(texels, -9999, 99999).astype(np.int32), 255)
        self._blend(mask, 0, share)

    def lighten(self, s: float, d: float, radius: float, share: float) -> None:
        """Shine a lamp on the ground: brightest at ``(s, d)``, nothing beyond ``radius`` metres."""
        texels = self.texture[self._span((s - radius, s + radius), (d - radius, d + radius))]
        rows, columns = texels.shape[:2]
        across, along = np.meshgrid(np.linspace(-1, 1, columns), np.linspace(-1, 1, rows))
        gain = 1 + share * np.maximum(1 - across**2 - along**2, 0) ** 1.5
        warm = (gain[..., None] * np.array([1.0, 0.98, 0.94])).astype(np.float32)
        cv2.multiply(texels, np.maximum(warm, 1), texels, dtype=cv2.CV_8U)

    def finish(self) -> None:
        """Make the coarser copies; call once, after the last change."""
        self._levels = [self.texture]
        for _, along, across in _LEVELS[1:]:
            size = (self.texture.shape[1] // across, max(self.texture.shape[0] // along, 2))
            coarse = cv2.resize(self._levels[-1], size, interpolation=cv2.INTER_AREA)
            self._levels.append(np.asarray(coarse, np.uint8))

    @property
    def levels(self) -> list[Image]:
        """The texture, finest first."""
        return self._levels


class GroundView:
    """Draws a clip's ground from its camera, frame by frame.

    Args:
        ground: The finished texture.
        camera: The clip's camera.
        light: The clip's light.
    """

    def __init__(self, ground: Ground, camera: Camera, light: Light) -> None:
        self.ground = ground
        self.first, self.ahead, depth = camera.ground_rows()
        across = (np.arange(camera.width, dtype=np.float32) + 0.5 - camera.width / 2) / np.float32(
            camera.focal
        )
        self._x = across[None] * depth[:, None]
        self._bands = []
        limits = [*(start for start, _, _ in _LEVELS), np.inf]
        for level, (low, high) in enumerate(pairwise(limits)):
            rows = np.flatnonzero((self.ahead >= low) & (self.ahead < high))
            if len(rows):
                self._bands.append((level, slice(int(rows[0]), int(rows[-1]) + 1)))
        gain = light.ambient + light.sun * max(float(light.sun_direction[1]), 0)
        gains = np.broadcast_to(gain, (*self._x.shape, 3)).astype(np.float32)
        if light.headlight:
            gains = gains + light.beam(self._x, self.ahead[:, None])[..., None] * np.float32(1.1)
        if light.weather == "rain":
            gains = gains * np.float32(0.8)
        through = light.transmittance(self.ahead)[:, None, None]
        self._gain = np.ascontiguousarray(gains * through)
        sheen = 0.12 * light.sky_low if light.weather == "rain" else np.zeros(3)
        haze = light.haze * (1 - through) + sheen
        self._haze = np.ascontiguousarray(np.broadcast_to(haze, self._gain.shape)).astype(np.uint8)

    def draw(self, image: Image, road: Road, s: float) -> None:
        """Fill the rows of ``image`` below the horizon as seen from the place ``(s, 0)``."""
        arc, offset, turned = road.ahead(s, self.ahead)
        beside = self._x - offset[:, None]
        below = image[self.first :]
        for level, rows in self._bands:
            _, coarse_along, coarse_across = _LEVELS[level]
            across, along = (
                np.float32(1 / (ACROSS_M * coarse_across)),
                np.float32(1 / (ALONG_M * coarse_along)),
            )
            u = beside[rows] * (np.cos(turned[rows]) * across)[:, None]
            u += np.float32(REACH_M) * across - np.float32(0.5)
            v = beside[rows] * (-np.sin(turned[rows]) * along)[:, None]
            v += ((arc[rows] + np.float32(BACK_M)) * along - np.float32(0.5))[:, None]
            texture = self.ground.levels[level]
            below[rows] = cv2.remap(texture, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        cv2.multiply(below, self._gain, below, dtype=cv2.CV_8U)
        cv2.add(below, self._haze, below)

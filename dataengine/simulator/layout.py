"""Cross-sections of a road: where lanes, kerbs, pavements and house fronts lie beside the ego lane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LANE_M = 3.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Offsets ``d`` in metres from the middle of the ego lane, positive to the right.

    Attributes:
        area: ``city``, ``suburb`` or ``rural``.
        lanes: Middle of every other lane and its direction (+1 with the ego vehicle, -1 against it).
        asphalt: Left and right end of the asphalt, which is the kerb where there is one.
        walks: Left and right pavement as (inner, outer) offsets; empty where there is none.
        parking: Offsets of rows of parked cars, with their direction.
        fronts: Left and right line of the house fronts.
        lines: Painted lines: offset, width, dash length and gap (0, 0 for a solid line).
        cycle_lane: Inner and outer offset of a red cycle lane, or none.
    """

    area: str
    lanes: tuple[tuple[float, int], ...]
    asphalt: tuple[float, float]
    walks: tuple[tuple[float, float], ...]
    parking: tuple[tuple[float, int], ...]
    fronts: tuple[float, float]
    lines: tuple[tuple[float, float, float, float], ...]
    cycle_lane: tuple[float, float] | None

    @classmethod
    def sample(cls, rng: np.random.Generator, *, cycle_street: bool) -> Layout:
        """A cross-section at random; a cycle street is never rural."""
        area = str(rng.choice(["city", "suburb", "rural"], p=[0.58, 0.27, 0.15]))
        if cycle_street and area == "rural":
            area = "city"
        wide = area == "city" and rng.random() < 0.3
        half = LANE_M / 2
        lanes = [(-LANE_M, -1)]
        right, left = half, -LANE_M - half
        lines = [(-half, 0.14, 3.0, 4.0)]
        if wide:
            lanes = [(-LANE_M, -1), (-2 * LANE_M, -1), (LANE_M, 1)]
            right, left = LANE_M + half, -2 * LANE_M - half
            lines = [(-half, 0.14, 0, 0), (half, 0.12, 3.0, 5.0), (-LANE_M - half, 0.12, 3.0, 5.0)]
        cycle_lane = None
        if cycle_street:
            cycle_lane = (right + 0.05, right + 1.75)
            lines.append((right, 0.14, 1.0, 1.0))
            right += 1.85
        lines += [(right - 0.12, 0.12, 0, 0), (left + 0.12, 0.12, 0, 0)] if area != "suburb" else []
        parking = []
        if area == "city":
            if not cycle_street and rng.random() < 0.7:
                parking.append((right + 1.05, 1))
                right += 2.15
            if rng.random() < 0.7:
                parking.append((left - 1.05, -1))
                left -= 2.15
        margin = {"city": 0.15, "suburb": 0.3, "rural": 0.5}[area]
        right, left = right + margin, left - margin
        walk = {"city": 3.0, "suburb": 2.0, "rural": 0.0}[area]
        walks = ((left - walk, left), (right, right + walk)) if walk else ()
        setback = {"city": rng.uniform(0.2, 1.6), "suburb": rng.uniform(3.5, 7.0), "rural": 12.0}[area]
        return cls(
            area=area,
            lanes=tuple(lanes),
            asphalt=(left, right),
            walks=walks,
            parking=tuple(parking),
            fronts=(left - walk - setback, right + walk + setback),
            lines=tuple(lines),
            cycle_lane=cycle_lane,
        )

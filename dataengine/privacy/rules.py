"""Where in the box of a person the head is, and where in the box of a vehicle the plate.

Heads. Of an upright adult the head is the top 0.130 of the stature, and as tall as half of the shoulders'
width, 0.259 of it (Drillis and Contini 1966, as in Winter, "Biomechanics and Motor Control of Human
Movement", figure 4.1). Boxes hold less than the stature where somebody sits, bends or stands behind a car,
and a detector's box may be off by a tenth. So: the top quarter of the box, or half of the box's width
where that is more (what is left of a person behind a car is wide for its height), over the full width,
and a twentieth of the height above it. Riders: the top 0.3, because the bicycle makes the box wide.

Plates. Regulation (EU) 1003/2010 has rear plates between 0.30 m and 1.20 m above the ground. On a car of
1.5 m with its plate on bumper or tailgate that is a band from 0.35 to 0.90 of the box, on a
truck or bus of 3 m and more the part below 0.55, on a motorcycle from 0.30 to 0.90. The band takes the full
width: where in it the plate is depends on how the vehicle stands. A plate of 0.52 m on a vehicle of
1.8 m takes 0.29 of the box; below ``MIN_VEHICLE_PX`` it has less than two pixels for a character, which
nobody can read, and the vehicle stays as it is.

The rules are wide on purpose, and cost a detector that is trained on the frames the looks of heads and
bumpers. ``egoblur`` hides less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_VEHICLE_PX = 40
"""Vehicles narrower than this keep their plate: 7 characters on 12 pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A part of a box over its full width.

    Attributes:
        top: Where it begins, as a share of the box's height from its top; negative is above it.
        bottom: Where it ends, likewise.
        per_width: It ends no earlier than this many widths below the box's top.
        min_px: Narrower boxes have no such part.
    """

    top: float
    bottom: float
    per_width: float = 0.0
    min_px: float = 0.0

    def of(self, box: NDArray[np.float32]) -> tuple[float, float, float, float]:
        """The band of one ``xyxy`` box."""
        x1, y1, x2, y2 = (float(value) for value in box)
        height = y2 - y1
        bottom = min(max(self.bottom * height, self.per_width * (x2 - x1)), height)
        return x1, y1 + self.top * height, x2, y1 + bottom


PERSON = Band(top=-0.05, bottom=0.25, per_width=0.5)
RIDER = Band(top=-0.05, bottom=0.30)
CAR = Band(top=0.35, bottom=0.90, min_px=MIN_VEHICLE_PX)
TALL = Band(top=0.55, bottom=1.00, min_px=MIN_VEHICLE_PX)
# its plate is narrower, but takes more of the width
MOTORCYCLE = Band(top=0.30, bottom=0.90, min_px=MIN_VEHICLE_PX / 2)

_NAMES = {
    PERSON: "pedestrian person people adult child person_sitting other_person construction_worker "
    "police_officer personal_mobility wheelchair stroller",
    RIDER: "rider cyclist bicyclist motorcyclist",
    CAR: "car van vehicle other_vehicle taxi pickup suv police ambulance",
    TALL: "truck bus trailer caravan construction construction_vehicle",
    MOTORCYCLE: "motorcycle motorbike motobike motor scooter moped",
}
BANDS = {name: band for band, names in _NAMES.items() for name in names.split()}
"""Class name -> band; names are compared in lower case, with ``_`` for a space."""


def plain(name: str) -> str:
    """A class name as ``BANDS`` writes it."""
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def heads(classes: Sequence[str]) -> list[str]:
    """The classes that are people."""
    return [name for name in classes if BANDS.get(plain(name)) in (PERSON, RIDER)]


def plates(classes: Sequence[str]) -> list[str]:
    """The classes that carry a number plate."""
    return [name for name in classes if BANDS.get(plain(name)) in (CAR, TALL, MOTORCYCLE)]


def regions(xyxy: NDArray[np.float32], names: Sequence[str]) -> NDArray[np.float32]:
    """``[R, 4]`` heads and plates of ``[B, 4]`` boxes with ``B`` class names, in their order."""
    found = []
    for box, name in zip(xyxy, names, strict=True):
        band = BANDS.get(plain(name))
        if band is not None and box[2] - box[0] >= band.min_px:
            found.append(band.of(box))
    return np.array(found, np.float32).reshape(-1, 4)

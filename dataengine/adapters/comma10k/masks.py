"""The colours of comma10k's masks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dataengine.adapters.masks import colours_to_values

MOVABLE = "movable"
COLOURS = {
    "road": (0x40, 0x20, 0x20),
    MOVABLE: (0x00, 0xFF, 0x66),
    "lane_marking": (0xFF, 0x00, 0x00),
    "undrivable": (0x80, 0x80, 0x60),
    "own_car": (0xCC, 0x00, 0xFF),
}
"""The publisher's README. ``movable`` is vehicles, people and animals in one."""

VOID = 255
MOVABLE_VALUE = list(COLOURS).index(MOVABLE)
_VALUES: Mapping[tuple[int, int, int], int] = {colour: value for value, colour in enumerate(COLOURS.values())}

_NEAR = 60
"""Squared distance in RGB below which a colour is a class's own, misdrawn: a mean square error of 20 a
channel, as in the publisher's ``tools/canonicialize_masks.py``. Other colours are void."""


def class_values(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``[H, W]`` number in ``COLOURS`` of each pixel of a ``[H, W, 3]`` RGB mask; ``VOID`` for no class."""
    values = colours_to_values(mask, _VALUES)
    strange = values == VOID
    if strange.any():
        packed = mask[strange].astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
        colours, which = np.unique(packed, return_inverse=True)
        channels = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1)
        distance = np.stack([((channels - colour) ** 2).sum(1) for colour in COLOURS.values()], axis=1)
        nearest = np.where(distance.min(1) < _NEAR, distance.argmin(1), VOID).astype(np.uint8)
        values[strange] = nearest[which]
    return values

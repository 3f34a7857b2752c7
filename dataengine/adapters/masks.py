"""Boxes from semantic masks: one connected component of one class is one object.

Two objects of a class that touch in the image become one box, and an object that a pole cuts in two
becomes two: a semantic mask cannot tell. Components below a minimum box area are kept as ignore
regions, because they are mostly the far ends of such cuts.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from dataengine.adapters.labels import FrameLabels


def components(mask: NDArray[np.uint8], values: Mapping[int, str], min_box_area: float) -> FrameLabels:
    """Boxes of the 8-connected components of some values of a mask.

    Args:
        mask: ``[H, W]`` uint8.
        values: Mask value -> class name; other values are background.
        min_box_area: Boxes smaller than this many square pixels become ignore regions.

    Returns:
        Boxes that tightly hold all pixels of a component, ordered by class, then as
        ``cv2.connectedComponentsWithStats`` finds them.
    """
    boxes: list[NDArray[np.float32]] = []
    names: list[str] = []
    for value, name in values.items():
        present = (mask == value).astype(np.uint8)
        if not present.any():
            continue
        stats = cv2.connectedComponentsWithStats(present, connectivity=8)[2][1:]
        corner = stats[:, [cv2.CC_STAT_LEFT, cv2.CC_STAT_TOP]]
        extent = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
        boxes.append(np.concatenate([corner, corner + extent], 1).astype(np.float32))
        names += [name] * len(stats)
    xyxy = np.concatenate(boxes) if boxes else np.zeros((0, 4), np.float32)
    area = (xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1])
    return FrameLabels(
        xyxy=xyxy,
        names=tuple(names),
        ignore=area < min_box_area,
        visibility=np.full(len(xyxy), np.nan, np.float32),
        track_id=np.full(len(xyxy), -1, np.int32),
    )


def colours_to_values(
    mask: NDArray[np.uint8], colours: Mapping[tuple[int, int, int], int]
) -> NDArray[np.uint8]:
    """``[H, W]`` values of a ``[H, W, 3]`` RGB mask by its colour table; 255 for any other colour."""
    packed = mask.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    values = np.full(packed.shape, 255, np.uint8)
    for (red, green, blue), value in colours.items():
        values[packed == (red << 16 | green << 8 | blue)] = value
    return values

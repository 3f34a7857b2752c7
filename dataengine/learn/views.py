"""Other ways to show a frame to the detector, and the way back to pixels of the stored image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

NAMES = ("", "flip", "scale")
"""As it is; mirrored left to right; at ``SCALE`` of its size."""

SCALE = 0.8
"""As in CALD (Yu 2022, arXiv 2103.10374, published code)."""


def shown(rgb: NDArray[np.uint8], view: str) -> NDArray[np.uint8]:
    """The image as the view shows it.

    Args:
        rgb: ``[H, W, 3]`` uint8.
        view: One of ``NAMES``.
    """
    if view not in NAMES:
        raise ValueError(f"view {view!r} is none of {', '.join(NAMES[1:])}")
    if view == "flip":
        return np.ascontiguousarray(rgb[:, ::-1])
    if view == "scale":
        height, width = (max(1, round(side * SCALE)) for side in rgb.shape[:2])
        small: NDArray[np.uint8] = cv2.resize(  # type: ignore[assignment]
            rgb, (width, height), interpolation=cv2.INTER_AREA
        )
        return small
    return rgb


def unseen(
    xyxy: NDArray[np.float32], seen: tuple[int, int], plain: tuple[int, int], view: str
) -> NDArray[np.float32]:
    """``[B, 4]`` boxes in pixels of the image before the view.

    Args:
        xyxy: ``[B, 4]`` boxes in pixels of what the view shows.
        seen: Height and width of that.
        plain: Height and width of the image before it.
        view: One of ``NAMES``.
    """
    if view == "flip":
        mirrored = xyxy.copy()
        mirrored[:, [0, 2]] = seen[1] - xyxy[:, [2, 0]]
        return mirrored
    if view == "scale":
        # Sides are rounded one by one, so each has a factor of its own.
        return xyxy * np.tile(np.divide(plain[::-1], seen[::-1]), 2).astype(np.float32)
    return xyxy

"""Pixels of a region made unreadable for good: a few averages, smoothed, in an ellipse around it.

A region is cut into at most ``CELLS`` x ``CELLS`` cells, each replaced by its mean, and the steps between
them are smoothed by a Gaussian. These few means are all that is left, whatever the region's size: the
detail cannot be computed back, as it can be from a blur of a fixed width over a large region. What they
still tell is colour and light. Networks have been trained to pick the right one of a few dozen known
people from finer mosaics (McPherson 2016, arXiv 1609.00408), and known print from finer mosaics of text
(Hill 2016, "On the (in)effectiveness of mosaicing and blurring as tools for document redaction"); three
cells a side are meant to leave less than that, but who has a short list of suspects has more than chance.

The ellipse goes through the region's corners, so no pixel of the region keeps its value; outside of the
ellipse every pixel does. Its edge is hard: a soft one would mix the original back in.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

CELLS = 3
"""Cells along the longer side of a region's surroundings."""
MIN_CELL_PX = 4
"""A cell is at least this wide, or the means of a small region would be its pixels."""
_FINE = 8
"""Samples a side of a cell in which the Gaussian is computed: its cost does not grow with the region."""


def blur(rgb: NDArray[np.uint8], xyxy: NDArray[np.float32]) -> tuple[NDArray[np.uint8], int, float]:
    """Make regions of an image unreadable.

    Args:
        rgb: ``[H, W, 3]`` uint8; left as it is.
        xyxy: ``[R, 4]`` regions in pixels; parts outside of the image do not matter.

    Returns:
        A new image, the number of regions that touch it, and the share of its pixels in their ellipses,
        0..1, overlaps counted once. The same input gives the same bytes.
    """
    blurred = rgb.copy()
    hidden = np.zeros(rgb.shape[:2], np.bool_)
    number = sum(_hide(blurred, hidden, [float(value) for value in region]) for region in xyxy)
    return blurred, number, float(hidden.mean()) if hidden.size else 0.0


def _hide(image: NDArray[np.uint8], hidden: NDArray[np.bool_], region: list[float]) -> bool:
    """Blur one region in place and mark its ellipse; false where it lies outside of the image."""
    height, width = hidden.shape
    x1, y1, x2, y2 = region
    centre_x, centre_y = (x1 + x2) / 2, (y1 + y2) / 2
    half_x, half_y = max(x2 - x1, 1.0) / math.sqrt(2), max(y2 - y1, 1.0) / math.sqrt(2)
    columns = slice(max(math.floor(centre_x - half_x), 0), min(math.ceil(centre_x + half_x), width))
    rows = slice(max(math.floor(centre_y - half_y), 0), min(math.ceil(centre_y + half_y), height))
    if columns.start >= columns.stop or rows.start >= rows.stop:
        return False
    x = (np.arange(columns.start, columns.stop) + 0.5 - centre_x) / half_x
    y = (np.arange(rows.start, rows.stop) + 0.5 - centre_y) / half_y
    inside = x[None] ** 2 + y[:, None] ** 2 <= 1
    patch = image[rows, columns]
    patch[inside] = _averages(patch)[inside]
    hidden[rows, columns] |= inside
    return bool(inside.any())


def _averages(patch: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The patch as at most ``CELLS`` x ``CELLS`` means with smooth transitions."""
    height, width = patch.shape[:2]
    cell = max(max(height, width) / CELLS, MIN_CELL_PX)
    columns, rows = max(1, round(width / cell)), max(1, round(height / cell))
    means = cv2.resize(patch, (columns, rows), interpolation=cv2.INTER_AREA)
    fine = cv2.resize(means, (columns * _FINE, rows * _FINE), interpolation=cv2.INTER_NEAREST)
    smooth = cv2.GaussianBlur(fine, (0, 0), _FINE / 2, borderType=cv2.BORDER_REPLICATE)
    full: NDArray[np.uint8] = cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return full

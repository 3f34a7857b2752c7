"""Flip, zoom, shift and recolour one labelled image: one warp and one colour matrix, a fraction of a ms."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dataengine.config import TrainConfig

MIN_VISIBLE = 0.35
"""Boxes of which the shift leaves less than this share in the image become ignore regions."""
MIN_SIDE = 2.0
"""Boxes with a side below this many pixels after the zoom become ignore regions."""
GREY = 114
"""Value of pixels outside the image. No mirrored border: it would show objects that have no label."""
LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in the grey value (ITU-R BT.601)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """One draw of the random changes for one image.

    Attributes:
        flip: Mirror left and right.
        zoom: Factor about the middle of the image.
        shift: ``(x, y)`` as a share of the image's sides.
        gain: Factor of every channel: exposure.
        contrast: Factor about the mean.
        saturation: Factor about the grey value of each pixel; 0 is grey.
    """

    flip: bool = False
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    gain: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0


def draw(train: TrainConfig, number: int, rng: np.random.Generator) -> list[Augmentation]:
    """``number`` draws; the same count of random values is used up whatever the settings."""
    flips = rng.random(number) < train.flip
    zooms = 1 + rng.uniform(-train.scale, train.scale, number)
    shifts = rng.uniform(-train.translate, train.translate, (number, 2))
    colours = 1 + rng.uniform(-train.colour, train.colour, (number, 3))
    return [
        Augmentation(
            flip=bool(flips[i]),
            zoom=float(zooms[i]),
            shift=(float(shifts[i, 0]), float(shifts[i, 1])),
            gain=float(colours[i, 0]),
            contrast=float(colours[i, 1]),
            saturation=float(colours[i, 2]),
        )
        for i in range(number)
    ]


def apply(
    change: Augmentation, rgb: NDArray[np.uint8], xyxy: NDArray[np.float32], ignore: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """Change one image and its boxes.

    Args:
        change: What to do.
        rgb: ``[H, W, 3]`` uint8; left as it is.
        xyxy: ``[B, 4]`` pixels.
        ignore: ``[B]`` bool.

    Returns:
        The image of the same size; the boxes ``[B, 4]`` clipped to it; the ignore flags ``[B]``; and ``[B]``
        which boxes still show at all. The caller drops the others.
    """
    height, width = rgb.shape[:2]
    factor = np.array([-change.zoom if change.flip else change.zoom, change.zoom])
    size = np.array([width, height])
    offset = size / 2 + np.array(change.shift) * size - factor * size / 2
    image = _recolour(_warp(rgb, factor, offset), change)
    points = xyxy.reshape(-1, 2, 2) * factor + offset
    moved = np.concatenate([points.min(1), points.max(1)], 1)
    clipped = np.clip(moved, 0, np.concatenate([size, size]))
    sides = clipped[:, 2:] - clipped[:, :2]
    visible = sides.prod(1) / np.maximum((moved[:, 2:] - moved[:, :2]).prod(1), 1e-9)
    hidden = (visible < MIN_VISIBLE) | (sides.min(1, initial=np.inf) < MIN_SIDE)
    return image, clipped.astype(np.float32), ignore | hidden, sides.min(1, initial=np.inf) > 0


def _warp(
    rgb: NDArray[np.uint8], factor: NDArray[np.float64], offset: NDArray[np.float64]
) -> NDArray[np.uint8]:
    if np.array_equal(factor, (1, 1)) and not offset.any():
        return rgb
    # OpenCV's pixel coordinates name middles, ours name corners: move by half a pixel and back.
    matrix = np.array([[factor[0], 0, offset[0]], [0, factor[1], offset[1]]])
    matrix[:, 2] += (factor - 1) / 2
    height, width = rgb.shape[:2]
    warped: NDArray[np.uint8] = cv2.warpAffine(  # type: ignore[assignment]
        rgb, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=(GREY, GREY, GREY)
    )
    return warped


def _recolour(rgb: NDArray[np.uint8], change: Augmentation) -> NDArray[np.uint8]:
    if (change.gain, change.contrast, change.saturation) == (1, 1, 1):
        return rgb
    mixed = change.saturation * np.eye(3) + (1 - change.saturation) * np.tile(LUMA, (3, 1))
    matrix = np.zeros((3, 4))
    matrix[:, :3] = change.gain * change.contrast * mixed
    matrix[:, 3] = change.gain * (1 - change.contrast) * float(np.mean(cv2.mean(rgb)[:3]))
    coloured: NDArray[np.uint8] = cv2.transform(rgb, matrix)  # type: ignore[assignment]
    return coloured

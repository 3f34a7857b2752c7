"""Rare objects of labelled frames, pasted into other labelled frames.

Ghiasi 2021 ("Simple Copy-Paste") pastes by masks and anywhere. We have boxes, so the crop of a box is pasted
with soft rounded edges; and the camera is fixed to a car, so an object stays near its row of the image and
its size, or a pedestrian would stand in the sky. Only labelled frames give and take objects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dataengine import boxes
from dataengine.frameboxes import FrameBoxes
from dataengine.learn.augment import MIN_VISIBLE

MAX_OBJECTS = 2
"""Objects pasted into one image, at most; at least one where a place is found."""
TRIES = 12
"""Objects and places that are tried for one image."""
MIN_SIDE = 6.0
"""Pixels that both sides of a pasted box have at least; smaller ones show nothing to learn from."""
CLEAR = 0.9
"""Objects are copied only if this share of them shows."""
MAX_COVER = 0.3
"""Share of another box that pasted ones may cover."""
MAX_BEHIND = 0.1
"""Share of a pasted box that may lie over a nearer object, which would hide it in a real image."""
SHIFT_X, SHIFT_Y = 0.2, 0.02
"""Furthest shift as a share of the image's sides; down the image is nearer, so rows change little."""
RESIZE = 0.15
"""Objects are resized by a factor in ``1 - RESIZE .. 1 + RESIZE``."""
ROUNDNESS = (2.0, 6.0)
"""Range of the exponent of the superellipse that is copied: 2 is an ellipse, infinity the whole box. Drawn
anew for each object, so that no one kind of edge gives pasted ones away; Dwibedi 2017 ("Cut, Paste and
Learn") varies the blending for that."""
SOFT_PIXELS, SOFT_SHARE = 1.5, 0.08
"""Half the width of the soft edge: pixels at least, and a share of half the box's shorter side."""
GAIN = (0.6, 1.6)
"""Limits of the factor that brings a crop to the brightness of its new surroundings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """An image and the boxes in it.

    Attributes:
        rgb: ``[H, W, 3]`` uint8.
        xyxy: ``[B, 4]`` float32 pixels of ``rgb``.
        class_id: ``[B]`` int.
        ignore: ``[B]`` bool.
        visibility: ``[B]`` float32 in 0..1: share of each object that shows; NaN where unknown.
    """

    rgb: NDArray[np.uint8]
    xyxy: NDArray[np.float32]
    class_id: NDArray[np.int16]
    ignore: NDArray[np.bool_]
    visibility: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """An object cut out and resized, with its place.

    Attributes:
        rgb: ``[h, w, 3]`` uint8: the box and a margin for the soft edge.
        left: Column of the image that the patch's first column falls on; may lie outside, as may ``top``.
        top: Row of the image that the patch's first row falls on.
        box: ``[4]`` float64: the object's box in pixels of the image.
        roundness: Exponent of the superellipse in the box that is copied.
    """

    rgb: NDArray[np.uint8]
    left: int
    top: int
    box: NDArray[np.float64]
    roundness: float


class Paster:
    """Objects that can be pasted, and the rules by which they are.

    Args:
        labels: The labelled frames.
        num_classes: K.
        image: Gives a frame's scaled image and its scale.
    """

    def __init__(
        self, labels: FrameBoxes, num_classes: int, image: Callable[[int], tuple[NDArray[np.uint8], float]]
    ) -> None:
        self.labels = labels
        self.image = image
        rows = clear_objects(labels)
        self._rows = [rows[labels.class_id[rows] == k] for k in range(num_classes)]
        self._frame_index = labels.frame_index
        real = labels.class_id[~labels.ignore]
        counts = np.bincount(real, minlength=num_classes)
        copied = np.array([len(own) > 0 for own in self._rows])
        rarity = np.where(copied, np.maximum(counts, 1) ** -0.5, 0)
        self.class_chance: NDArray[np.float64] = rarity / max(float(rarity.sum()), 1e-12)
        """``[K]`` chance of each class: falls with the root of its boxes, as repeat factors do (Gupta 2019);
        0 for a class without an object to copy."""

    def paste(self, frame: int, rng: np.random.Generator) -> Scene:
        """The frame with one or two objects of other frames in it, or as it is where none fits.

        A box that others cover so far that less than ``augment.MIN_VISIBLE`` of the object shows becomes an
        ignore region.
        """
        labels, rows = self.labels, self.labels.rows(frame)
        rgb, share = self.image(frame)
        scene = Scene(
            rgb=rgb.copy(),
            xyxy=labels.xyxy[rows] * np.float32(share),
            class_id=labels.class_id[rows],
            ignore=labels.ignore[rows],
            visibility=np.nan_to_num(labels.visibility[rows], nan=1.0),
        )
        shown = np.ones(len(scene.xyxy))
        wanted = 1 + int(rng.integers(MAX_OBJECTS))
        for _ in range(TRIES):
            if wanted == 0 or not self.class_chance.any():
                break
            class_id = int(rng.choice(len(self.class_chance), p=self.class_chance))
            row = int(rng.choice(self._rows[class_id]))
            patch = self._patch(row, rgb.shape[:2], rng) if self._frame_index[row] != frame else None
            uncovered = None if patch is None else room(patch.box, scene, shown)
            if patch is None or uncovered is None:
                continue
            scene = _add(scene, patch, class_id)
            shown, wanted = np.append(uncovered, 1.0), wanted - 1
        left = scene.visibility * shown
        return replace(scene, ignore=scene.ignore | (left < MIN_VISIBLE))

    def _patch(self, row: int, shape: tuple[int, ...], rng: np.random.Generator) -> Patch | None:
        """Object ``row`` cut out for an image of ``shape``; None if it is cut off, too small or would be."""
        rgb, share = self.image(int(self._frame_index[row]))
        shift = rng.uniform((-SHIFT_X, -SHIFT_Y), (SHIFT_X, SHIFT_Y))
        factor = shape[0] / rgb.shape[0] * float(rng.uniform(1 - RESIZE, 1 + RESIZE))
        mirrored = bool(rng.random() < 0.5)
        roundness = float(rng.uniform(*ROUNDNESS))
        box = self.labels.xyxy[row].astype(np.float64) * share
        size = np.array([rgb.shape[1], rgb.shape[0]])
        if (box[:2] < 1).any() or (box[2:] > size - 1).any():
            return None  # the image cuts it off
        if mirrored:
            rgb = rgb[:, ::-1]
            box = np.array([size[0] - box[2], box[1], size[0] - box[0], box[3]])
        goal = np.array([shape[1], shape[0]])
        foot = np.array([(box[0] + box[2]) / 2, box[3]]) / size * goal + shift * goal
        patch = cut(rgb, box, factor, foot, roundness)
        if (patch.box[:2] < 0).any() or (patch.box[2:] > goal).any():
            return None
        return patch if (patch.box[2:] - patch.box[:2]).min() >= MIN_SIDE else None


def clear_objects(labels: FrameBoxes) -> NDArray[np.int64]:
    """Rows of the boxes that can be copied: no ignore regions, not hidden, hardly touched by other boxes."""
    everything = replace(
        labels, ignore=np.ones(labels.num_boxes, np.bool_)
    )  # makes overlap a share of the box
    pairs = boxes.overlaps(labels, everything, 1 - CLEAR)
    touched = np.zeros(labels.num_boxes, np.bool_)
    touched[pairs.predicted[pairs.predicted != pairs.truth]] = True
    visible = np.nan_to_num(labels.visibility, nan=1.0) >= CLEAR
    return np.flatnonzero(~labels.ignore & visible & ~touched)


def cut(
    rgb: NDArray[np.uint8],
    box: NDArray[np.float64],
    factor: float,
    foot: NDArray[np.float64],
    roundness: float,
) -> Patch:
    """Cut a box and its soft edge out of an image, resize them, and set the middle of its foot on a point.

    Args:
        rgb: ``[H, W, 3]`` uint8, the image that the object is in.
        box: ``[4]`` where it is.
        factor: What its size is multiplied with.
        foot: ``(x, y)`` in the other image, met to half a pixel; the patch's box says where exactly.
        roundness: Exponent of the superellipse in the box that will be copied.
    """
    sides = box[2:] - box[:2]
    margin = softness(sides * factor) * sides / 2
    low = np.maximum(np.floor(box[:2] - margin), 0).astype(int)
    high = np.minimum(np.ceil(box[2:] + margin), rgb.shape[1::-1]).astype(int)
    crop = np.ascontiguousarray(rgb[low[1] : high[1], low[0] : high[0]])
    resized = np.maximum(np.round((high - low) * factor), 1).astype(int)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    patch: NDArray[np.uint8] = cv2.resize(crop, (int(resized[0]), int(resized[1])), interpolation=how)  # type: ignore[assignment]
    inside = (box.reshape(2, 2) - low) * (resized / (high - low))
    corner = np.round(foot - np.array([inside[:, 0].mean(), inside[1, 1]])).astype(int)
    return Patch(
        rgb=patch, left=int(corner[0]), top=int(corner[1]), box=(inside + corner).ravel(), roundness=roundness
    )


def room(box: NDArray[np.float64], scene: Scene, shown: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """``[B]`` share of each box of the scene that ``box`` would leave uncovered; None where it may not be.

    Args:
        box: ``[4]`` the place.
        scene: The image so far. Ignore regions may be covered.
        shown: ``[B]`` share of each of its boxes that earlier pastes left uncovered.
    """
    others = scene.xyxy.astype(np.float64)
    low, high = np.maximum(others[:, :2], box[:2]), np.minimum(others[:, 2:], box[2:])
    shared = boxes.area(np.concatenate([low, high], axis=1))
    uncovered: NDArray[np.float64] = shown * (1 - shared / np.maximum(boxes.area(others), 1e-9))
    nearer = others[:, 3] > box[3]
    behind = nearer & (shared > MAX_BEHIND * float(boxes.area(box)[0]))
    refused = ~scene.ignore & (behind | ((shared > 0) & (uncovered < 1 - MAX_COVER)))
    return None if refused.any() else uncovered


def softness(sides: NDArray[np.float64]) -> float:
    """Half the width of the soft edge of a box with these sides in pixels, as a share of half its sides."""
    return float(np.clip(2 * SOFT_PIXELS / sides.min(), SOFT_SHARE, 0.5))


def cover(patch: Patch) -> NDArray[np.float32]:
    """``[h, w]`` in 0..1: how much of each pixel of a patch is pasted; 0.5 on the superellipse in its box."""
    sides = patch.box[2:] - patch.box[:2]
    soft = softness(sides)
    middle = (patch.box[:2] + patch.box[2:]) / 2 - (patch.left, patch.top)
    x = np.abs((np.arange(patch.rgb.shape[1]) + 0.5 - middle[0]) / (sides[0] / 2))
    y = np.abs((np.arange(patch.rgb.shape[0]) + 0.5 - middle[1]) / (sides[1] / 2))
    radius = (x[None, :] ** patch.roundness + y[:, None] ** patch.roundness) ** (1 / patch.roundness)
    share: NDArray[np.float32] = np.clip((1 + soft - radius) / (2 * soft), 0, 1).astype(np.float32)
    return share


def _add(scene: Scene, patch: Patch, class_id: int) -> Scene:
    """The scene with a patch drawn into its image, which is changed, and its box after the others."""
    top, left = max(patch.top, 0), max(patch.left, 0)
    bottom = min(patch.top + patch.rgb.shape[0], scene.rgb.shape[0])
    right = min(patch.left + patch.rgb.shape[1], scene.rgb.shape[1])
    part = slice(top - patch.top, bottom - patch.top), slice(left - patch.left, right - patch.left)
    under = scene.rgb[top:bottom, left:right]
    share, over = cover(patch)[part][..., None], patch.rgb[part]
    blended = share * (over * _gain(over, under, share)) + (1 - share) * under
    under[:] = np.clip(blended + 0.5, 0, 255).astype(np.uint8)
    return Scene(
        rgb=scene.rgb,
        xyxy=np.concatenate([scene.xyxy, patch.box[None].astype(np.float32)]),
        class_id=np.append(scene.class_id, np.int16(class_id)),
        ignore=np.append(scene.ignore, False),
        visibility=np.append(scene.visibility, np.float32(1)),
    )


def _gain(over: NDArray[np.uint8], under: NDArray[np.uint8], share: NDArray[np.float32]) -> np.float32:
    """Brightness of the new surroundings over that of the old ones, both seen at the patch's edge."""
    edge = share[..., 0] < 0.5
    if not edge.any():
        return np.float32(1)
    return np.float32(np.clip(under[edge].mean() / max(over[edge].mean(), 1.0), *GAIN))

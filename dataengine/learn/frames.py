"""Frames on their way into a detector: decoded, scaled, kept in memory while they fit, batched."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from dataengine.config import TrainConfig
from dataengine.errors import InputError
from dataengine.frameboxes import FrameBoxes
from dataengine.images import read_image
from dataengine.learn import augment
from dataengine.learn.batch import Batch, padded
from dataengine.learn.copy_paste import Paster, Scene
from dataengine.learn.pseudo import PseudoFrames

CACHE_BYTES = 2 * 1024**3
"""Decoded images kept in memory by one fit: about 11,000 of 320 x 192 pixels, 770 of 1280 x 720."""


def read_scaled(path: Path, max_side: int) -> tuple[NDArray[np.uint8], float]:
    """An image, scaled down so that its longer side has at most ``max_side`` pixels.

    Args:
        path: The image.
        max_side: Pixels; 0 keeps the size.

    Returns:
        ``[H, W, 3]`` uint8 RGB, and its size as a share of the original's.

    Raises:
        InputError: The image cannot be read; the message names it.
    """
    rgb = read_image(path)
    longer = max(rgb.shape[:2])
    if max_side == 0 or longer <= max_side:
        return rgb, 1.0
    share = max_side / longer
    size = (max(1, round(rgb.shape[1] * share)), max(1, round(rgb.shape[0] * share)))
    scaled: NDArray[np.uint8] = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return scaled, share


def stack(images: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
    """``[N, 3, H, W]`` uint8, channels last: images at the top left of a grey canvas that holds them all."""
    height = padded(max(image.shape[0] for image in images))
    width = padded(max(image.shape[1] for image in images))
    if all(image.shape[:2] == (height, width) for image in images):
        canvas = np.stack(images)
    else:
        canvas = np.full((len(images), height, width, 3), augment.GREY, np.uint8)
        for target, image in zip(canvas, images, strict=True):
            target[: image.shape[0], : image.shape[1]] = image
    return torch.from_numpy(canvas).permute(0, 3, 1, 2)


class LabelledFrames:
    """The training set of one fit.

    Args:
        images: One path a frame.
        labels: The boxes of the same frames.
        num_classes: K, to check the labels.
        max_side: See ``read_scaled``.
        cache_bytes: Decoded images are kept until they fill this; the others are decoded for each batch.
        pseudo: Frames to learn from besides, numbered after the labelled ones. Nothing is copied from them or
            into them.

    Raises:
        InputError: There are no frames, or a box is not finite, inverted or of no class.
    """

    def __init__(
        self,
        images: Sequence[Path],
        labels: FrameBoxes,
        *,
        num_classes: int,
        max_side: int,
        cache_bytes: int = CACHE_BYTES,
        pseudo: PseudoFrames | None = None,
    ) -> None:
        if len(images) != labels.num_frames:
            raise ValueError(f"{len(images)} images for the labels of {labels.num_frames} frames")
        if labels.num_frames == 0:
            raise InputError("no labelled frames to learn from: raise loop.seed_frames or the budget")
        _check_boxes(labels, num_classes)
        if pseudo is not None:
            _check_boxes(pseudo.labels, num_classes)
        self.images = [*images, *(pseudo.images if pseudo else ())]
        self.num_classes = num_classes
        self.labels = labels
        self.pseudo = pseudo.labels if pseudo and pseudo.labels.num_frames else None
        self.max_side = max_side
        self._free_bytes = cache_bytes
        self._decoded: dict[int, tuple[NDArray[np.uint8], float]] = {}

    def __len__(self) -> int:
        """Number of labelled frames."""
        return self.labels.num_frames

    def image(self, frame: int) -> tuple[NDArray[np.uint8], float]:
        """A frame's scaled image and its scale; from memory the second time, where it fitted."""
        known = self._decoded.get(frame)
        if known is None:
            known = read_scaled(self.images[frame], self.max_side)
            if known[0].nbytes <= self._free_bytes:
                self._free_bytes -= known[0].nbytes
                self._decoded[frame] = known
        return known

    def batch(self, frames: NDArray[np.int64], train: TrainConfig, rng: np.random.Generator) -> Batch:
        """The batch of the given frame numbers, augmented."""
        images, boxes, classes, ignores = [], [], [], []
        for frame, change in zip(frames.tolist(), augment.draw(train, len(frames), rng), strict=True):
            scene = self._scene(frame, train, rng)
            image, xyxy, ignore, shown = augment.apply(change, scene.rgb, scene.xyxy, scene.ignore)
            images.append(image)
            boxes.append(xyxy[shown])
            classes.append(scene.class_id[shown])
            ignores.append(ignore[shown])
        numbers = np.repeat(np.arange(len(frames)), [len(xyxy) for xyxy in boxes])
        return Batch(
            images=stack(images),
            xyxy=torch.from_numpy(np.concatenate(boxes)),
            class_id=torch.from_numpy(np.concatenate(classes).astype(np.int64)),
            ignore=torch.from_numpy(np.concatenate(ignores)),
            image=torch.from_numpy(numbers),
        )

    def _scene(self, frame: int, train: TrainConfig, rng: np.random.Generator) -> Scene:
        """A frame with its boxes, and perhaps objects of others; ``rng`` is not used with that off."""
        if train.copy_paste and rng.random() < train.copy_paste and frame < len(self):
            return self._paster.paste(frame, rng)
        labels, number = (self.labels, frame) if frame < len(self) else (self.pseudo, frame - len(self))
        assert labels is not None
        rgb, share = self.image(frame)
        rows = labels.rows(number)
        return Scene(
            rgb=rgb,
            xyxy=labels.xyxy[rows] * share,
            class_id=labels.class_id[rows],
            ignore=labels.ignore[rows],
            visibility=labels.visibility[rows],
        )

    @cached_property
    def _paster(self) -> Paster:
        return Paster(self.labels, self.num_classes, self.image)


def _check_boxes(labels: FrameBoxes, num_classes: int) -> None:
    sides = labels.xyxy[:, 2:] - labels.xyxy[:, :2]
    known = (labels.class_id >= 0) & (labels.class_id < num_classes)
    bad = ~np.isfinite(labels.xyxy).all(1) | ~(sides > 0).all(1) | ~(known | labels.ignore)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InputError(
            f"frame {labels.frame_ids[labels.frame_index[row]]}: label {labels.xyxy[row].tolist()} of "
            f"class {labels.class_id[row]} is no box of one of {num_classes} classes; correct or remove it"
        )

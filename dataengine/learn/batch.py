"""What a detector is given: a batch of images, and the labelled boxes in them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

GRID = 32
"""Image sides in a batch are multiples of this many pixels: the coarsest stride of the detectors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Images of one padded size with their boxes, flat over the batch.

    Attributes:
        images: ``[N, 3, H, W]`` uint8 RGB, channels last in memory; H and W are multiples of ``GRID``.
        xyxy: ``[B, 4]`` float32, pixels of the batch's images.
        class_id: ``[B]`` int64.
        ignore: ``[B]`` bool: regions in which the loss sees nothing.
        image: ``[B]`` int64, which of the N images each box is in, ascending.
    """

    images: Tensor
    xyxy: Tensor
    class_id: Tensor
    ignore: Tensor
    image: Tensor

    @property
    def num_images(self) -> int:
        """N."""
        return len(self.images)

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        if device.type == "cpu":
            return self
        return Batch(
            images=self.images.to(device, non_blocking=True),
            xyxy=self.xyxy.to(device),
            class_id=self.class_id.to(device),
            ignore=self.ignore.to(device),
            image=self.image.to(device),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Detections:
    """What a detector finds in a batch, flat over the batch, best score first within an image.

    Attributes:
        xyxy: ``[B, 4]`` float32, pixels of the batch's images.
        class_id: ``[B]`` int64.
        class_scores: ``[B, K]`` float32 in 0..1; the box's own score is the one of its class.
        image: ``[B]`` int64, ascending.
        embedding: ``[N, D]`` float32, pooled backbone features of each image.
        features: ``[B, F]`` float32, what the network computed at the middle of each box.
    """

    xyxy: Tensor
    class_id: Tensor
    class_scores: Tensor
    image: Tensor
    embedding: Tensor
    features: Tensor

    @property
    def score(self) -> Tensor:
        """``[B]`` score of each box for its own class."""
        return self.class_scores.gather(1, self.class_id[:, None])[:, 0]


def padded(side: int) -> int:
    """The least multiple of ``GRID`` that is not below ``side``."""
    return -(-side // GRID) * GRID

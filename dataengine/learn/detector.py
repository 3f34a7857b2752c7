"""What every detector of the engine can do, whatever is inside."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn
from torchvision.ops import batched_nms

from dataengine.learn.batch import Batch, Detections

MAX_BOXES = 100
"""Most boxes reported for one image, as in COCO."""
MIN_SCORE = 0.05
"""Boxes below this score are not reported: they move AP by less than 0.001 and fill the disk."""
NMS_IOU = 0.6
"""Of two boxes of one class that overlap by more than this, the better one is kept."""


class Detector(nn.Module, ABC):
    """A network that learns boxes from batches and finds boxes in images.

    Args:
        num_classes: K, the classes of the taxonomy.
    """

    bf16: ClassVar[bool] = True
    """Whether the network may compute in bfloat16."""
    weighs_classes: ClassVar[bool] = False
    """Whether its loss reads ``class_weight``."""
    class_weight: Tensor | None
    """``[K]`` weights of the objects of each class in the loss; None weighs all alike."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.register_buffer("class_weight", None, persistent=False)  # follows the labels, not the weights

    @abstractmethod
    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The named loss terms of a batch, scalars whose sum is minimised; finite without any box."""

    @abstractmethod
    def detect(self, images: Tensor) -> Detections:
        """Boxes, scores and embeddings of ``images`` ``[N, 3, H, W]`` uint8, in one pass."""


def best_boxes(candidates: Detections, *, nms_iou: float = NMS_IOU) -> Detections:
    """Suppress doubles class by class and keep the best ``MAX_BOXES`` of each image.

    Equal scores keep the order in which they came, so the result does not depend on the sort.
    """
    score = candidates.score
    group = candidates.image * candidates.class_scores.shape[1] + candidates.class_id
    kept = batched_nms(candidates.xyxy, score, group, nms_iou).sort().values
    by_score = kept[torch.argsort(score[kept], descending=True, stable=True)]
    by_image = by_score[torch.argsort(candidates.image[by_score], stable=True)]
    image = candidates.image[by_image]
    counts = torch.bincount(image, minlength=len(candidates.embedding))
    rank = torch.arange(len(image), device=image.device) - (counts.cumsum(0) - counts)[image]
    final = by_image[rank < MAX_BOXES]
    return Detections(
        xyxy=candidates.xyxy[final],
        class_id=candidates.class_id[final],
        class_scores=candidates.class_scores[final],
        image=candidates.image[final],
        embedding=candidates.embedding,
        features=candidates.features[final],
    )


def standardise(images: Tensor) -> Tensor:
    """uint8 to float32 with about zero mean and unit spread, for networks that learn from scratch."""
    return (images.float() - 114.0) / 58.0

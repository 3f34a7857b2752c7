"""torchvision's own detectors behind the engine's face: SSDLite, FCOS and Faster R-CNN."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torchvision.models import MobileNet_V3_Large_Weights, ResNet50_Weights
from torchvision.models import detection as zoo
from torchvision.ops import box_iou, clip_boxes_to_image

from dataengine.learn.augment import GREY
from dataengine.learn.batch import Batch, Detections
from dataengine.learn.detector import MAX_BOXES, MIN_SCORE, Detector, best_boxes
from dataengine.learn.published import fetch

SAME_PLACE_IOU = 0.6
"""Overlap from which the score of another candidate box counts as said of the same object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factory:
    """How torchvision builds one detector.

    Attributes:
        make: Its function.
        settings: Its arguments beside the number of classes and the weights.
        imagenet: Published weights of its backbone.
        coco: Published weights of the whole.
    """

    make: Callable[..., torch.nn.Module]
    settings: Mapping[str, Any]
    imagenet: Any
    coco: Any


# Candidates come out before suppression (nms_thresh=1), so that every kept box can be given the scores of
# all classes.
FACTORIES: dict[str, Factory] = {
    "ssdlite": Factory(
        make=zoo.ssdlite320_mobilenet_v3_large,
        settings={
            "score_thresh": MIN_SCORE,
            "nms_thresh": 1.0,
            "topk_candidates": MAX_BOXES,
            "detections_per_img": 10 * MAX_BOXES,
        },
        imagenet=MobileNet_V3_Large_Weights.IMAGENET1K_V1,
        coco=zoo.SSDLite320_MobileNet_V3_Large_Weights.COCO_V1,
    ),
    "fcos": Factory(
        make=zoo.fcos_resnet50_fpn,
        settings={
            "score_thresh": MIN_SCORE,
            "nms_thresh": 1.0,
            "topk_candidates": 4 * MAX_BOXES,
            "detections_per_img": 10 * MAX_BOXES,
        },
        imagenet=ResNet50_Weights.IMAGENET1K_V2,
        coco=zoo.FCOS_ResNet50_FPN_Weights.COCO_V1,
    ),
    "faster_rcnn": Factory(
        make=zoo.fasterrcnn_mobilenet_v3_large_fpn,
        settings={
            "box_score_thresh": MIN_SCORE,
            "box_nms_thresh": 1.0,
            "box_detections_per_img": 10 * MAX_BOXES,
            "rpn_post_nms_top_n_test": 3 * MAX_BOXES,
        },
        imagenet=MobileNet_V3_Large_Weights.IMAGENET1K_V1,
        coco=zoo.FasterRCNN_MobileNet_V3_Large_FPN_Weights.COCO_V1,
    ),
}


class TorchvisionDetector(Detector):
    """One of ``FACTORIES``, trained whole: no layer and no normalisation is frozen.

    These detectors have no notion of ignore regions, so their pixels are painted grey: there is nothing to
    see in them, hence nothing to learn from.

    Args:
        name: Key of ``FACTORIES``.
        num_classes: K; class 0 inside is the background.
    """

    # torchvision decodes boxes in the precision of the head: bfloat16 would round them to half a pixel.
    bf16 = False

    def __init__(self, name: str, num_classes: int) -> None:
        super().__init__(num_classes)
        self.name = name
        factory = FACTORIES[name]
        self.network: Any = factory.make(
            weights=None, weights_backbone=None, num_classes=num_classes + 1, **factory.settings
        )
        self._features: Tensor | None = None
        self._backbone.register_forward_hook(self._keep_features)

    @property
    def _backbone(self) -> torch.nn.Module:
        backbone = self.network.backbone
        assert isinstance(backbone, torch.nn.Module)
        return backbone

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The loss terms that torchvision names."""
        images = _without_ignored(batch)
        targets = []
        for image in range(batch.num_images):
            mine = (batch.image == image) & ~batch.ignore
            targets.append({"boxes": batch.xyxy[mine], "labels": batch.class_id[mine] + 1})
        terms: dict[str, Tensor] = self._run(images, targets)
        self._features = None
        return {_term_name(name): value for name, value in terms.items()}

    def detect(self, images: Tensor) -> Detections:
        """Candidates, each with the best score of every class in the same place."""
        found = self._run(images.float() / 255, None)
        assert self._features is not None
        coarsest = self._features.float()
        self._features = None
        size = (images.shape[2], images.shape[3])
        parts = [self._candidates(one, size, number) for number, one in enumerate(found)]
        xyxy, image = torch.cat([part[0] for part in parts]), torch.cat([part[3] for part in parts])
        return best_boxes(
            Detections(
                xyxy=xyxy,
                class_id=torch.cat([part[1] for part in parts]),
                class_scores=torch.cat([part[2] for part in parts]),
                image=image,
                embedding=coarsest.mean((2, 3)),
                features=_at_middles(coarsest, xyxy, image, size),
            )
        )

    def _run(self, images: Tensor, targets: list[dict[str, Tensor]] | None) -> Any:
        # Images keep their own size (SSDLite alone has a fixed one); model.max_side is where size is chosen.
        transform = self.network.transform
        transform.min_size, transform.max_size = (min(images.shape[2:]),), max(images.shape[2:])
        return self.network(list(images), targets)

    def _candidates(
        self, found: dict[str, Tensor], size: tuple[int, int], number: int
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Boxes ``[B, 4]``, classes ``[B]``, scores ``[B, K]`` and image numbers ``[B]`` of one image."""
        known = found["labels"] > 0
        xyxy = clip_boxes_to_image(found["boxes"][known].float(), size)
        class_id, score = found["labels"][known] - 1, found["scores"][known].float()
        same_place = box_iou(xyxy, xyxy) >= SAME_PLACE_IOU
        class_scores = torch.zeros(len(xyxy), self.num_classes, device=xyxy.device)
        for k in range(self.num_classes):
            of_class = class_id == k
            if of_class.any():
                class_scores[:, k] = (same_place[:, of_class] * score[of_class]).amax(1)
        # The box's own score is its own, not that of a better neighbour which suppression will keep.
        class_scores.scatter_(1, class_id[:, None], score[:, None])
        return xyxy, class_id, class_scores, torch.full_like(class_id, number)

    def _keep_features(self, _module: torch.nn.Module, _inputs: Any, output: Mapping[str, Tensor]) -> None:
        self._features = list(output.values())[-1]


def _at_middles(maps: Tensor, xyxy: Tensor, image: Tensor, size: tuple[int, int]) -> Tensor:
    """``[B, C]`` of ``maps`` ``[N, C, h, w]`` at the cell that holds each box's middle."""
    height, width = maps.shape[2:]
    x = ((xyxy[:, 0] + xyxy[:, 2]) / (2 * size[1]) * width).long().clamp(0, width - 1)
    y = ((xyxy[:, 1] + xyxy[:, 3]) / (2 * size[0]) * height).long().clamp(0, height - 1)
    return maps[image, :, y, x]


def load_pretrained(detector: TorchvisionDetector, which: str) -> None:
    """Start from published weights; the layers that depend on the number of classes stay random.

    Args:
        detector: Changed in place.
        which: ``imagenet`` (the backbone) or ``coco`` (everything but the classes).

    Raises:
        ModelError: The weights are not in the cache and cannot be downloaded.
    """
    published = getattr(FACTORIES[detector.name], which)
    source = fetch(
        published, f"model.name={detector.name} model.weights={which}", instead="model.weights=none"
    )
    if which == "coco":
        target = detector.network.state_dict()
        pairs = [(target[name], source[name]) for name in target if name in source]
    else:
        backbone = detector.network.backbone
        body = getattr(backbone, "body", getattr(backbone, "features", backbone))
        # torchvision regroups the backbone's layers under other names but keeps their order.
        pairs = list(zip(body.state_dict().values(), source.values(), strict=False))
    with torch.no_grad():
        for own, given in pairs:
            if own.shape == given.shape:
                own.copy_(given)


def _without_ignored(batch: Batch) -> Tensor:
    """``[N, 3, H, W]`` float32 in 0..1, grey where a region is ignored and no labelled box reaches in."""
    images = batch.images.float() / 255
    if not batch.ignore.any():
        return images
    hidden = torch.zeros(batch.num_images, *images.shape[2:], dtype=torch.bool, device=images.device)
    rows = batch.xyxy.round().long().tolist()
    for painted in (True, False):
        for (x1, y1, x2, y2), image, ignore in zip(
            rows, batch.image.tolist(), batch.ignore.tolist(), strict=True
        ):
            if ignore == painted:
                hidden[image, y1:y2, x1:x2] = painted
    return torch.where(hidden[:, None], GREY / 255, images)


def _term_name(name: str) -> str:
    """``loss_box_reg`` -> ``box_reg_loss``: one order of words for the terms of every detector."""
    return f"{name.removeprefix('loss_')}_loss" if name.startswith("loss_") else f"{name}_loss"

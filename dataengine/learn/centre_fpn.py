"""``centre_fpn``: a lean centre-based detector that learns from scratch in minutes on a CPU core.

Every cell of a stride-4 map says how likely it is the centre of a box of each class, and how far the
box's sides are from it (Zhou 2019, "Objects as Points"; sides as in Tian 2019, FCOS). The backbone is
made of torchvision's ResNet blocks behind a pixel-unshuffle stem, which reads the whole image at once
at stride 4 and so spends nothing on full-resolution maps.
"""

from __future__ import annotations

import math
from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock
from torchvision.ops import FeaturePyramidNetwork

from dataengine.learn.batch import Batch, Detections
from dataengine.learn.centre_loss import centre_losses
from dataengine.learn.detector import MAX_BOXES, MIN_SCORE, Detector, best_boxes, standardise

STRIDE = 4
"""Pixels a side of one cell."""
BLOCKS = (2, 2, 1)
"""Residual blocks of the stages at stride 8, 16 and 32."""
PRIOR_SCORE = 0.01
"""Score of every cell before training, so that the many empty cells do not drown the first steps."""
PRIOR_SIDE = 10.0
"""Distance in pixels from a centre to each side of its box before training."""
MAX_EXPONENT = 6.0
"""Limit of the logarithm of a distance in cells: 1,600 pixels, finite in bfloat16 too."""


class CentreFPN(Detector):
    """Backbone of three strided stages, a pyramid back to stride 4, one output convolution.

    Args:
        num_classes: K.
        width: Channels at stride 4; the stages at stride 8, 16 and 32 hold 2, 4 and 4 times as many.
    """

    weighs_classes = True

    def __init__(self, num_classes: int, width: int) -> None:
        super().__init__(num_classes)
        channels = [width, 2 * width, 4 * width, 4 * width]
        self.stem = nn.Sequential(
            nn.PixelUnshuffle(STRIDE),
            nn.Conv2d(3 * STRIDE**2, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )
        self.stages = nn.ModuleList(
            _stage(narrow, wide, blocks)
            for narrow, wide, blocks in zip(channels[:-1], channels[1:], BLOCKS, strict=True)
        )
        neck = 3 * width // 2
        self.neck = FeaturePyramidNetwork(channels, neck, norm_layer=nn.BatchNorm2d)
        # Only the finest level is read; smoothing the others would cost time and train nothing.
        for level in range(1, len(channels)):
            self.neck.layer_blocks[level] = nn.Identity()
        self.head = nn.Conv2d(neck, num_classes + 4, 3, padding=1)
        self._initialise()

    def _initialise(self) -> None:
        nn.init.normal_(self.head.weight, std=0.01)
        assert self.head.bias is not None
        with torch.no_grad():
            self.head.bias[: self.num_classes] = math.log(PRIOR_SCORE / (1 - PRIOR_SCORE))
            self.head.bias[self.num_classes :] = math.log(PRIOR_SIDE / STRIDE)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Raw maps of a batch.

        Args:
            images: ``[N, 3, H, W]`` uint8.

        Returns:
            Class logits ``[N, K, H / 4, W / 4]`` float32, distances to the left, top, right and bottom side
            in pixels ``[N, 4, H / 4, W / 4]`` float32, the embedding ``[N, 4 * width]`` float32, and the
            features that the maps are made of, ``[N, 3 * width / 2, H / 4, W / 4]``.
        """
        features = [self.stem(standardise(images))]
        for stage in self.stages:
            features.append(stage(features[-1]))
        finest = self.neck(OrderedDict((str(i), level) for i, level in enumerate(features)))["0"]
        finest = F.relu(finest)
        output = self.head(finest).float()
        sides = STRIDE * output[:, self.num_classes :].clamp(max=MAX_EXPONENT).exp()
        return output[:, : self.num_classes], sides, features[-1].float().mean((2, 3)), finest

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Focal loss of the centres and GIoU loss of the boxes."""
        logits, sides, _, _ = self(batch.images)
        return centre_losses(logits, sides, batch, stride=STRIDE, class_weight=self.class_weight)

    def detect(self, images: Tensor) -> Detections:
        """Peaks of the class maps, with the box and all class scores of their cell."""
        logits, sides, embedding, finest = self(images)
        scores = logits.sigmoid()
        peaks = torch.where(scores == F.max_pool2d(scores, 3, 1, 1), scores, torch.zeros_like(scores))
        top, index = peaks.flatten(1).topk(min(2 * MAX_BOXES, peaks[0].numel()))
        image, place = (top >= MIN_SCORE).nonzero(as_tuple=True)
        index = index[image, place]
        height, width = scores.shape[2:]
        class_id, cell = index // (height * width), index % (height * width)
        centre_x, centre_y = (cell % width + 0.5) * STRIDE, (cell // width + 0.5) * STRIDE
        left, top_, right, bottom = sides.flatten(2)[image, :, cell].unbind(1)
        xyxy = torch.stack([centre_x - left, centre_y - top_, centre_x + right, centre_y + bottom], 1)
        return best_boxes(
            Detections(
                xyxy=xyxy,
                class_id=class_id,
                class_scores=scores.flatten(2)[image, :, cell],
                image=image,
                embedding=embedding,
                features=finest.flatten(2)[image, :, cell].float(),
            )
        )


def _stage(channels_in: int, channels_out: int, blocks: int) -> nn.Sequential:
    """Residual blocks, the first of which halves the resolution."""
    shortcut = nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 1, stride=2, bias=False), nn.BatchNorm2d(channels_out)
    )
    first = BasicBlock(channels_in, channels_out, stride=2, downsample=shortcut)
    return nn.Sequential(first, *(BasicBlock(channels_out, channels_out) for _ in range(blocks - 1)))

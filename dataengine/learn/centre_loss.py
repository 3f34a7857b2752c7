"""The targets and the loss of the centre-based detector."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import generalized_box_iou_loss

from dataengine.learn.batch import Batch

SIGMA_SHARE = 0.09
"""Spread of a centre's Gaussian as a share of the box's side (Liu 2020, TTFNet: 0.54 / 6)."""
MIN_SIGMA_CELLS = 0.55
"""Least spread in cells, so that the neighbours of a small box's centre are not plain negatives."""
MIN_WEIGHT = 0.2
"""Cells whose Gaussian is below this learn no box."""
BOX_WEIGHT = 2.0
"""Weight of the box term against the centre term."""


def centre_losses(
    logits: Tensor, sides: Tensor, batch: Batch, *, stride: int, class_weight: Tensor | None = None
) -> dict[str, Tensor]:
    """Loss terms of a batch.

    The centre term is the penalty-reduced focal loss of Law 2018 (CornerNet, eq. 1) per box. The box term
    is the GIoU loss averaged over the cells of each box first and over the boxes after, so that a truck
    of a hundred cells weighs as much as a pedestrian of two.

    Args:
        logits: ``[N, K, h, w]`` float32.
        sides: ``[N, 4, h, w]`` float32, pixels to the left, top, right and bottom side.
        batch: Images and labels; ``h`` and ``w`` are its image sides over ``stride``.
        stride: Pixels a side of one cell.
        class_weight: ``[K]`` weight of the centres of each class; all weigh 1 without it. Cells without an
            object, and sides, weigh the same whatever the class.

    Returns:
        ``centre_loss`` and ``box_loss``, scalars; ``box_loss`` is 0 for a batch without boxes.
    """
    labelled = ~batch.ignore
    xyxy, class_id, image = batch.xyxy[labelled], batch.class_id[labelled], batch.image[labelled]
    gaussian = gaussians(xyxy, logits.shape[2], logits.shape[3], stride)
    heat = _strongest(gaussian, image * logits.shape[1] + class_id, logits.shape[0] * logits.shape[1])
    seen = ~ignored_cells(batch, logits.shape[2], logits.shape[3], stride)
    centre = focal_loss(logits, heat.view_as(logits), seen[:, None], class_weight) / max(len(xyxy), 1)
    return {"centre_loss": centre, "box_loss": BOX_WEIGHT * _box_loss(sides, xyxy, image, gaussian, stride)}


def gaussians(xyxy: Tensor, height: int, width: int, stride: int) -> Tensor:
    """``[B, h, w]``: 1 at the cell that holds a box's centre, falling off with the box's size."""
    sizes = (xyxy[:, 2:] - xyxy[:, :2]) / stride
    sigma = (SIGMA_SHARE * sizes).clamp(min=MIN_SIGMA_CELLS)
    limit = torch.tensor([width - 1, height - 1], device=xyxy.device)
    centre = ((xyxy[:, :2] + xyxy[:, 2:]) / (2 * stride)).floor().clamp(min=0).minimum(limit)
    x = torch.arange(width, device=xyxy.device) - centre[:, :1]
    y = torch.arange(height, device=xyxy.device) - centre[:, 1:]
    across = torch.exp(-0.5 * (x / sigma[:, :1]) ** 2)
    down = torch.exp(-0.5 * (y / sigma[:, 1:]) ** 2)
    return down[:, :, None] * across[:, None, :]


def ignored_cells(batch: Batch, height: int, width: int, stride: int) -> Tensor:
    """``[N, h, w]`` bool: cells whose middle lies in an ignore region."""
    xyxy, image = batch.xyxy[batch.ignore], batch.image[batch.ignore]
    x = (torch.arange(width, device=xyxy.device) + 0.5) * stride
    y = (torch.arange(height, device=xyxy.device) + 0.5) * stride
    across = (x >= xyxy[:, :1]) & (x < xyxy[:, 2:3])
    down = (y >= xyxy[:, 1:2]) & (y < xyxy[:, 3:])
    inside = (down[:, :, None] & across[:, None, :]).float()
    return _strongest(inside, image, batch.num_images).view(batch.num_images, height, width) > 0


def focal_loss(logits: Tensor, heat: Tensor, seen: Tensor, class_weight: Tensor | None = None) -> Tensor:
    """Penalty-reduced focal loss with alpha 2 and beta 4, summed.

    Args:
        logits: ``[N, K, h, w]``.
        heat: ``[N, K, h, w]`` in 0..1; exactly 1 at centres.
        seen: ``[N, 1, h, w]`` bool; cells where it is false are no negatives. Centres always count.
        class_weight: ``[K]`` weight of the centres of each class.
    """
    probability = logits.sigmoid()
    log_hit = F.logsigmoid(logits)
    positive = -log_hit * (1 - probability) ** 2
    if class_weight is not None:
        positive = positive * class_weight[:, None, None]
    negative = (logits - log_hit) * probability**2 * (1 - heat) ** 4  # -log(1 - p) = logit - log p
    return torch.where(heat == 1, positive, negative * seen).sum()


def _box_loss(sides: Tensor, xyxy: Tensor, image: Tensor, gaussian: Tensor, stride: int) -> Tensor:
    """GIoU loss over the cells near each centre, weighted by the Gaussian, normalised per box."""
    if len(xyxy) == 0:
        return sides.sum() * 0
    strongest = _strongest(gaussian, image, len(sides))
    # A cell between two boxes learns the one whose centre is nearer in terms of its size.
    own = (gaussian >= MIN_WEIGHT) & (gaussian >= strongest[image])
    box, y, x = own.nonzero(as_tuple=True)
    predicted_sides = sides[image[box], :, y, x]
    centre = torch.stack([x, y], 1).add(0.5).mul(stride)
    predicted = torch.cat([centre - predicted_sides[:, :2], centre + predicted_sides[:, 2:]], 1)
    loss: Tensor = generalized_box_iou_loss(predicted, xyxy[box])
    weight = gaussian[box, y, x]
    per_box = torch.zeros(len(xyxy), device=weight.device).index_add(0, box, weight)
    return (loss * weight / per_box[box]).sum() / len(xyxy)


def _strongest(maps: Tensor, group: Tensor, num_groups: int) -> Tensor:
    """``[G, h, w]``: cell by cell the maximum of the ``[B, h, w]`` maps of each group, 0 without any."""
    strongest = maps.new_zeros(num_groups, *maps.shape[1:])
    return strongest.scatter_reduce(0, group[:, None, None].expand_as(maps), maps, "amax")

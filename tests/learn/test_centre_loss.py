from __future__ import annotations

import math

import pytest
import torch

from dataengine.learn.batch import Batch
from dataengine.learn.centre_loss import centre_losses, focal_loss, gaussians, ignored_cells

STRIDE = 4
PERFECT = 30.0


def batch_of(*boxes: tuple[float, ...], image: tuple[int, ...] | None = None, images: int = 1) -> Batch:
    """A batch of 32 x 64 images; each box is ``x1, y1, x2, y2, class, ignore``."""
    rows = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 6)
    return Batch(
        images=torch.zeros(images, 3, 32, 64, dtype=torch.uint8),
        xyxy=rows[:, :4],
        class_id=rows[:, 4].long(),
        ignore=rows[:, 5].bool(),
        image=torch.tensor(image or [0] * len(boxes), dtype=torch.int64),
    )


def perfect_maps(batch: Batch, num_classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits that are certain and sides that are exact, at the cell of each box's centre."""
    logits = torch.full((batch.num_images, num_classes, 8, 16), -PERFECT)
    y = torch.arange(8.0)[:, None].expand(8, 16) * STRIDE + 2
    x = torch.arange(16.0).expand(8, 16) * STRIDE + 2
    sides = torch.ones(batch.num_images, 4, 8, 16)
    for (x1, y1, x2, y2), k, image in zip(batch.xyxy, batch.class_id, batch.image, strict=True):
        logits[image, k, int((y1 + y2) / 8), int((x1 + x2) / 8)] = PERFECT
        sides[image] = torch.stack([x - x1, y - y1, x2 - x, y2 - y])
    return logits, sides


def test_a_perfect_answer_costs_nothing() -> None:
    batch = batch_of((8, 4, 28, 20, 1, 0))
    terms = centre_losses(*perfect_maps(batch, 2), batch, stride=STRIDE)
    assert terms["centre_loss"].item() == pytest.approx(0, abs=1e-6)
    assert terms["box_loss"].item() == pytest.approx(0, abs=1e-5)


def test_no_boxes_give_finite_terms_and_gradients() -> None:
    logits = torch.zeros(2, 3, 8, 16, requires_grad=True)
    sides = torch.ones(2, 4, 8, 16, requires_grad=True)
    terms = centre_losses(logits, sides, batch_of(images=2), stride=STRIDE)
    assert terms["box_loss"].item() == 0
    sum(terms.values()).backward()
    assert torch.isfinite(logits.grad).all()
    assert (logits.grad > 0).all()


def test_a_large_box_weighs_as_much_as_a_small_one() -> None:
    small, large = (2, 2, 10, 10, 0, 0), (0, 0, 62, 30, 0, 0)
    off = torch.ones(1, 4, 8, 16)
    alone = [
        centre_losses(torch.zeros(1, 1, 8, 16), off, batch_of(box), stride=4)["box_loss"]
        for box in (small, large)
    ]
    both = centre_losses(
        torch.zeros(2, 1, 8, 16),
        off.expand(2, -1, -1, -1),
        batch_of(small, large, image=(0, 1), images=2),
        stride=4,
    )["box_loss"]
    assert both.item() == pytest.approx((alone[0] + alone[1]).item() / 2, rel=1e-5)


def test_an_ignored_region_costs_nothing_and_hides_no_label() -> None:
    certain = torch.full((1, 1, 8, 16), PERFECT)
    sides = torch.ones(1, 4, 8, 16)
    everywhere = batch_of((0, 0, 64, 32, 0, 1))
    terms = centre_losses(certain, sides, everywhere, stride=4)
    assert (terms["centre_loss"].item(), terms["box_loss"].item()) == (0, 0)
    labelled = batch_of((0, 0, 64, 32, 0, 1), (8, 8, 24, 24, 0, 0))
    missed = centre_losses(-certain, sides, labelled, stride=4)
    assert missed["centre_loss"].item() == pytest.approx(PERFECT, rel=1e-4)


@pytest.mark.parametrize(
    ("box", "cell"),
    [
        ((0, 0, 8, 8), (1, 1)),
        ((9, 3, 14, 8), (1, 2)),  # centre (11.5, 5.5)
        ((60, 28, 64, 32), (7, 15)),  # the last cell
        ((62, 30, 66, 34), (7, 15)),  # centre on the far edge: clamped
    ],
)
def test_the_peak_is_at_the_centre(box: tuple[float, ...], cell: tuple[int, int]) -> None:
    heat = gaussians(torch.tensor([box]), 8, 16, 4)[0]
    assert divmod(int(heat.argmax()), 16) == cell
    assert heat.max() == 1
    assert (heat == 1).sum() == 1


def test_cells_of_ignored_regions() -> None:
    cells = ignored_cells(batch_of((4, 8, 12, 12, 0, 1), (0, 0, 64, 32, 0, 0)), 8, 16, 4)
    assert cells.nonzero().tolist() == [[0, 2, 1], [0, 2, 2]]


def test_focal_loss_by_hand() -> None:
    # p = 0.5 everywhere: a centre costs ln 2 / 4, a plain negative ln 2 / 4, one with heat 0.5 a 16th of it
    heat = torch.tensor([1.0, 0.0, 0.5]).view(1, 1, 1, 3)
    value = focal_loss(torch.zeros(1, 1, 1, 3), heat, torch.ones(1, 1, 1, 3, dtype=torch.bool))
    assert value.item() == pytest.approx(math.log(2) / 4 * (1 + 1 + 1 / 16), rel=1e-6)


def test_boxes_of_other_images_do_not_leak() -> None:
    batch = batch_of((8, 4, 28, 20, 0, 0), image=(1,), images=2)
    logits, sides = perfect_maps(batch, 1)
    assert centre_losses(logits, sides, batch, stride=4)["centre_loss"].item() == pytest.approx(0, abs=1e-6)
    swapped = centre_losses(logits.flip(0), sides.flip(0), batch, stride=4)
    assert swapped["centre_loss"].item() > PERFECT

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from dataengine.config import ModelConfig, TrainConfig
from dataengine.errors import ConfigError
from dataengine.files import sha256
from dataengine.frameboxes import FrameBoxes
from dataengine.learn import FitResult
from dataengine.learn.centre_loss import centre_losses
from dataengine.learn.class_weights import balanced
from dataengine.learn.torchvision_detectors import FACTORIES
from tests.learn.test_centre_loss import batch_of

Fit = Callable[..., FitResult]


def labels_of(*counts: int, ignored: int = 0) -> FrameBoxes:
    """One frame with so many boxes of each class, and ignore regions of class 0."""
    classes = [k for k, count in enumerate(counts) for _ in range(count)] + [0] * ignored
    ignore = [False] * sum(counts) + [True] * ignored
    return FrameBoxes.build(["c/0"], [len(classes)], [(0, 0, 9, 9)] * len(classes), classes, ignore=ignore)


def test_weights_by_hand() -> None:
    # effective numbers: (1 - 0.99^1) / 0.01 = 1 and (1 - 0.99^2) / 0.01 = 1.99; the mean of 1/E is 2.005 / 3
    raw = np.array([1, 1 / 1.99])
    np.testing.assert_allclose(balanced(labels_of(1, 2), 2), raw / ((1 + 2 / 1.99) / 3), rtol=1e-5)


@pytest.mark.parametrize("counts", [(401, 29, 145, 26, 9), (5, 5), (1000, 1), (7,)])
def test_rarer_classes_weigh_more_and_a_box_weighs_one_on_average(counts: tuple[int, ...]) -> None:
    weights = balanced(labels_of(*counts, ignored=50), len(counts))
    assert (weights * counts).sum() / sum(counts) == pytest.approx(1, rel=1e-5)
    order = np.argsort(counts, kind="stable")
    assert (np.diff(weights[order]) <= 0).all()
    assert (weights[np.argmax(counts)] < weights[np.argmin(counts)]) == (min(counts) < max(counts))


def test_classes_without_boxes_weigh_one() -> None:
    assert balanced(labels_of(0, 3), 3).tolist() == [1, 1, 1]
    assert balanced(labels_of(0, 0, ignored=2), 2).tolist() == [1, 1]


@pytest.mark.parametrize("class_id", [0, 1])
def test_only_the_centres_of_the_class_weigh_more(class_id: int) -> None:
    logits, sides = torch.zeros(1, 2, 8, 16), torch.ones(1, 4, 8, 16)
    batch = batch_of((8, 4, 28, 20, class_id, 0))
    weight = torch.tensor([1.0, 5.0])
    plain = centre_losses(logits, sides, batch, stride=4)
    weighed = centre_losses(logits, sides, batch, stride=4, class_weight=weight)
    # a centre at p = 0.5 costs ln 2 / 4 each time that it counts
    more = weighed["centre_loss"] - plain["centre_loss"]
    assert more.item() == pytest.approx((weight[class_id].item() - 1) * np.log(2) / 4, abs=1e-4)
    assert weighed["box_loss"] == plain["box_loss"]


def test_weights_of_one_change_no_bit() -> None:
    torch.manual_seed(0)
    logits, sides = torch.randn(1, 2, 8, 16), torch.rand(1, 4, 8, 16)
    batch = batch_of((8, 4, 28, 20, 1, 0), (30, 10, 50, 30, 0, 0), (0, 0, 9, 9, 0, 1))
    plain = centre_losses(logits, sides, batch, stride=4)
    assert centre_losses(logits, sides, batch, stride=4, class_weight=torch.ones(2)) == plain


BALANCED = TrainConfig(steps=3, batch_size=4, class_weight="balanced")


def test_a_fit_is_weighed_by_the_labels_it_is_given(tiny_fit: Fit, painted: Any, tmp_path: Any) -> None:
    _, labels = painted
    seen: list[torch.Tensor | None] = []
    import dataengine.learn.centre_fpn as module

    original = module.centre_losses

    def spy(*arguments: Any, class_weight: torch.Tensor | None, **more: Any) -> Any:
        seen.append(class_weight)
        return original(*arguments, class_weight=class_weight, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "centre_losses", spy)
        digests = [
            sha256(tiny_fit(folder=tmp_path / str(n), train=train).checkpoint)
            for n, train in enumerate((BALANCED, BALANCED, TrainConfig(steps=3, batch_size=4)))
        ]
    assert digests[0] == digests[1] != digests[2]
    assert seen[0] is not None
    assert seen[0].tolist() == balanced(labels, 2).tolist()
    assert seen[-1] is None


@pytest.mark.parametrize("name", FACTORIES)
def test_detectors_without_such_a_loss_say_so(tiny_fit: Fit, name: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"train\.class_weight=balanced has no effect on model\.name={name}"
    ):
        tiny_fit(model=ModelConfig(name=name), train=BALANCED)

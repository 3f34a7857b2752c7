from __future__ import annotations

from typing import Any

import pytest
import torch

from dataengine.errors import ModelError
from dataengine.learn import torchvision_detectors as module
from dataengine.learn.batch import Batch
from dataengine.learn.torchvision_detectors import FACTORIES, TorchvisionDetector, load_pretrained


class Published:
    """Stands in for torchvision's weights: a state dict without a download."""

    url = "https://download.pytorch.org/models/fake-12345678.pth"

    def __init__(self, state: dict[str, torch.Tensor]) -> None:
        self.state = state

    def get_state_dict(self, **settings: Any) -> dict[str, torch.Tensor]:
        assert settings["weights_only"] is True
        assert settings["check_hash"] is True
        return self.state


def with_weights(
    monkeypatch: pytest.MonkeyPatch, name: str, which: str, state: dict[str, torch.Tensor]
) -> None:
    from dataclasses import replace

    factory = replace(FACTORIES[name], **{which: Published(state)})
    monkeypatch.setitem(module.FACTORIES, name, factory)


@pytest.mark.parametrize("name", FACTORIES)
def test_imagenet_weights_fill_the_backbone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.models import mobilenet_v3_large, resnet50

    source = resnet50(weights=None) if name == "fcos" else mobilenet_v3_large(weights=None)
    state = source.state_dict()
    with_weights(monkeypatch, name, "imagenet", state)
    detector = TorchvisionDetector(name, 2)
    load_pretrained(detector, "imagenet")
    own = {tuple(value.flatten()[:50].tolist()) for value in detector.network.backbone.state_dict().values()}
    filters = [value for key, value in state.items() if value.ndim == 4]
    taken = [tuple(value.flatten()[:50].tolist()) in own for value in filters]
    # SSDLite halves the channels of the last blocks, which therefore stay random.
    assert all(taken[: 40 if name == "ssdlite" else None])


def test_coco_weights_fill_everything_but_the_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    factory = FACTORIES["fcos"]
    published = factory.make(weights=None, weights_backbone=None, num_classes=91)
    with_weights(monkeypatch, "fcos", "coco", published.state_dict())
    detector = TorchvisionDetector("fcos", 2)
    before = detector.network.head.classification_head.cls_logits.weight.clone()
    load_pretrained(detector, "coco")
    head = detector.network.head
    assert torch.equal(head.classification_head.cls_logits.weight, before)
    assert torch.equal(head.regression_head.bbox_reg.weight, published.head.regression_head.bbox_reg.weight)


def test_a_damaged_download_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Damaged(Published):
        def get_state_dict(self, **settings: Any) -> dict[str, torch.Tensor]:
            raise RuntimeError('invalid hash value (expected "12345678", got "0")')

    with_weights(monkeypatch, "ssdlite", "coco", {})
    from dataclasses import replace

    monkeypatch.setitem(module.FACTORIES, "ssdlite", replace(FACTORIES["ssdlite"], coco=Damaged({})))
    with pytest.raises(ModelError, match=r"invalid hash value.*model.weights=none"):
        load_pretrained(TorchvisionDetector("ssdlite", 2), "coco")


def test_ignored_pixels_are_grey_except_under_labels() -> None:
    batch = Batch(
        images=torch.full((2, 3, 32, 32), 255, dtype=torch.uint8),
        xyxy=torch.tensor([[4.0, 4, 20, 20], [10, 10, 14, 14]]),
        class_id=torch.tensor([0, 1]),
        ignore=torch.tensor([True, False]),
        image=torch.tensor([1, 1]),
    )
    images = module._without_ignored(batch)
    assert (images[0] == 1).all()
    assert (images[1, :, 10:14, 10:14] == 1).all()
    assert (images[1, :, 4:10, 4:20] == 114 / 255).all()
    assert (images[1, :, 20:] == 1).all()


def test_scores_of_other_classes_come_from_the_same_place() -> None:
    detector = TorchvisionDetector("ssdlite", 3)
    found = {
        "boxes": torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 11], [50, 50, 60, 60], [0, 0, 9, 10]]),
        "labels": torch.tensor([1, 2, 3, 1]),
        "scores": torch.tensor([0.6, 0.5, 0.4, 0.3]),
    }
    _, class_id, class_scores, image = detector._candidates(found, (64, 64), 7)
    assert class_id.tolist() == [0, 1, 2, 0]
    assert image.tolist() == [7] * 4
    expected = [[0.6, 0.5, 0], [0.6, 0.5, 0], [0, 0, 0.4], [0.3, 0.5, 0]]
    torch.testing.assert_close(class_scores, torch.tensor(expected))

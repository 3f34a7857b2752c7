"""Heads and plates by rule from a detector's boxes: checkpoints of the engine, and COCO's weights."""

from __future__ import annotations

import pickle
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dataengine.config import Anonymise, ComputeConfig, CurateConfig, Device, ModelConfig
from dataengine.errors import ModelError
from dataengine.executor import ordered_map
from dataengine.learn import checkpoint, models
from dataengine.learn import torchvision_detectors as zoo
from dataengine.privacy import Anonymiser, anonymiser, detected
from dataengine.schema import Taxonomy
from tests.learn.test_torchvision_detectors import Published

CPU = ComputeConfig(device=Device.cpu)
STREET = Taxonomy(classes=("pedestrian", "car", "tree"))


def write_detector(path: Path, taxonomy: Taxonomy = STREET, *, sees: int = 0, max_side: int = 0) -> Path:
    """A detector that sees class number ``sees`` in a box of 20x20 around any place, with a score of 0.95."""
    model = ModelConfig(width=16, max_side=max_side)
    detector: Any = models.initial(model, taxonomy, 0)
    with torch.no_grad():
        detector.head.weight.zero_()
        detector.head.bias[: len(taxonomy)] = -10
        detector.head.bias[sees] = 3
    checkpoint.write_model(path, detector.state_dict(), taxonomy, model)
    return path


def opened(weights: Path | str, score: float = 0.2) -> Anonymiser:
    config = CurateConfig(anonymise=Anonymise.boxes, anonymise_weights=str(weights), anonymise_score=score)
    found = anonymiser(config, CPU)
    assert found is not None
    return found


def street(height: int = 64, width: int = 96) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def digest_of(anonymise: Anonymiser) -> tuple[bytes, int]:
    """For a worker process: what it makes of the street."""
    blurred, regions = anonymise.blur(street())
    return blurred.tobytes(), regions.num_regions


def test_heads_are_blurred_where_the_detector_sees_people(tmp_path: Path):
    blur = opened(write_detector(tmp_path / "m.safetensors"))
    image = street()
    blurred, regions = blur.blur(image)
    assert regions.rule == "heads of pedestrian and plates of car by rule, score 0.2 and up"
    assert regions.num_regions > 3
    changed = (blurred != image).any(-1)
    assert regions.area_share > 0.2
    assert changed.mean() == pytest.approx(regions.area_share, abs=0.02)
    assert blurred.dtype == np.uint8


@pytest.mark.parametrize(
    ("sees", "score"),
    [
        (2, 0.2),  # a tree has neither head nor plate
        (1, 0.2),  # a car of 20 pixels has no readable plate
        (0, 0.99),  # not sure enough
    ],
)
def test_nothing_else_is_blurred(tmp_path: Path, sees: int, score: float):
    image = street()
    blurred, regions = opened(write_detector(tmp_path / "m.safetensors", sees=sees), score).blur(image)
    assert (regions.num_regions, regions.area_share) == (0, 0.0)
    assert (blurred == image).all()


def test_boxes_are_those_of_the_frame_where_the_detector_wants_smaller_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    given: list[np.ndarray] = []
    monkeypatch.setattr(detected, "blur", lambda rgb, xyxy: (given.append(xyxy) or rgb, len(xyxy), 0.0))
    whole, half = (write_detector(tmp_path / f"{side}.safetensors", max_side=side) for side in (0, 96))
    opened(whole).blur(street(128, 192))
    opened(half).blur(street(128, 192))
    width = [(boxes[:, 2] - boxes[:, 0]).max() for boxes in given]
    assert width == [pytest.approx(20), pytest.approx(40)]


def test_any_number_of_processes_gives_the_same_bytes(tmp_path: Path):
    blur = opened(write_detector(tmp_path / "m.safetensors"))
    assert pickle.loads(pickle.dumps(blur)) == blur
    assert len(pickle.dumps(blur)) < 1000
    alone = digest_of(blur)
    assert list(ordered_map(digest_of, [blur] * 3, workers=2)) == [alone] * 3


def test_the_fingerprint_tells_weights_and_score_apart(tmp_path: Path):
    first = write_detector(tmp_path / "a.safetensors")
    other = write_detector(tmp_path / "b.safetensors", sees=1)
    moved = tmp_path / "c.safetensors"
    moved.write_bytes(first.read_bytes())
    assert opened(first).settings() == opened(moved).settings()
    assert opened(first).settings() != opened(other).settings()
    assert opened(first).settings() != opened(first, 0.3).settings()


BAD = {
    "missing": (lambda path: None, "does not exist"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:99]), "is damaged"),
    "text": (lambda path: path.write_text("weights"), "is damaged"),
    "of trees": (lambda path: write_detector(path, Taxonomy(classes=("oak",))), "none of which is a person"),
    "unfinished": (lambda path: checkpoint.write(path, {"a": torch.zeros(1)}, {}), "no finished model"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_weights_are_one_line_before_any_work(tmp_path: Path, name: str):
    spoil, reason = BAD[name]
    path = tmp_path / "m.safetensors"
    if name == "cut":
        write_detector(path)
    spoil(path)
    with pytest.raises(ModelError, match=reason) as caught:
        opened(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_pickle_is_refused_unopened(tmp_path: Path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    with pytest.raises(ModelError, match="may be a pickle"):
        opened(path)


def test_coco_takes_the_published_detector_over_with_its_classes(monkeypatch: pytest.MonkeyPatch):
    factory = zoo.FACTORIES["faster_rcnn"]
    published = factory.make(weights=None, weights_backbone=None, num_classes=91)
    weights = Published(published.state_dict())
    weights.meta = factory.coco.meta  # type: ignore[attr-defined]
    monkeypatch.setitem(zoo.FACTORIES, "faster_rcnn", replace(factory, coco=weights))
    blur = opened("coco")
    assert "heads of person and plates of car, motorcycle, bus, truck by rule" in blur.rule  # type: ignore[attr-defined]
    own: Any = detected._coco()
    for name, value in published.state_dict().items():
        assert torch.equal(own.network.state_dict()[name], value), name
    detected._loaded.cache_clear()
    image = street()
    assert blur.blur(image)[0].shape == image.shape
    detected._loaded.cache_clear()


def test_coco_without_a_network_says_which_file_goes_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def no_network(*_args: object, **_kwargs: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(socket, "create_connection", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    with pytest.raises(ModelError) as caught:
        opened("coco")
    message = str(caught.value)
    assert message.startswith("curate.anonymise_weights=coco: cannot download https://download.pytorch.org/")
    assert "put that file at " + str(tmp_path / "hub" / "checkpoints" / "fasterrcnn") in message
    assert "\n" not in message

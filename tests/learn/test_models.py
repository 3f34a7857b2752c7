from __future__ import annotations

import socket
from pathlib import Path

import pytest
import torch

from dataengine.config import ModelConfig
from dataengine.errors import ConfigError, ModelError
from dataengine.learn import checkpoint, models
from dataengine.learn.torchvision_detectors import FACTORIES
from dataengine.schema import Taxonomy
from tests.learn.conftest import TINY
from tests.learn.painted import TAXONOMY


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(
        ConfigError, match=r"did you mean centre_fpn\? choose one of centre_fpn, ssdlite, fcos"
    ):
        models.build(ModelConfig(name="center_fpn"), TAXONOMY)
    with pytest.raises(ConfigError, match=r"model.name=yolo is unknown: choose one of"):
        models.build(ModelConfig(name="yolo"), TAXONOMY)


def test_the_seed_decides_the_weights_and_nothing_else() -> None:
    torch.manual_seed(1)
    expected_next = torch.rand(1)
    torch.manual_seed(1)
    first, second, third = (models.initial(TINY, TAXONOMY, seed).state_dict() for seed in (4, 4, 5))
    assert torch.equal(torch.rand(1), expected_next)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["head.weight"], third["head.weight"])


def test_centre_fpn_has_no_published_weights() -> None:
    with pytest.raises(ConfigError, match=r"model\.weights=none"):
        models.initial(ModelConfig(width=16, weights="coco"), TAXONOMY, 0)


@pytest.mark.parametrize("name", FACTORIES)
@pytest.mark.parametrize("weights", ["imagenet", "coco"])
def test_without_a_network_the_error_says_what_to_do(
    name: str, weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_args: object, **_kwargs: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(socket, "create_connection", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    with pytest.raises(ModelError) as caught:
        models.initial(ModelConfig(name=name, weights=weights), TAXONOMY, 0)
    message = str(caught.value)
    assert "\n" not in message
    for part in ("https://download.pytorch.org", str(tmp_path / "hub"), "TORCH_HOME", "model.weights=none"):
        assert part in message


def test_weights_of_an_earlier_fit_are_taken_over(tmp_path: Path) -> None:
    source = models.initial(TINY, TAXONOMY, 1)
    path = tmp_path / "m.safetensors"
    checkpoint.write_model(path, source.state_dict(), TAXONOMY, TINY)
    started = models.initial(ModelConfig(width=16, weights=str(path)), TAXONOMY, 2)
    assert torch.equal(started.state_dict()["head.weight"], source.state_dict()["head.weight"])


def test_weights_of_another_taxonomy_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    other = Taxonomy(classes=("cat", "dog"))
    checkpoint.write_model(path, models.build(TINY, other).state_dict(), other, TINY)
    with pytest.raises(ModelError, match="cat, dog; this workspace has red, blue"):
        models.trained(path, TINY, TAXONOMY)


def test_tensors_that_do_not_fit_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    state = models.build(TINY, TAXONOMY).state_dict()
    del state["head.bias"]
    checkpoint.write_model(path, state, TAXONOMY, TINY)
    with pytest.raises(ModelError, match="does not fit centre_fpn") as caught:
        models.trained(path, TINY, TAXONOMY)
    assert "\n" not in str(caught.value)

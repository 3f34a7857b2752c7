"""Embedders: the thumbnail, the newest detector, published and users' weights, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file

from dataengine import learn
from dataengine.config import ComputeConfig, CurateConfig, DatasetConfig, Device, ModelConfig
from dataengine.curate import curate
from dataengine.curate.embedder import decode, thumbnail
from dataengine.curate.embedders import choose, newest_detector
from dataengine.curate.embedding import Vectors
from dataengine.errors import ConfigError, InputError, ModelError
from dataengine.learn import checkpoint, models
from dataengine.workspace import Workspace
from tests.curate.pictures import painted, store, workspace_of

COMPUTE = ComputeConfig(device=Device.cpu, threads=1, bf16=False)
MODEL = ModelConfig(width=16)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    drives = {drive: [painted(10 * place + n) for n in range(2)] for place, drive in enumerate("abc")}
    return workspace_of(tmp_path / "ws", drives, {"a": "pool", "b": "pool", "c": "test"})


def trained(workspace: Workspace, run: str, seed: int) -> Path:
    """A run's checkpoint: a detector as it is before training."""
    workspace.run(run).create({"arm": "random", "seed": seed})
    path = workspace.run(run).cycle(0) / "model.safetensors"
    detector = models.initial(MODEL, workspace.taxonomy, seed)
    checkpoint.write_model(path, detector.state_dict(), workspace.taxonomy, MODEL)
    return path


def distances(paths: list[Path]) -> np.ndarray:
    unit = Vectors(thumbnail().embed(paths)).unit(np.arange(len(paths)))
    return 1 - unit @ unit.T


def test_a_thumbnail_hardly_moves_with_size_and_compression(tmp_path: Path):
    image = painted(1, 640, 384)
    paths = [
        store(tmp_path / "a.png", image),
        store(tmp_path / "b.jpg", image, 50),
        store(tmp_path / "c.jpg", cv2.resize(image, (160, 96), interpolation=cv2.INTER_AREA)),
        store(tmp_path / "d.jpg", cv2.convertScaleAbs(image, alpha=1, beta=10)),
        store(tmp_path / "e.jpg", painted(2, 640, 384)),
    ]
    near = distances(paths)[0]
    assert near[1:4].max() < 0.02
    assert near[4] > 0.1


@pytest.mark.parametrize(
    ("size", "expected"), [((1920, 1080), 240), ((640, 384), 80), ((100, 60), 100), ((80, 9), 80)]
)
def test_large_jpegs_are_decoded_small(tmp_path: Path, size, expected):
    path = store(tmp_path / "a.jpg", painted(1, *size))
    assert decode(path, 32).shape[1] == expected


def test_what_is_no_image_is_one_line(tmp_path: Path):
    path = tmp_path / "a.jpg"
    for content in (b"", b"text", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\x00\x00\xff\xe0\x00\x00"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"a\.jpg: not a readable image any more"):
            decode(path, 32)


def test_before_there_is_a_detector_the_thumbnail_stands_in(workspace: Workspace):
    chosen = choose(workspace, "detector", COMPUTE)
    assert chosen is not None
    assert chosen.name == "thumbnail"
    assert choose(workspace, "none", COMPUTE) is None


def test_the_newest_detector_embeds(workspace: Workspace):
    older, newer = trained(workspace, "random-s0-aaa", 0), trained(workspace, "random-s1-bbb", 1)
    os.utime(older, ns=(1, 1))
    assert newest_detector(workspace) == newer
    chosen = choose(workspace, "detector", COMPUTE)
    assert chosen is not None
    assert chosen.name == "detector random-s1-bbb/cycles/0/model.safetensors"
    images = workspace.image_paths(workspace.lake.read("frames"))
    found = chosen.embed(images)
    ids = [str(number) for number in range(len(images))]
    expected = learn.predict(
        images, ids, checkpoint=newer, taxonomy=workspace.taxonomy, model=MODEL, compute=COMPUTE
    )
    np.testing.assert_array_equal(found, expected.embeddings)


def test_a_loop_goes_on_with_what_it_began_with_until_asked(workspace: Workspace):
    settings = CurateConfig(duplicate_distance=0.001)
    assert curate(workspace, settings, DatasetConfig(), compute=COMPUTE).embedder == "thumbnail"
    trained(workspace, "random-s0-aaa", 0)
    assert curate(workspace, settings, DatasetConfig(), compute=COMPUTE).embedder == "thumbnail"
    again = curate(workspace, settings, DatasetConfig(), compute=COMPUTE, refresh=True)
    assert again.embedder.startswith("detector random-s0-aaa")
    assert len(list((workspace.root / "embeddings").glob("*/part-*.parquet"))) == 2


def test_an_unknown_embedder_is_told_with_the_nearest(workspace: Workspace):
    with pytest.raises(ConfigError, match=r"curate\.embed=resnet5 is unknown: did you mean resnet50"):
        choose(workspace, "resnet5", COMPUTE)
    with pytest.raises(ConfigError, match=r"curate\.embed=dino wants the weights"):
        choose(workspace, "dino", COMPUTE)


def test_published_weights_are_read_from_the_cache(workspace: Workspace, tmp_path: Path, monkeypatch):
    weights = torchvision.models.get_model_weights("resnet18").DEFAULT
    state = torchvision.models.resnet18(num_classes=1000).state_dict()
    asked = []
    monkeypatch.setattr(
        type(weights), "get_state_dict", lambda self, **settings: asked.append(settings) or state
    )
    chosen = choose(workspace, "resnet18", COMPUTE)
    assert chosen is not None
    assert asked[0]["weights_only"] is True
    images = workspace.image_paths(workspace.lake.read("frames"))
    found = chosen.embed(images[:3])
    assert found.shape == (3, 512)
    network = torchvision.models.resnet18()
    network.load_state_dict(state)
    network.fc = torch.nn.Identity()
    pixels = np.stack(
        [cv2.resize(decode(path, 224), (224, 224), interpolation=cv2.INTER_AREA) for path in images[:3]]
    )
    rgb = torch.from_numpy(pixels[..., ::-1].copy()).permute(0, 3, 1, 2).float() / 255
    standard = torchvision.transforms.functional.normalize(rgb, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    with torch.inference_mode():
        np.testing.assert_allclose(found, network.eval()(standard).numpy(), rtol=1e-3, atol=1e-4)


def test_weights_that_cannot_be_downloaded_are_one_line(workspace: Workspace, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "empty"))
    weights = torchvision.models.get_model_weights("resnet18").DEFAULT

    def offline(self: object, **settings: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(type(weights), "get_state_dict", offline)
    with pytest.raises(
        ModelError, match=r"curate.embed=resnet18: cannot download https://.*curate.embed=thumbnail"
    ) as told:
        choose(workspace, "resnet18", COMPUTE)
    assert "\n" not in str(told.value)


def dino_tensors(
    rng: torch.Generator, width: int = 64, depth: int = 2, patch: int = 16
) -> dict[str, torch.Tensor]:
    """A tiny DINO under its authors' names."""

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=rng) * 0.2

    tensors = {
        "cls_token": draw(1, 1, width),
        "pos_embed": draw(1, 1 + (224 // patch) ** 2, width),
        "patch_embed.proj.weight": draw(width, 3, patch, patch),
        "patch_embed.proj.bias": draw(width),
        "norm.weight": draw(width),
        "norm.bias": draw(width),
        "head.weight": draw(10, width),
    }
    for block in range(depth):
        for name, rows, columns in (
            ("attn.qkv", 3 * width, width),
            ("attn.proj", width, width),
            ("mlp.fc1", 4 * width, width),
            ("mlp.fc2", width, 4 * width),
        ):
            tensors[f"blocks.{block}.{name}.weight"] = draw(rows, columns)
            tensors[f"blocks.{block}.{name}.bias"] = draw(rows)
        for name in ("norm1", "norm2"):
            tensors[f"blocks.{block}.{name}.weight"] = draw(width)
            tensors[f"blocks.{block}.{name}.bias"] = draw(width)
    return tensors


def test_dino_weights_embed_images(workspace: Workspace, tmp_path: Path):
    path = tmp_path / "dino.safetensors"
    save_file(dino_tensors(torch.Generator().manual_seed(0)), path)
    chosen = choose(workspace, f"dino {path}", COMPUTE)
    assert chosen is not None
    found = chosen.embed(workspace.image_paths(workspace.lake.read("frames")))
    assert found.shape == (6, 64)
    assert np.isfinite(found).all()
    assert np.ptp(found, axis=0).max() > 0


REFUSED = [
    ("weights.pth", b"", "may be a pickle or TorchScript"),
    ("weights.pt", b"", "may be a pickle or TorchScript"),
    ("weights.safetensors", b"damaged", "is no readable safetensors file"),
    ("absent.safetensors", None, "does not exist"),
]


@pytest.mark.parametrize("kind", ["dino", "clip"])
@pytest.mark.parametrize(("name", "content", "message"), REFUSED)
def test_weights_that_cannot_be_trusted_or_read_are_one_line(
    workspace: Workspace, tmp_path: Path, kind, name, content, message
):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as told:
        choose(workspace, f"{kind} {path}", COMPUTE)
    assert "\n" not in str(told.value)


def test_weights_of_another_architecture_are_told(workspace: Workspace, tmp_path: Path):
    path = tmp_path / "other.safetensors"
    save_file({"conv1.weight": torch.zeros(8, 3, 7, 7)}, path)
    with pytest.raises(ModelError, match=r"is no vision transformer under timm's or the authors' names"):
        choose(workspace, f"dino {path}", COMPUTE)
    tensors = dino_tensors(torch.Generator().manual_seed(0))
    del tensors["blocks.1.mlp.fc2.weight"]
    save_file(tensors, path)
    with pytest.raises(ModelError, match="its tensors are not those of one dino transformer"):
        choose(workspace, f"dino {path}", COMPUTE)

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dataengine.config import ComputeConfig, Device, ModelConfig, TrainConfig
from dataengine.errors import ConfigError, InputError, TrainingDivergedError
from dataengine.files import sha256
from dataengine.frameboxes import FrameBoxes
from dataengine.learn import FitResult
from dataengine.learn.centre_fpn import CentreFPN
from dataengine.learn.torchvision_detectors import FACTORIES
from dataengine.streams import Streams
from dataengine.workspace import read_jsonl
from tests.learn.conftest import CPU
from tests.learn.painted import paint

Fit = Callable[..., FitResult]


def test_a_fit_leaves_a_model_and_its_curve(tiny_fit: Fit, tmp_path: Path) -> None:
    result = tiny_fit()
    names = {"model.safetensors", "snapshot.safetensors", "losses.jsonl"}
    assert {path.name for path in (tmp_path / "fit").iterdir()} == names
    rows = read_jsonl(tmp_path / "fit" / "losses.jsonl")
    assert [row["step"] for row in rows] == list(range(6))
    assert rows[0].keys() == {
        "step", "loss", "centre_loss", "box_loss", "learning_rate", "gradient_norm", "images_per_s",
    }  # fmt: skip
    assert result.steps == 6
    assert result.images_per_s > 0
    assert result.losses["loss"] == pytest.approx(np.mean([row["loss"] for row in rows]))
    assert result.losses["loss"] == pytest.approx(
        result.losses["centre_loss"] + result.losses["box_loss"], rel=1e-5
    )


def test_the_same_settings_give_the_same_bytes(tiny_fit: Fit, tmp_path: Path) -> None:
    digests = [sha256(tiny_fit(folder=tmp_path / name).checkpoint) for name in "ab"]
    other = sha256(tiny_fit(folder=tmp_path / "c", streams=Streams(1)).checkpoint)
    assert digests[0] == digests[1] != other


def test_training_learns(tiny_fit: Fit, tmp_path: Path) -> None:
    tiny_fit(train=TrainConfig(steps=60, batch_size=8))
    losses = [row["loss"] for row in read_jsonl(tmp_path / "fit" / "losses.jsonl")]
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:10])


@pytest.mark.parametrize("ignored", [False, True])
def test_labels_without_a_single_box_train(tiny_fit: Fit, painted: Any, ignored: bool) -> None:
    images, labels = painted
    empty = (
        replace(labels, ignore=np.ones(labels.num_boxes, bool))
        if ignored
        else FrameBoxes.build(labels.frame_ids, [0] * labels.num_frames, [], [])
    )
    result = tiny_fit(images=images, labels=empty)
    assert np.isfinite(list(result.losses.values())).all()
    assert result.losses["box_loss"] == 0


def test_one_frame_is_enough_for_any_batch(tiny_fit: Fit, painted: Any) -> None:
    images, labels = painted
    tiny_fit(images=images[:1], labels=labels.take([0]), train=TrainConfig(steps=2, batch_size=3))


@pytest.mark.parametrize("name", FACTORIES)
def test_torchvision_detectors_train_with_and_without_boxes(
    tiny_fit: Fit, painted: Any, tmp_path: Path, name: str
) -> None:
    images, labels = painted
    empty = FrameBoxes.build(labels.frame_ids, [0] * labels.num_frames, [], [])
    for number, boxes in enumerate((labels, empty)):
        result = tiny_fit(
            images=images,
            labels=boxes,
            model=ModelConfig(name=name),
            train=TrainConfig(steps=2, batch_size=2),
            folder=tmp_path / str(number),
        )
        assert np.isfinite(list(result.losses.values())).all()
        assert all(term.endswith("loss") for term in result.losses)


def test_frames_of_many_sizes(tiny_fit: Fit, tmp_path: Path) -> None:
    small, few = paint(tmp_path / "s", 4, width=70, height=50)
    large, many = paint(tmp_path / "l", 4, width=130, height=90)
    ids = [f"c/{i}" for i in range(8)]
    labels = FrameBoxes.build(
        ids,
        np.concatenate([few.counts, many.counts]),
        np.concatenate([few.xyxy, many.xyxy]),
        np.concatenate([few.class_id, many.class_id]),
    )
    result = tiny_fit(images=small + large, labels=labels, model=ModelConfig(width=16, max_side=100))
    assert np.isfinite(result.losses["loss"])


@pytest.mark.parametrize("part", ["loss", "gradient"])
def test_a_loss_that_is_not_finite_shows_its_terms(
    tiny_fit: Fit, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    original = CentreFPN.losses

    def broken(self: CentreFPN, batch: Any) -> dict[str, torch.Tensor]:
        terms = original(self, batch)
        # the square root has an infinite slope at 0: a finite loss with a gradient that is not
        poison = torch.tensor(float("nan")) if part == "loss" else (terms["box_loss"] * 0).sqrt()
        return terms | {"box_loss": terms["box_loss"] + poison}

    monkeypatch.setattr(CentreFPN, "losses", broken)
    with pytest.raises(TrainingDivergedError, match=r"at step 0: loss=.*centre_loss=.*box_loss=") as caught:
        tiny_fit()
    assert caught.value.step == 0
    assert np.isfinite(caught.value.terms["centre_loss"])


def test_an_unreadable_image_is_named(tiny_fit: Fit, painted: Any, tmp_path: Path) -> None:
    images, labels = painted
    broken = tmp_path / "cut.png"
    broken.write_bytes(images[0].read_bytes()[:50])
    with pytest.raises(InputError, match=r"cut\.png"):
        tiny_fit(images=[broken, *images[1:]], labels=labels)


def test_a_missing_device_is_the_users_mistake(tiny_fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"compute\.device=cuda"):
        tiny_fit(compute=ComputeConfig(device=Device.cuda))


def test_tensorboard_that_is_not_installed(tiny_fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ConfigError, match=r"pip install 'dataengine\[tensorboard\]'"):
        tiny_fit(train=TrainConfig(steps=2, batch_size=2, tensorboard=True))


def test_the_callers_random_stream_and_threads_are_left_alone(tiny_fit: Fit) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)[1]
    torch.manual_seed(3)
    torch.rand(1)
    before = torch.get_num_threads()
    tiny_fit()
    assert torch.equal(torch.rand(1)[0], expected)
    assert torch.get_num_threads() == before


def test_golden_loss_curve(tiny_fit: Fit, tmp_path: Path) -> None:
    """A refactoring changes no number; a change of the recipe rewrites the file on purpose."""
    tiny_fit(compute=replace(CPU, bf16=False))
    curve = [row["loss"] for row in read_jsonl(tmp_path / "fit" / "losses.jsonl")]
    golden = Path(__file__).parent / "golden_losses.json"
    assert curve == pytest.approx(json.loads(golden.read_text(encoding="utf-8")), rel=2e-3)

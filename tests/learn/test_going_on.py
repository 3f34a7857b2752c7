"""Fits that start from earlier weights, and fits that learn from frames nobody labelled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dataengine.config import ModelConfig, TrainConfig
from dataengine.errors import InputError, ModelError
from dataengine.files import sha256
from dataengine.frameboxes import FrameBoxes
from dataengine.learn import FitResult, checkpoint, fitting, models
from dataengine.learn.frames import LabelledFrames
from dataengine.learn.pseudo import PseudoFrames
from dataengine.schema import Taxonomy
from dataengine.streams import Streams
from dataengine.workspace import read_jsonl
from tests.learn.conftest import CPU, TINY
from tests.learn.painted import TAXONOMY, paint
from tests.learn.test_resuming import curve, interrupt, taken

__all__ = ["interrupt", "taken"]  # fixtures

Fit = Callable[..., FitResult]
TRAIN = TrainConfig(steps=4, batch_size=4, checkpoint_every=2)
FINETUNE = replace(TRAIN, start="finetune")


@pytest.fixture
def earlier(tiny_fit: Fit, tmp_path: Path) -> Path:
    """The weights of a fit of 40 steps."""
    train = TrainConfig(steps=40, batch_size=8)
    return tiny_fit(folder=tmp_path / "earlier", train=train).checkpoint


@pytest.fixture
def more(tmp_path: Path) -> PseudoFrames:
    images, labels = paint(tmp_path / "more", 8, seed=9)
    ids = np.array([f"more/{i}" for i in range(8)], object)
    return PseudoFrames(images=images, labels=replace(labels, frame_ids=ids))


def losses(folder: Path) -> list[float]:
    return [row["loss"] for row in read_jsonl(folder / "losses.jsonl")]


def test_finetuning_goes_on_where_the_earlier_fit_stopped(
    tiny_fit: Fit, earlier: Path, tmp_path: Path
) -> None:
    tiny_fit(folder=tmp_path / "tuned", train=FINETUNE, previous=earlier)
    tiny_fit(folder=tmp_path / "fresh", train=FINETUNE)  # nothing to go on from: the first cycle
    assert losses(tmp_path / "tuned")[0] < 0.8 * losses(tmp_path / "fresh")[0]


def test_retraining_does_not_look_at_the_earlier_weights(
    tiny_fit: Fit, earlier: Path, tmp_path: Path
) -> None:
    with_them = tiny_fit(folder=tmp_path / "with", train=TRAIN, previous=earlier)
    without = tiny_fit(folder=tmp_path / "without", train=TRAIN)
    missing = tiny_fit(folder=tmp_path / "missing", train=TRAIN, previous=tmp_path / "missing.safetensors")
    assert sha256(with_them.checkpoint) == sha256(without.checkpoint) == sha256(missing.checkpoint)


def test_shrinking_is_a_mean_of_old_and_fresh_weights(earlier: Path) -> None:
    old = models.trained(earlier, TINY, TAXONOMY)
    fresh = models.initial(TINY, TAXONOMY, 5)
    mixed = models.continued(earlier, TINY, TAXONOMY, 5, 0.75)
    for name, parameter in mixed.named_parameters():
        expected = 0.75 * old.get_parameter(name) + 0.25 * fresh.get_parameter(name)
        torch.testing.assert_close(parameter, expected)
    for name, buffer in mixed.named_buffers():
        torch.testing.assert_close(buffer, old.get_buffer(name))  # running means, which no step trains
    whole = models.continued(earlier, TINY, TAXONOMY, 5, 1.0)
    torch.testing.assert_close(dict(whole.state_dict()), dict(old.state_dict()), rtol=0, atol=0)


def test_weights_of_other_classes_are_refused(tiny_fit: Fit, earlier: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="knows the classes red, blue"):
        tiny_fit(taxonomy=Taxonomy(classes=("a", "b", "c")), train=FINETUNE, previous=earlier)
    with pytest.raises(ModelError, match=r"model\.width=16, not 24"):
        tiny_fit(model=ModelConfig(width=24), train=FINETUNE, previous=earlier)


EVERYTHING = TrainConfig(
    steps=6, batch_size=4, checkpoint_every=2, start="finetune", shrink=0.7, copy_paste=0.7,
    class_weight="balanced",
)  # fmt: skip


@pytest.mark.parametrize("stop", range(1, 6))
def test_stopped_at_any_step_it_ends_in_the_same_bytes(
    tiny_fit: Fit, interrupt: Any, earlier: Path, more: PseudoFrames, tmp_path: Path, stop: int
) -> None:
    given: dict[str, Any] = {"train": EVERYTHING, "previous": earlier, "pseudo": more}
    whole = tiny_fit(folder=tmp_path / "whole", **given)
    interrupt(stop, folder=tmp_path / "cut", **given)
    resumed = tiny_fit(folder=tmp_path / "cut", **given)
    assert sha256(resumed.checkpoint) == sha256(whole.checkpoint)
    assert sha256(resumed.snapshot) == sha256(whole.snapshot)
    assert curve(tmp_path / "cut") == curve(tmp_path / "whole")


def other_weights(path: Path) -> Path:
    """The same network with one bias moved."""
    tensors, _ = checkpoint.read(path)
    tensors["head.bias"] = tensors["head.bias"] + 0.1
    other = path.with_name("other.safetensors")
    checkpoint.write_model(other, tensors, TAXONOMY, TINY)
    return other


@pytest.mark.parametrize(
    "change", ["previous", "pseudo", "no pseudo", "shrink", "copy_paste", "pseudo_share"]
)
def test_an_interrupted_fit_goes_on_only_with_the_same_inputs(
    tiny_fit: Fit, interrupt: Any, taken: list[int], earlier: Path, more: PseudoFrames, change: str
) -> None:
    given: dict[str, Any] = {"train": EVERYTHING, "previous": earlier, "pseudo": more}
    interrupt(5, **given)
    if change == "previous":
        given["previous"] = other_weights(earlier)
    elif change == "pseudo":
        moved = replace(more.labels, xyxy=more.labels.xyxy + np.float32(0.5))
        given["pseudo"] = replace(more, labels=moved)
    elif change == "no pseudo":
        given["pseudo"] = None
    else:
        given["train"] = replace(EVERYTHING, **{change: 0.3})
    taken.clear()
    tiny_fit(**given)
    assert taken == list(range(6))


def test_batches_hold_the_set_share_of_pseudo_labelled_frames(painted: Any, more: PseudoFrames) -> None:
    images, labels = painted
    frames = LabelledFrames(images, labels, num_classes=2, max_side=0, pseudo=more)
    asked: list[list[int]] = []
    frames.batch = lambda chosen, *_: asked.append(chosen.tolist())  # type: ignore[method-assign,assignment,return-value]
    train = replace(TRAIN, pseudo_share=0.25, batch_size=8)
    list(fitting.load(frames, train, Streams(0), range(5), CPU))
    assert len(asked) == 5
    for chosen in asked:
        assert sum(number >= 24 for number in chosen) == 2
        assert max(chosen) < 32
        assert len(chosen) == 8


def test_pseudo_labelled_frames_are_shown_with_their_own_labels(painted: Any, more: PseudoFrames) -> None:
    images, labels = painted
    frames = LabelledFrames(images, labels, num_classes=2, max_side=0, pseudo=more)
    plain = TrainConfig(flip=0, scale=0, translate=0, colour=0)
    chosen = np.array([0, 24, 27])
    batch = frames.batch(chosen, plain, np.random.default_rng(0))
    alone = LabelledFrames(more.images, more.labels, num_classes=2, max_side=0)
    expected = alone.batch(np.array([0, 3]), plain, np.random.default_rng(0))
    assert (batch.images[1:] == expected.images).all()
    assert batch.xyxy[batch.image > 0].tolist() == expected.xyxy.tolist()
    assert (batch.image[batch.image > 0] - 1).tolist() == expected.image.tolist()


@pytest.mark.parametrize("share", [0.5, 0.0])
def test_no_pseudo_labelled_frame_is_like_none_at_all(tiny_fit: Fit, tmp_path: Path, share: float) -> None:
    train = replace(TRAIN, pseudo_share=share)
    empty = PseudoFrames(images=[], labels=FrameBoxes.build([], [], [], []))
    with_none = tiny_fit(folder=tmp_path / "a", train=train, pseudo=empty)
    assert sha256(with_none.checkpoint) == sha256(tiny_fit(folder=tmp_path / "b", train=train).checkpoint)


def test_pseudo_labels_change_what_is_learned(tiny_fit: Fit, tmp_path: Path, more: PseudoFrames) -> None:
    with_them = tiny_fit(folder=tmp_path / "a", train=TRAIN, pseudo=more)
    assert sha256(with_them.checkpoint) != sha256(tiny_fit(folder=tmp_path / "b", train=TRAIN).checkpoint)


def test_pseudo_labels_are_checked_as_labels_are(tiny_fit: Fit, more: PseudoFrames) -> None:
    broken = replace(more.labels, class_id=more.labels.class_id + 5)
    with pytest.raises(InputError, match="is no box of one of 2 classes"):
        tiny_fit(train=TRAIN, pseudo=replace(more, labels=broken))

"""A fit that is stopped at any instant and started again ends in the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataengine.config import ModelConfig, TrainConfig
from dataengine.files import sha256
from dataengine.learn import FitResult, fit
from dataengine.learn.training import Trainer
from dataengine.streams import Streams
from dataengine.workspace import read_jsonl
from tests.learn.conftest import CPU, TINY
from tests.learn.painted import TAXONOMY, paint

Fit = Callable[..., FitResult]
Interrupt = Callable[..., None]
SLOW = TrainConfig(steps=40, batch_size=2, checkpoint_every=3, copy_paste=0.5, class_weight="balanced")


def curve(folder: Path) -> list[dict[str, Any]]:
    rows = read_jsonl(folder / "losses.jsonl")
    return [{name: value for name, value in row.items() if name != "images_per_s"} for row in rows]


@pytest.fixture
def interrupt(tiny_fit: Fit, monkeypatch: pytest.MonkeyPatch) -> Interrupt:
    """Run ``tiny_fit`` until Ctrl-C comes at the start of a step."""
    original = Trainer.run_step

    def run(step: int, **settings: Any) -> None:
        def run_step(self: Trainer, batch: Any) -> dict[str, float]:
            if self.step == step:
                raise KeyboardInterrupt
            return original(self, batch)

        with monkeypatch.context() as patched:
            patched.setattr(Trainer, "run_step", run_step)
            with pytest.raises(KeyboardInterrupt):
                tiny_fit(**settings)

    return run


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps that were taken."""
    steps: list[int] = []
    original = Trainer.run_step

    def run_step(self: Trainer, batch: Any) -> dict[str, float]:
        steps.append(self.step)
        return original(self, batch)

    monkeypatch.setattr(Trainer, "run_step", run_step)
    return steps


@pytest.mark.parametrize("name", ["centre_fpn", "faster_rcnn"])
def test_interrupted_fits_end_in_the_same_bytes(
    tiny_fit: Fit, interrupt: Interrupt, tmp_path: Path, name: str
) -> None:
    settings: dict[str, Any] = {"model": ModelConfig(name=name, width=16)}
    settings["train"] = TrainConfig(steps=4, batch_size=2, checkpoint_every=2)
    whole = tiny_fit(folder=tmp_path / "whole", **settings)
    for stop in (1, 2, 3):  # before the first checkpoint, right after it, and a step later
        interrupt(stop, folder=tmp_path / "cut", **settings)
    resumed = tiny_fit(folder=tmp_path / "cut", **settings)
    assert sha256(resumed.checkpoint) == sha256(whole.checkpoint)
    assert sha256(resumed.snapshot) == sha256(whole.snapshot) != sha256(whole.checkpoint)
    assert curve(tmp_path / "cut") == curve(tmp_path / "whole")
    assert resumed.losses == whole.losses
    assert not (tmp_path / "cut" / "training.safetensors").exists()


def test_a_resumed_fit_takes_only_the_steps_that_are_left(
    tiny_fit: Fit, interrupt: Interrupt, taken: list[int]
) -> None:
    interrupt(5)
    taken.clear()
    tiny_fit()
    assert taken == [4, 5]


@pytest.mark.parametrize("stops", [(3,), (4,), (6,), (3, 8)])
def test_the_snapshot_is_of_its_moment_wherever_a_fit_was_stopped(
    tiny_fit: Fit, interrupt: Interrupt, tmp_path: Path, stops: tuple[int, ...]
) -> None:
    """Nine steps: the snapshot is of the seventh, between two checkpoints."""
    train = TrainConfig(steps=9, batch_size=2, checkpoint_every=2)
    whole = tiny_fit(folder=tmp_path / "whole", train=train)
    for stop in stops:
        interrupt(stop, train=train)
    assert sha256(tiny_fit(train=train).snapshot) == sha256(whole.snapshot)


def test_a_fit_of_one_step_has_a_snapshot(tiny_fit: Fit) -> None:
    found = tiny_fit(train=TrainConfig(steps=1, batch_size=2))
    assert sha256(found.snapshot) == sha256(found.checkpoint)


@pytest.mark.parametrize(
    "changes",
    [{"streams": Streams(1)}, {"train": TrainConfig(steps=6, batch_size=4, checkpoint_every=2, flip=0.1)}],
)
def test_the_checkpoint_of_another_fit_is_not_continued(
    tiny_fit: Fit, interrupt: Interrupt, tmp_path: Path, changes: dict[str, Any]
) -> None:
    interrupt(5)
    clean = tiny_fit(folder=tmp_path / "clean", **changes)
    assert sha256(tiny_fit(**changes).checkpoint) == sha256(clean.checkpoint)


def test_a_damaged_checkpoint_starts_afresh(tiny_fit: Fit, interrupt: Interrupt, tmp_path: Path) -> None:
    interrupt(5)
    state = tmp_path / "fit" / "training.safetensors"
    state.write_bytes(state.read_bytes()[:1000])
    assert sha256(tiny_fit().checkpoint) == sha256(tiny_fit(folder=tmp_path / "clean").checkpoint)


def run_fit(folder: str) -> None:
    """What the killed process runs."""
    images, labels = paint(Path(folder) / "images", 12)
    fit(
        images,
        labels,
        taxonomy=TAXONOMY,
        model=TINY,
        train=SLOW,
        compute=CPU,
        streams=Streams(0),
        folder=Path(folder) / "fit",
    )


def run_in_process(folder: Path) -> subprocess.Popen[bytes]:
    code = f"from tests.learn.test_resuming import run_fit; run_fit({str(folder)!r})"
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}
    )


def test_killed_processes_end_in_the_same_bytes(tmp_path: Path) -> None:
    assert run_in_process(tmp_path / "whole").wait() == 0
    whole = curve(tmp_path / "whole" / "fit")
    assert len(whole) == SLOW.steps
    for rows in (4, 31):  # kill -9 as soon as the curve has this many rows
        process = run_in_process(tmp_path / "cut")
        while len(read_jsonl(tmp_path / "cut" / "fit" / "losses.jsonl")) < rows and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert run_in_process(tmp_path / "cut").wait() == 0
    assert curve(tmp_path / "cut" / "fit") == whole
    models = [tmp_path / name / "fit" / "model.safetensors" for name in ("whole", "cut")]
    assert sha256(models[0]) == sha256(models[1])


def test_settings_that_change_nothing_learned_keep_the_checkpoint(
    tiny_fit: Fit, interrupt: Interrupt, taken: list[int]
) -> None:
    train = TrainConfig(steps=6, batch_size=4, checkpoint_every=2)
    interrupt(5, train=train)
    taken.clear()
    tiny_fit(train=replace(train, checkpoint_every=50))
    assert taken == [4, 5]

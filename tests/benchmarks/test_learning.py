"""Learning and predicting from files against the bare network on tensors already in memory, in one run.

Both sides are timed by turns, a few batches each, so that other work on the machine slows both alike.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dataengine.config import ComputeConfig, Device, ModelConfig, TrainConfig
from dataengine.learn import device, fitting, models, predicting
from dataengine.learn.batch import Batch
from dataengine.learn.frames import LabelledFrames
from dataengine.learn.training import Trainer
from dataengine.streams import Streams
from tests.learn.painted import TAXONOMY, paint

WIDTH, HEIGHT, FRAMES = 320, 192, 96
ROUNDS, BATCHES = 5, 3
TRAIN = TrainConfig(steps=ROUNDS * BATCHES + 4)
CPU = ComputeConfig(device=Device.cpu, threads=1)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return paint(tmp_path_factory.mktemp("frames"), FRAMES, width=WIDTH, height=HEIGHT)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternate(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of each, by turns."""
    first(), second()
    times = np.array([[seconds(first), seconds(second)] for _ in range(ROUNDS)])
    one, two = np.median(times, axis=0)
    return float(one), float(two)


def trainer_of(session: device.Session, model: ModelConfig) -> Trainer:
    return Trainer(models.initial(model, TAXONOMY, 0), TRAIN, session)


def take(trainer: Trainer, batches: Iterator[Batch]) -> None:
    for _ in range(BATCHES):
        trainer.run_step(next(batches))


def repeat(batch: Batch) -> Iterator[Batch]:
    while True:
        yield batch


def report(name: str, images: int, loaded_s: float, bare_s: float) -> float:
    ratio = bare_s / loaded_s
    line = f"{name}: {images / loaded_s:.0f} images/s from files, {images / bare_s:.0f} bare: {ratio:.2f}"
    print(f"\n{line}", file=sys.stderr)
    return ratio


def test_training_is_not_held_up_by_loading(frames: Any) -> None:
    images, labels = frames
    labelled = LabelledFrames(images, labels, num_classes=2, max_side=0)
    with device.session(CPU) as session:
        steps = range(ROUNDS * BATCHES + BATCHES + 1)
        loader = fitting.load(labelled, TRAIN, Streams(0), steps, CPU)
        with closing(loader) as batches:
            in_memory = repeat(next(batches))
            trainer = trainer_of(session, ModelConfig())
            loaded_s, bare_s = alternate(lambda: take(trainer, batches), lambda: take(trainer, in_memory))
    assert report("training", BATCHES * TRAIN.batch_size, loaded_s, bare_s) >= 0.8


def test_prediction_is_not_held_up_by_decoding(frames: Any, tmp_path: Path) -> None:
    from dataengine.learn import checkpoint

    images, labels = frames
    model = ModelConfig()
    detector = models.initial(model, TAXONOMY, 0).eval().to(memory_format=torch.channels_last)
    path = tmp_path / "model.safetensors"
    checkpoint.write_model(path, detector.state_dict(), TAXONOMY, model)
    with device.session(CPU) as session:
        decoded = list(predicting.decoded(images, 0, session))
        batches = list(predicting.same_canvas(decoded))

        def bare() -> None:
            for batch in batches:
                predicting.run_batch(detector, batch, session)

        def from_files() -> None:
            predicting.predict(
                images, labels.frame_ids, checkpoint=path, taxonomy=TAXONOMY, model=model, compute=CPU
            )

        loaded_s, bare_s = alternate(from_files, bare)
    assert report("prediction", FRAMES, loaded_s, bare_s) >= 0.8

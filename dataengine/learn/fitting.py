"""Fit a detector: a fixed number of optimiser steps that survive being killed at any instant."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dataengine import files, progress
from dataengine.config import ComputeConfig, ModelConfig, TrainConfig
from dataengine.errors import ModelError
from dataengine.executor import num_cores
from dataengine.frameboxes import FrameBoxes
from dataengine.learn import checkpoint, device, models, order
from dataengine.learn.ahead import ahead
from dataengine.learn.batch import Batch
from dataengine.learn.detector import Detector
from dataengine.learn.frames import LabelledFrames
from dataengine.learn.losslog import LossLog
from dataengine.learn.pseudo import PseudoFrames
from dataengine.learn.training import SNAPSHOT_SHARE, Trainer
from dataengine.schema import Taxonomy
from dataengine.streams import Streams
from dataengine.workspace import read_jsonl

FINAL_ROWS = 20
"""The final loss terms are means over this many last steps; a single batch is noisy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitResult:
    """What a fit leaves behind.

    Attributes:
        checkpoint: ``model.safetensors``.
        snapshot: ``snapshot.safetensors``, the model of an earlier moment (``training.SNAPSHOT_SHARE``).
        losses: Final loss and its terms, means over the last ``FINAL_ROWS`` steps.
        images_per_s: Images learned per second in this process, loading included; 0 if no step was left.
        steps: Optimiser steps of the whole fit.
    """

    checkpoint: Path
    snapshot: Path
    losses: dict[str, float]
    images_per_s: float
    steps: int


def fit(
    images: Sequence[Path],
    labels: FrameBoxes,
    *,
    taxonomy: Taxonomy,
    model: ModelConfig,
    train: TrainConfig,
    compute: ComputeConfig,
    streams: Streams,
    folder: Path,
    label: str = "train",
    previous: Path | None = None,
    pseudo: PseudoFrames | None = None,
) -> FitResult:
    """Train a detector and write ``model.safetensors``, ``snapshot.safetensors`` and ``losses.jsonl``.

    Weights, order and augmentation depend on ``streams``, the given files and the step alone, so a fit that
    was killed and started again with the same arguments ends in the same bytes (on a CPU with the same number
    of threads).

    Args:
        images: One path a frame, as in ``labels.frame_ids``.
        labels: Boxes in pixels of the stored images; frames without boxes are examples too.
        taxonomy: The classes.
        model: Which detector, and its first weights.
        train: Steps, optimiser, augmentation.
        compute: Device, threads, precision.
        streams: The run's random streams: ``init``, ``order``, ``augment`` and ``torch`` are drawn from.
        folder: Receives the files, and ``training.safetensors`` while it runs.
        label: What the progress bar says.
        previous: ``model.safetensors`` of an earlier fit, which ``train.start=finetune`` goes on from; with
            ``retrain``, or without it, the first weights are those of ``model``.
        pseudo: Frames with pseudo-labels, ``train.pseudo_share`` of each batch.

    Returns:
        Paths and figures.

    Raises:
        ConfigError: The device or the detector does not exist, or cannot do what ``train`` asks for.
        InputError: An image or a label cannot be used.
        ModelError: The first weights cannot be had, or belong to another taxonomy or detector.
        TrainingDivergedError: The loss is not finite.
    """
    if train.start == "retrain":
        previous = None
    frames = LabelledFrames(images, labels, num_classes=len(taxonomy), max_side=model.max_side, pseudo=pseudo)
    identity = _identity(frames, taxonomy, model, train, streams, previous)
    with device.session(compute) as session, torch.random.fork_rng(_fork_devices(session.device)):
        state_path = folder / "training.safetensors"
        resumed = _read_state(state_path, identity)
        if resumed is None:
            detector = _first_weights(model, taxonomy, train, streams, previous)
        else:
            detector = models.initial(ModelConfig(name=model.name, width=model.width), taxonomy, 0)
        if train.class_weight == "balanced":
            models.weigh_classes(detector, labels, model)
        trainer = Trainer(detector, train, session)
        if resumed is not None:
            trainer.load_state(*resumed)
        images_per_s = _run(trainer, frames, streams, folder, state_path, identity, compute, label)
        checkpoint.write_model(folder / "snapshot.safetensors", trainer.snapshot, taxonomy, model)
        checkpoint.write_model(folder / "model.safetensors", trainer.weights(), taxonomy, model)
    state_path.unlink(missing_ok=True)
    return FitResult(
        checkpoint=folder / "model.safetensors",
        snapshot=folder / "snapshot.safetensors",
        losses=_final_losses(folder / "losses.jsonl"),
        images_per_s=images_per_s,
        steps=train.steps,
    )


def _run(
    trainer: Trainer,
    frames: LabelledFrames,
    streams: Streams,
    folder: Path,
    state_path: Path,
    identity: str,
    compute: ComputeConfig,
    label: str,
) -> float:
    """Take the steps that are left; returns images per second."""
    train = trainer.train
    left = range(trainer.step, train.steps)
    started = before = time.perf_counter()
    with (
        LossLog(folder, first_step=trainer.step, tensorboard=train.tensorboard) as log,
        progress.bar(label, len(left), "steps") as advance,
        closing(load(frames, train, streams, left, compute)) as batches,
    ):
        for step, batch in zip(left, batches, strict=True):
            # Detectors that draw samples inside (Faster R-CNN) draw them from the step's own stream.
            torch.manual_seed(streams.integer("torch", step))
            values = trainer.run_step(batch)
            now = time.perf_counter()
            log.add(step, values | {"images_per_s": batch.num_images / (now - before)})
            before = now
            if trainer.step % train.checkpoint_every == 0 and trainer.step < train.steps:
                log.sync()
                checkpoint.write(state_path, trainer.state(), {"step": trainer.step, "identity": identity})
            advance(1)
        log.sync()
    return len(left) * train.batch_size / max(before - started, 1e-9) if left else 0.0


def _first_weights(
    model: ModelConfig, taxonomy: Taxonomy, train: TrainConfig, streams: Streams, previous: Path | None
) -> Detector:
    if previous is None:
        return models.initial(model, taxonomy, streams.integer("init"))
    fresh = streams.integer("fresh", int(files.sha256(previous)[:8], 16))  # other ones at every cycle
    return models.continued(previous, model, taxonomy, fresh, train.shrink)


def load(
    frames: LabelledFrames, train: TrainConfig, streams: Streams, steps: range, compute: ComputeConfig
) -> Generator[Batch]:
    """The batches of ``steps``, made in the background while the detector learns from the one before."""
    factors = order.repeat_factors(frames.labels, frames.num_classes, train.repeat_threshold)
    num_pseudo = 0 if frames.pseudo is None else order.num_pseudo(train.pseudo_share, train.batch_size)

    def make(item: tuple[int, NDArray[np.int64]]) -> Batch:
        step, chosen = item
        return frames.batch(chosen, train, streams.generator("augment", step))

    # On a CPU the detector itself takes the cores, and one thread keeps it fed.
    on_cpu = device.resolve(compute.device).type == "cpu"
    threads = 1 if on_cpu else compute.workers or num_cores()
    chosen = order.batches(factors, train.batch_size - num_pseudo, steps, streams)
    if frames.pseudo is not None and num_pseudo:
        factors = order.repeat_factors(frames.pseudo, frames.num_classes, train.repeat_threshold)
        more = order.batches(factors, num_pseudo, steps, streams, "order/pseudo")
        chosen = order.together(chosen, more, len(frames))
    return ahead(make, chosen, depth=threads + 1, threads=threads)


def _identity(
    frames: LabelledFrames,
    taxonomy: Taxonomy,
    model: ModelConfig,
    train: TrainConfig,
    streams: Streams,
    previous: Path | None,
) -> str:
    """Digest of what the weights depend on: a checkpoint of another fit is not continued."""
    settings = asdict(train)
    # These two change when and what is written, not what is learned.
    del settings["checkpoint_every"], settings["tensorboard"]
    return files.digest(
        {
            "labels": _digest(frames.labels),
            "pseudo": None if frames.pseudo is None else _digest(frames.pseudo),
            "previous": None if previous is None else files.sha256(previous),
            "classes": taxonomy.classes,
            "model": asdict(model),
            "train": settings,
            "snapshot": SNAPSHOT_SHARE,
            "seed": streams.seed,
        }
    )


def _digest(labels: FrameBoxes) -> str:
    content = hashlib.sha256(files.digest(labels.frame_ids.tolist()).encode())
    for array in (labels.offsets, labels.xyxy, labels.class_id, labels.ignore, labels.visibility):
        content.update(array.tobytes())
    return content.hexdigest()


def _read_state(path: Path, identity: str) -> tuple[dict[str, torch.Tensor], int] | None:
    """Tensors and step of the interrupted fit with the same identity; None starts afresh."""
    if not path.is_file():
        return None
    try:
        tensors, description = checkpoint.read(path)
    except ModelError:
        return None
    return (tensors, int(description["step"])) if description.get("identity") == identity else None


def _final_losses(path: Path) -> dict[str, float]:
    rows = read_jsonl(path)[-FINAL_ROWS:]
    names = [name for name in rows[-1] if name.endswith("loss")]
    return {name: float(np.mean([row[name] for row in rows])) for name in names}


def _fork_devices(where: torch.device) -> list[torch.device]:
    return [where] if where.type == "cuda" else []

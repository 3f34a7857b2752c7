"""Train the detector on what was bought, and let it predict the pool and what it is judged on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dataengine import files, learn, mine, pooling
from dataengine.arm import Arm
from dataengine.frameboxes import FrameBoxes
from dataengine.lake import read_parquet, write_parquet
from dataengine.learn.pseudo import PseudoFrames
from dataengine.progress import say
from dataengine.schema import JUDGED_SPLITS, POOL
from dataengine.stages import decisions
from dataengine.workspace import Workspace


def train(arm: Arm, cycle: int) -> list[Path]:
    """Write the weights of a detector fitted on all labels so far, and its losses."""
    folder = arm.run.cycle(cycle)
    labels = FrameBoxes.from_table(read_parquet(folder / "labels.parquet"))
    pseudo = _pseudo_labels(arm, cycle, labels)
    result = learn.fit(
        _images(arm.workspace, labels.frame_ids),
        labels,
        taxonomy=arm.workspace.taxonomy,
        model=arm.config.model,
        train=arm.train(cycle),
        compute=arm.config.compute,
        streams=arm.streams,
        folder=folder,
        label=f"{arm.name} cycle {cycle}: train",
        previous=arm.run.cycle(cycle - 1) / "model.safetensors" if cycle else None,
        pseudo=pseudo,
    )
    files.write_json(folder / "fit.json", {"steps": result.steps, "images_per_s": result.images_per_s})
    say(
        f"{arm.name} cycle {cycle}: trained {result.steps} steps on {labels.num_frames} frames, "
        f"{result.images_per_s:.0f} images/s"
    )
    names = ["model.safetensors", "snapshot.safetensors", "losses.jsonl", "fit.json"]
    return [folder / name for name in (names if pseudo is None else [*names, "pseudo.parquet"])]


def _pseudo_labels(arm: Arm, cycle: int, labels: FrameBoxes) -> PseudoFrames | None:
    """Frames with pseudo-labels for an arm that trains on them, kept as a file; the first cycle has none."""
    if cycle == 0 or mine.ArmName.parse(arm.name).trainer != mine.PSEUDO:
        return None
    shut = decisions.rejected(arm, cycle) | set(labels.frame_ids)
    found = pooling.pseudo_labels(arm.workspace, arm.run, arm.config.train, cycle, shut)
    write_parquet(arm.run.cycle(cycle) / "pseudo.parquet", found.to_table())
    say(f"{arm.name} cycle {cycle}: {int((~found.ignore).sum())} pseudo-labels on {found.num_frames} frames")
    return PseudoFrames(images=_images(arm.workspace, found.frame_ids), labels=found)


def predict(arm: Arm, cycle: int) -> list[Path]:
    """Write ``predictions.parquet``: the pool, val and the tests as this cycle's model sees them."""
    folder = arm.run.cycle(cycle)
    frames = arm.workspace.frames(POOL, *JUDGED_SPLITS)
    predictions = learn.predict(
        arm.workspace.image_paths(frames),
        frames["frame_id"].to_pylist(),
        checkpoint=folder / "model.safetensors",
        taxonomy=arm.workspace.taxonomy,
        model=arm.config.model,
        compute=arm.config.compute,
        label=f"{arm.name} cycle {cycle}: predict",
    )
    write_parquet(folder / "predictions.parquet", predictions.to_table())
    return [folder / "predictions.parquet"]


def _images(workspace: Workspace, frame_ids: Iterable[str]) -> list[Path]:
    frames = workspace.frames()
    paths = dict(zip(frames["frame_id"].to_pylist(), workspace.image_paths(frames), strict=True))
    return [paths[frame_id] for frame_id in frame_ids]

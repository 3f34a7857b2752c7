"""Settings for a whole loop of a few seconds: tiny frames, few clips, few steps; every stage real."""

from __future__ import annotations

from pathlib import Path

from dataengine.config import (
    Budget,
    ComputeConfig,
    Config,
    DatasetConfig,
    EvaluateConfig,
    LoopConfig,
    MineConfig,
    ModelConfig,
    TrainConfig,
    WorldConfig,
)


def tiny_config(folder: Path, **changes: object) -> Config:
    """A fleet of 26 clips x 4 frames at 96 x 64 pixels, two arms, two cycles of eight steps."""
    world = WorldConfig(
        width=96,
        height=64,
        fps=4,
        clip_seconds=2,
        clips_per_drive=2,
        pool_clips=12,
        val_clips=4,
        test_clips=6,
        balanced_clips=4,
    )
    settings = {
        "dataset": DatasetConfig(world=world),
        "model": ModelConfig(width=16),
        "train": TrainConfig(steps=8, batch_size=4, checkpoint_every=3),
        "evaluate": EvaluateConfig(bootstrap=10),
        "mine": MineConfig(budget=Budget(amount=6)),
        "loop": LoopConfig(cycles=2, seed_frames=10, fiftyone=False),
        "compute": ComputeConfig(threads=1, workers=1),
        "workspace": str(folder),
        **changes,
    }
    return Config(**settings)  # type: ignore[arg-type]

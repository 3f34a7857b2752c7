"""Settings for a whole comparison of half a minute: tiny worlds, few steps; every stage real."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dataengine.config import CompareConfig, Config, EvaluateConfig, LoopConfig
from tests.tiny import tiny_config


def tiny_compare(folder: Path, *, loop: dict[str, object] | None = None, **changes: object) -> Config:
    """Two seeds in worlds of their own, ``random`` twice, ``class_balanced``, two cycles of three steps."""
    config = tiny_config(folder, evaluate=EvaluateConfig(bootstrap=5))
    compare: dict[str, object] = {
        "arms": ["class_balanced"],
        "seeds": [0, 1],
        "world_per_seed": True,
        "resamples": 100,
        **changes,
    }
    rounds: dict[str, object] = {"cycles": 2, "seed_frames": 10, "fiftyone": False, **(loop or {})}
    return replace(
        config,
        train=replace(config.train, steps=3),
        loop=LoopConfig(**rounds),  # type: ignore[arg-type]
        compare=CompareConfig(**compare),  # type: ignore[arg-type]
    )

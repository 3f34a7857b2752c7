"""A fleet small enough to render in a few seconds, shared by the tests that read recordings."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataengine.config import WorldConfig
from dataengine.simulator import render_fleet

RATES = {"truck": 0.5, "cyclist": 0.5, "cone": 0.5}


def small_world(**changes: object) -> WorldConfig:
    settings: dict[str, object] = {
        "clip_seconds": 2.0,
        "clips_per_drive": 2,
        "pool_clips": 4,
        "val_clips": 1,
        "test_clips": 2,
        "balanced_clips": 3,
        "tail_clip_rates": dict(RATES),
    }
    return WorldConfig(**{**settings, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def world() -> WorldConfig:
    return small_world()


@pytest.fixture(scope="session")
def fleet(world: WorldConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fleet")
    render_fleet(world, folder, workers=1)
    return folder

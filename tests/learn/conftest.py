"""Settings and frames small enough that a fit takes a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataengine.config import ComputeConfig, Device, ModelConfig, TrainConfig
from dataengine.learn import FitResult, fit
from dataengine.streams import Streams
from tests.learn.painted import TAXONOMY, paint

TINY = ModelConfig(width=16)
CPU = ComputeConfig(device=Device.cpu, threads=1)


@pytest.fixture(scope="session")
def painted(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """24 painted frames: paths and labels."""
    return paint(tmp_path_factory.mktemp("painted"), 24)


@pytest.fixture
def tiny_fit(painted: Any, tmp_path: Path) -> Callable[..., FitResult]:
    """``fit`` on the painted frames; keyword arguments replace the tiny settings."""

    def run(**changes: Any) -> FitResult:
        images, labels = painted
        arguments: dict[str, Any] = {
            "images": images,
            "labels": labels,
            "taxonomy": TAXONOMY,
            "model": TINY,
            "train": TrainConfig(steps=6, batch_size=4, checkpoint_every=2),
            "compute": CPU,
            "streams": Streams(0),
            "folder": tmp_path / "fit",
        } | changes
        return fit(arguments.pop("images"), arguments.pop("labels"), **arguments)

    return run

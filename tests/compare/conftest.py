"""One finished comparison for all tests that look at what is left on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataengine import verbs
from dataengine.compare.tables import Comparison
from dataengine.config import Config
from tests.compare.tiny_compare import tiny_compare


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Config, Comparison]:
    """Its folder, its settings and what came of it; tests change nothing in it."""
    folder = tmp_path_factory.mktemp("compare") / "c"
    config = tiny_compare(folder, arms=["class_balanced", "oracle", "all_labels"])
    return folder, config, verbs.compare(config)

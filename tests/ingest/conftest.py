"""A fleet of three clips on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.recordings import write_fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    root = tmp_path / "fleet"
    write_fleet(root, {"a": "pool", "b": "val", "c": "test"})
    return root

"""A tiny finished workspace beside a MongoDB of the session's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataengine.cockpit import connection
from dataengine.workspace import Workspace
from tests.factory import tiny_workspace


@pytest.fixture
def fo(mongo: str) -> Iterator[Any]:
    """The ``fiftyone`` module on the session's database; datasets are gone after the test."""
    module = connection.connect()
    yield module
    for name in module.list_datasets():
        module.delete_dataset(name)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """16 clips x 4 frames, two arms, two cycles."""
    return tiny_workspace(tmp_path / "tiny")

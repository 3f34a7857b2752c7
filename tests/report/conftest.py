from __future__ import annotations

from pathlib import Path

import pytest

from dataengine import report
from dataengine.workspace import Workspace
from tests.report.pages import Page
from tests.report.synthetic import synthetic_workspace


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two arms, one seed, three cycles. Read it only: it is shared by the session."""
    return synthetic_workspace(tmp_path_factory.mktemp("report") / "finished")


@pytest.fixture(scope="session")
def html(finished: Workspace) -> str:
    """Its page."""
    return report.build(finished).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def page(html: str) -> Page:
    """Its page, read."""
    return Page(html)


@pytest.fixture
def small(tmp_path: Path) -> Workspace:
    """A few frames that a test may change."""
    clips = {"pool": 6, "val": 3, "test": 4}
    return synthetic_workspace(tmp_path / "small", clips=clips, batch=15)

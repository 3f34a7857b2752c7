"""The specimen of each format, and an ingest of a damaged copy of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.corpus.outcomes import Ended, ingested
from tests.corpus.specimens import SPECIMENS


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The undamaged specimen of a format, written once."""
    written: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in written:
            written[name] = tmp_path_factory.mktemp(name)
            SPECIMENS[name].write(written[name])
        return written[name]

    return folder


@pytest.fixture(params=SPECIMENS)
def name(request: pytest.FixtureRequest) -> str:
    """Each format."""
    return str(request.param)


@pytest.fixture
def root(name: str, whole: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of the format's specimen to damage."""
    return Path(shutil.copytree(whole(name), tmp_path / "data"))


@pytest.fixture
def run(name: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Ended]:
    """Ingest the copy from an empty folder, which must hold a workspace alone afterwards."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def go() -> Ended:
        return ingested(SPECIMENS[name].config(name, root), tmp_path / "here")

    return go

"""Small datasets of every format, damaged in every way: each file is accounted for, and nothing breaks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dataengine import cards
from dataengine.adapters.base import files_under
from tests.corpus import damage
from tests.corpus.outcomes import Ended, ingested
from tests.corpus.specimens import SPECIMENS

pytestmark = pytest.mark.filterwarnings("error")


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
    if request.param not in cards.names():
        pytest.skip(f"no adapter for {request.param} yet")
    return str(request.param)


@pytest.fixture
def root(name: str, whole: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of the format's specimen to damage."""
    return Path(shutil.copytree(whole(name), tmp_path / "data"))


@pytest.fixture
def run(name: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Ended]:
    """Ingest the copy in an empty folder, twice into the same workspace."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def go() -> Ended:
        return ingested(SPECIMENS[name].config(name, root), tmp_path / "here")

    return go


def one_of_each_kind(root: Path) -> list[Path]:
    """The first file of every folder and suffix."""
    first: dict[tuple[str, str], Path] = {}
    for found in files_under(root):
        path = root / found
        first.setdefault((str(path.parent), path.suffix), path)
    return list(first.values())


def test_the_specimen_is_whole(run: Callable[[], Ended], name: str):
    ended = run()
    assert ended.error == ""
    assert ended.summary is not None
    assert ended.summary.frames >= 2
    assert not {path: row for path, row in ended.reasons.items() if row[0] != "unused"}


@pytest.mark.parametrize("way", damage.EVERY)
def test_one_file_of_each_kind_is_damaged(run: Callable[[], Ended], root: Path, way: str):
    for path in one_of_each_kind(root):
        damage.EVERY[way](path)
    run()


@pytest.mark.parametrize("way", ["empty", "garbled", "of_another_kind", "cut_short"])
def test_damaged_media_are_told_and_the_rest_is_kept(run: Callable[[], Ended], root: Path, way: str):
    media = [path for path in one_of_each_kind(root) if path.suffix in damage.MEDIA][:1]
    if not media:
        pytest.skip("its images lie in tables")
    damage.EVERY[way](media[0])
    ended = run()
    assert ended.error == ""
    status, reason = ended.reasons[media[0].relative_to(root).as_posix()]
    assert (status, bool(reason)) in {("broken", True), ("unused", True)}
    assert ended.summary is not None
    assert ended.summary.frames > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_bits_flip_in_every_file(run: Callable[[], Ended], root: Path, seed: int):
    for number, found in enumerate(files_under(root)):
        damage.flip_bits(root / found, seed=100 * seed + number, number=1 + seed % 5)
    run()


@pytest.mark.slow
@pytest.mark.parametrize("way", damage.EVERY)
def test_each_file_is_damaged_alone(
    name: str, whole: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
):
    kinds = [path.relative_to(whole(name)) for path in one_of_each_kind(whole(name))]
    for number, kind in enumerate(kinds):
        here = tmp_path / f"here{number}"
        here.mkdir()
        monkeypatch.chdir(here)
        root = Path(shutil.copytree(whole(name), tmp_path / f"data{number}"))
        damage.EVERY[way](root / kind)
        ingested(SPECIMENS[name].config(name, root), here)

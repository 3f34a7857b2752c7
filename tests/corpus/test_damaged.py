"""Small datasets of every format, damaged in every way: each file is accounted for, and nothing breaks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dataengine.adapters.base import Recording, adapter_for, files_under
from dataengine.ingest import ingest
from tests.corpus import damage
from tests.corpus.meaning import mean_otherwise
from tests.corpus.outcomes import Ended, ingested
from tests.corpus.specimens import SPECIMENS


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


@pytest.mark.parametrize("seed", range(4))
def test_files_mean_nonsense(run: Callable[[], Ended], root: Path, seed: int):
    for number, path in enumerate(one_of_each_kind(root)):
        mean_otherwise(path, 100 * seed + number)
    run()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_bits_flip_in_every_file(run: Callable[[], Ended], root: Path, seed: int):
    for number, found in enumerate(files_under(root)):
        damage.flip_bits(root / found, seed=100 * seed + number, number=1 + seed % 5)
    run()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 160))
def test_one_file_means_nonsense(run: Callable[[], Ended], name: str, root: Path, seed: int):
    rng = np.random.default_rng(seed)
    own = files_of_one_recording(name, root)
    for path in rng.permutation(np.array(one_of_each_kind(root), object)):
        if mean_otherwise(path, seed):
            damaged = path.relative_to(root).as_posix()
            break
    else:
        pytest.skip("its files have no meaning that could be changed")
    check_the_rest_is_kept(run(), damaged, own)


@pytest.mark.slow
@pytest.mark.parametrize("way", damage.EVERY)
def test_each_file_is_damaged_alone(
    name: str, whole: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
):
    own = files_of_one_recording(name, whole(name))
    for number, path in enumerate(one_of_each_kind(whole(name))):
        here = tmp_path / f"here{number}"
        here.mkdir()
        monkeypatch.chdir(here)
        root = Path(shutil.copytree(whole(name), tmp_path / f"data{number}"))
        damaged = path.relative_to(whole(name)).as_posix()
        damage.EVERY[way](root / damaged)
        check_the_rest_is_kept(ingested(SPECIMENS[name].config(name, root), here), damaged, own)


def files_of_one_recording(name: str, root: Path) -> set[str]:
    """Files whose loss is that of one recording."""
    adapter = adapter_for(SPECIMENS[name].config(name, root).dataset, root)
    return {path for item in adapter.recordings() if isinstance(item, Recording) for path in item.files}


def check_the_rest_is_kept(ended: Ended, damaged: str, own: set[str]) -> None:
    """A recording's own file spoils no other recording; an unknown class is the user's to map."""
    if damaged in own and "in no class map" not in ended.error:
        assert ended.error == "", damaged
        assert ended.summary is not None
        assert ended.summary.frames > 0


@pytest.mark.slow
@pytest.mark.parametrize("way", damage.EVERY)
def test_a_second_run_adds_nothing_and_says_the_same(
    run: Callable[[], Ended], name: str, root: Path, tmp_path: Path, way: str
):
    for path in one_of_each_kind(root):
        damage.EVERY[way](path)
    if run().summary is None:
        pytest.skip("nothing of it can be used")
    quarantine = tmp_path / "here" / "ws" / "quarantine.jsonl"
    before = quarantine.read_text()
    config = SPECIMENS[name].config(name, root)
    config.compute.workers = 1
    summary = ingest(config, tmp_path / "here" / "ws")[1]
    assert (summary.added, summary.frames) == (0, 0)
    assert quarantine.read_text() == before

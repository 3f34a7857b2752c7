"""Names that are hard to print, split or decode; folders in a circle; files that lost their half."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dataengine.adapters.base import files_under
from dataengine.ingest.names import shown
from tests.adapters.recordings import write_video
from tests.corpus import damage
from tests.corpus.outcomes import Ended, ingested
from tests.corpus.specimens import SPECIMENS


def media_of(root: Path) -> list[Path]:
    """Images and videos, in order."""
    return [root / name for name in files_under(root) if Path(name).suffix in damage.MEDIA]


def top_of(name: str, root: Path) -> Path:
    """The folder of the dataset, or that of a mix's first part."""
    return root / SPECIMENS[name].parts[0] if SPECIMENS[name].parts else root


def test_strays_with_odd_names_are_accounted_for(run: Callable[[], Ended], name: str, root: Path):
    folders = {top_of(name, root), *(path.parent for path in media_of(root)[:1])}
    made = [path for folder in sorted(folders) for path in damage.odd_names(folder)]
    ended = run()
    assert ended.error == ""
    told = [shown(path.relative_to(root).as_posix()) for path in made if path.suffix == ".txt"]
    assert all(name in ended.reasons for name in told), set(told) - ended.reasons.keys()


def test_media_renamed_oddly_are_accounted_for(run: Callable[[], Ended], root: Path):
    # a copy of the first recording's first file, and its label file too, under every odd name
    first = media_of(root)[:1]
    for path in first:
        for odd in damage.odd_names(path.parent):
            odd.write_bytes(path.read_bytes())
            if odd.suffix != path.suffix and len(os.fsencode(odd.name)) < 200:
                odd.rename(odd.with_suffix(path.suffix))
    ended = run()
    assert ended.error == ""


def test_a_folder_with_an_odd_name_above_it_all_changes_nothing(
    name: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    moved = tmp_path / "a #1 %20\nümläut 'quoted' \"twice\" [glob*?]"
    root.rename(moved)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    ended = ingested(SPECIMENS[name].config(name, moved), tmp_path / "here", one_line=False)
    assert ended.error == ""
    assert ended.summary is not None
    assert ended.summary.frames >= 2


def test_links_in_a_circle_end_and_are_told(run: Callable[[], Ended], name: str, root: Path):
    top = top_of(name, root)
    deep = media_of(top)[0].parent if media_of(top) else top
    links = {deep / "again": top, top / "self": Path("self"), top / "gone": Path("nowhere")}
    for link, target in links.items():
        link.symlink_to(target, target_is_directory=target.is_dir())
    ended = run()
    assert ended.error == ""
    assert {link.relative_to(root).as_posix() for link in links} <= ended.reasons.keys()


@pytest.mark.parametrize("kept", ["media", "labels"])
def test_one_half_of_a_pair_is_missing(run: Callable[[], Ended], root: Path, kept: str):
    """The first media file of a folder is gone, or everything else that has its name."""
    first = media_of(root)[0] if media_of(root) else None
    if first is None:
        pytest.skip("its images lie in tables")
    stem = first.stem.removesuffix("_leftImg8bit")
    named = [
        root / name for name in files_under(root) if re.match(rf"{re.escape(stem)}[._]", Path(name).name)
    ]
    for path in [first] if kept == "labels" else set(named) - {first}:
        path.unlink()
    ended = run()
    assert ended.error == ""
    assert ended.summary is not None
    assert ended.summary.frames > 0
    if kept == "labels":
        assert ended.reasons.get(first.relative_to(root).as_posix(), ("missing",))[0] == "missing"


def test_hidden_files_are_left_alone(run: Callable[[], Ended], root: Path):
    for folder in (root, media_of(root)[0].parent if media_of(root) else root):
        (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
        (folder / "._000000.png").write_bytes(b"\0\5\26\7")
    ended = run()
    assert ended.error == ""
    assert not [path for path in ended.reasons if "/." in f"/{path}"]


def test_a_hash_in_a_name_hides_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A fault within a file is told as ``path#part``: that must not take a file's name for such a part."""
    root, here = tmp_path / "data", tmp_path / "here"
    write_video(root / "cam#2.mp4", 4)
    (root / "cam#1.mp4").write_bytes(b"")
    here.mkdir()
    monkeypatch.chdir(here)
    ended = ingested(SPECIMENS["dashcam"].config("dashcam", root), here)
    assert ended.summary is not None
    assert (ended.summary.added, ended.summary.broken) == (1, 1)
    assert ended.reasons["cam#1.mp4"][0] == "broken"

"""The registry, and roots that hold nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataengine import cards
from dataengine.adapters.base import SAFE_ID, adapter_for, check_root, files_under, names, safe_id
from dataengine.config import DatasetConfig
from dataengine.errors import ConfigError, InputError


def test_every_adapter_has_a_card():
    assert set(names()) <= set(cards.names())


@pytest.mark.parametrize("name", names())
def test_every_registered_adapter_can_be_made(name, tmp_path: Path):
    assert adapter_for(DatasetConfig(name=name), tmp_path).root == tmp_path


def test_an_unknown_dataset_is_told_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"dataset=kity has no adapter; choose one of bdd100k, camvid, "):
        adapter_for(DatasetConfig(name="kity"), Path())


def test_roots_that_hold_nothing_are_one_line(tmp_path: Path):
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "hidden" / ".git").mkdir(parents=True)
    (tmp_path / "hidden" / ".git" / "x").touch()
    for name, message in {
        "absent": "does not exist",
        "file": "is a file",
        "empty": "holds no files",
        "hidden": "holds no files",
    }.items():
        with pytest.raises(InputError, match=f"{name} {message}; .*dataset.root=PATH"):
            check_root(tmp_path / name)


def test_files_are_listed_in_one_order_without_hidden_ones(tmp_path: Path):
    for name in ("b/2.png", "b/1.png", "a.txt", ".DS_Store", ".cache/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert list(files_under(tmp_path)) == ["a.txt", "b/1.png", "b/2.png"]


@pytest.mark.parametrize("clip_id", ["../evil", "a/b", "", ".", "..", "-rf", "a b", "ä\n"])
def test_clip_ids_that_could_leave_their_folder_are_refused(clip_id):
    assert not SAFE_ID.fullmatch(clip_id)


def test_linked_folders_are_walked_and_loops_are_files(tmp_path: Path):
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    (root / "a").mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / "1.png").touch()
    (root / "linked").symlink_to(elsewhere)
    (root / "a" / "loop").symlink_to(root)
    (root / "self").symlink_to(root / "self")
    assert list(files_under(root)) == ["self", "a/loop", "linked/1.png"]


def test_safe_ids_stay_apart():
    assert safe_id("0001TP_006690") == "0001TP_006690"
    made = [safe_id(name) for name in ("a b", "a/b", "a\nb", "ä", "../..", "")]
    assert len(set(made)) == len(made)
    assert all(SAFE_ID.fullmatch(name) for name in made)

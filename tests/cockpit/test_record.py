from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dataengine.cockpit import record
from dataengine.errors import WorkspaceError
from dataengine.workspace import Workspace


def test_two_folders_of_one_name_get_two_datasets(tmp_path: Path) -> None:
    one, other = tmp_path / "a/My Drives", tmp_path / "b/My Drives"
    assert record.fresh_name(one).startswith("my-drives-")
    assert record.fresh_name(one) != record.fresh_name(other)


@pytest.mark.parametrize("folder", ["Ünïcode", "***", "x" * 300])
def test_any_folder_name_makes_a_valid_dataset_name(tmp_path: Path, folder: str) -> None:
    name = record.fresh_name(tmp_path / folder)
    assert len(name) < 100
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_nothing_is_recorded_before_the_first_claim(workspace: Workspace) -> None:
    assert record.recorded(workspace.root) is None
    name = record.claim(workspace.root)
    assert record.recorded(workspace.root) == name == record.claim(workspace.root)


def test_a_moved_workspace_keeps_its_dataset(workspace: Workspace) -> None:
    name = record.claim(workspace.root)
    moved = workspace.root.rename(workspace.root.with_name("elsewhere"))
    assert record.recorded(moved) == name == record.claim(moved)
    assert json.loads((moved / "cockpit.json").read_text())["workspace"] == str(moved.resolve())


def test_a_copied_workspace_gets_a_dataset_of_its_own(workspace: Workspace) -> None:
    name = record.claim(workspace.root)
    copy = Path(shutil.copytree(workspace.root, workspace.root.with_name("copy")))
    assert record.recorded(copy) is None
    assert record.claim(copy) != name
    assert record.recorded(workspace.root) == name


@pytest.mark.parametrize("text", ["", "{", "[]", '{"dataset": "x"}'])
def test_a_damaged_record_is_one_line(workspace: Workspace, text: str) -> None:
    (workspace.root / "cockpit.json").write_text(text)
    with pytest.raises(WorkspaceError, match=r"cockpit\.json is damaged .* delete it"):
        record.recorded(workspace.root)

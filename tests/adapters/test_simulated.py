"""The fleet's recordings: what a sidecar says, and files that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dataengine.adapters.base import BrokenFileError, Recording
from dataengine.adapters.simulated import Simulated
from dataengine.config import DatasetConfig, WorldConfig
from dataengine.errors import InputError
from dataengine.workspace import Outcome
from tests.adapters.recordings import edit_sidecar, truth_row, write_clip, write_fleet, write_truth


def listed(root: Path) -> tuple[Simulated, list[Recording], dict[str, tuple[str, str]]]:
    adapter = Simulated(root, DatasetConfig(root=str(root)))
    found = list(adapter.recordings())
    strays = {item.path: (item.status, item.reason) for item in found if isinstance(item, Outcome)}
    return adapter, [item for item in found if isinstance(item, Recording)], strays


def test_a_recording_is_what_its_sidecar_says(tmp_path: Path):
    write_fleet(tmp_path, {"a": "val"})
    adapter, (recording,), strays = listed(tmp_path)
    assert (recording.clip_id, recording.drive_id, recording.split_hint) == ("a", "drive-a", "val")
    assert recording.conditions == {"time_of_day": "day", "weather": "fog"}
    assert recording.files == ("drive-a/a.mp4", "drive-a/a.json", "drive-a/a.truth.parquet")
    telemetry = adapter.telemetry(recording)
    assert telemetry is not None
    np.testing.assert_allclose(telemetry.signals["speed_mps"].values[:3], [10, 10.25, 10.5])
    assert strays == {"fleet.json": ("added", "")}


def test_labels_are_those_of_the_frame(tmp_path: Path):
    write_fleet(tmp_path, {"a": "val"})
    adapter, (recording,), _ = listed(tmp_path)
    read = adapter.labels(recording)
    assert read(3, (48, 64)).names == ("car", "cone")
    assert read(3, (48, 64)).xyxy.tolist() == [[3, 10, 23, 30], [40, 20, 44, 28]]
    with pytest.raises(BrokenFileError, match=r"a.truth.parquet#000099: no row of truth"):
        read(99, (48, 64))


def test_a_row_whose_columns_disagree_is_broken(tmp_path: Path):
    video = write_clip(tmp_path, "a")
    write_truth(
        video.with_suffix(".truth.parquet"), [{**truth_row(0, ("car", (1, 2, 3, 4))), "xyxy": [1.0, 2.0]}]
    )
    adapter, (recording,), _ = listed(tmp_path)
    with pytest.raises(BrokenFileError, match="damaged row of truth"):
        adapter.labels(recording)(0, (48, 64))


def test_missing_listed_and_stray_files_are_settled(tmp_path: Path):
    videos = write_fleet(tmp_path, {"a": "pool", "b": "pool", "c": "pool"})
    videos["a"].unlink()
    videos["b"].with_suffix(".truth.parquet").unlink()
    (tmp_path / "notes.txt").touch()
    _, recordings, strays = listed(tmp_path)
    assert [recording.clip_id for recording in recordings] == ["c"]
    assert strays == {
        "drive-a/a.mp4": ("missing", "the fleet needs it"),
        "drive-a/a.json": ("unused", "drive-a/a.mp4 cannot be used"),
        "drive-a/a.truth.parquet": ("unused", "drive-a/a.mp4 cannot be used"),
        "drive-b/b.mp4": ("unused", "drive-b/b.truth.parquet cannot be used"),
        "drive-b/b.json": ("unused", "drive-b/b.truth.parquet cannot be used"),
        "drive-b/b.truth.parquet": ("missing", "the fleet needs it"),
        "fleet.json": ("added", ""),
        "notes.txt": ("unused", "belongs to no video of the fleet"),
    }


BAD_SIDECARS = [
    ({"clip_id": "../../escape"}, "clip_id '../../escape' must be letters"),
    ({"drive_id": "a/b"}, "drive_id 'a/b' must be letters"),
    ({"split": "training"}, "split 'training' is none of pool, val"),
    ({"start_time_s": None}, "a field is missing or of the wrong type"),
    ({"fps": "four"}, "a field is missing or of the wrong type"),
    ({"conditions": 3}, "a field is missing or of the wrong type"),
    ({"clip_id": 7}, "a field is missing or of the wrong type"),
]


@pytest.mark.parametrize(("change", "reason"), BAD_SIDECARS)
def test_a_sidecar_with_a_bad_field_is_broken_and_its_clip_unused(tmp_path: Path, change, reason):
    edit_sidecar(write_clip(tmp_path, "a"), **change)
    _, recordings, strays = listed(tmp_path)
    assert recordings == []
    assert strays["drive-a/a.json"][0] == "broken"
    assert reason in strays["drive-a/a.json"][1]
    assert strays["drive-a/a.mp4"][0] == "unused"


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00"])
def test_a_sidecar_that_is_no_json_object_is_broken(tmp_path: Path, text):
    write_clip(tmp_path, "a").with_suffix(".json").write_text(text)
    _, recordings, strays = listed(tmp_path)
    assert recordings == []
    assert strays["drive-a/a.json"][0] == "broken"


def test_telemetry_of_uneven_columns_is_broken_and_absent_telemetry_is_none(tmp_path: Path):
    video = write_clip(tmp_path, "a")
    edit_sidecar(video, speed_mps=[1.0])
    adapter, (recording,), _ = listed(tmp_path)
    with pytest.raises(BrokenFileError, match="not equally long"):
        adapter.telemetry(recording)
    edit_sidecar(video, time_s=[], speed_mps=[], yaw_rate_radps=[], acceleration_mps2=[])
    assert adapter.telemetry(recording) is None


def test_a_table_of_truth_that_is_none_is_broken(tmp_path: Path):
    video = write_clip(tmp_path, "a")
    adapter, (recording,), _ = listed(tmp_path)
    video.with_suffix(".truth.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(BrokenFileError, match="not a readable table of truth"):
        adapter.labels(recording)


def test_the_world_is_the_folders_own_where_one_was_given(tmp_path: Path):
    write_fleet(tmp_path, {"a": "pool"})
    assert Simulated(tmp_path, DatasetConfig(root=str(tmp_path))).settings()["world"] == {"seed": 1}
    rendered = Simulated(tmp_path, DatasetConfig(world=WorldConfig(seed=3))).settings()
    assert rendered["world"]["seed"] == 3


@pytest.mark.parametrize("text", ["{", '{"clips": 3}', "[1, 2]"])
def test_a_damaged_index_is_one_line(tmp_path: Path, text):
    write_fleet(tmp_path, {"a": "pool"})
    (tmp_path / "fleet.json").write_text(text)
    with pytest.raises(InputError, match=r"fleet\.json"):
        listed(tmp_path)


def test_a_folder_without_videos_names_what_was_looked_for(tmp_path: Path):
    (tmp_path / "a.avi").touch()
    with pytest.raises(InputError, match=r"holds neither fleet.json nor any .mp4"):
        listed(tmp_path)

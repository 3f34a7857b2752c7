"""Dashcam folders: clips, drives, sidecars, and an outcome for every file."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from dataengine.adapters.base import BrokenFileError, Recording, files_under
from dataengine.adapters.dashcam.adapter import Dashcam
from dataengine.config import Config, DatasetConfig
from dataengine.errors import InputError
from dataengine.ingest import ingest
from dataengine.workspace import Outcome
from tests.ingest.films import write_film


def listed(root: Path, **settings) -> tuple[Dashcam, list[Recording], dict[str, tuple[str, str]]]:
    adapter = Dashcam(root, DatasetConfig(name="dashcam", root=str(root), **settings))
    found = list(adapter.recordings())
    strays = {item.path: (item.status, item.reason) for item in found if isinstance(item, Outcome)}
    return adapter, [item for item in found if isinstance(item, Recording)], strays


def films(root: Path, *names: str, **settings) -> None:
    """Two-second videos."""
    for name in names:
        write_film(root / name, 20, fps=10, **settings)


def drives_of(recordings: list[Recording]) -> dict[str, list[str]]:
    drives: dict[str, list[str]] = {}
    for recording in recordings:
        drives.setdefault(recording.drive_id, []).append(recording.source)
    return drives


def test_cameras_of_one_moment_are_clips_of_one_drive_with_one_start(tmp_path: Path):
    cameras = ("front", "back", "left_repeater", "right_repeater")
    folder = "TeslaCam/SavedClips/2024-01-31_10-16-30"
    films(tmp_path, *(f"{folder}/2024-01-31_10-15-00-{camera}.mp4" for camera in cameras))
    films(tmp_path, f"{folder}/2024-01-31_10-16-00-front.mp4")
    _, recordings, _ = listed(tmp_path)
    assert {recording.drive_id for recording in recordings} == {"20240131-101500"}
    assert Counter(recording.start_time_s - 1706696100 for recording in recordings) == {0: 4, 60: 1}
    assert {recording.camera for recording in recordings} == {
        "front",
        "rear",
        "left_repeater",
        "right_repeater",
    }
    assert {recording.fps for recording in recordings} == {10.0}
    assert len({recording.clip_id for recording in recordings}) == 5


def test_a_pause_ends_a_drive_and_event_folders_do_not(tmp_path: Path):
    films(
        tmp_path,
        "car/Movie/2024_0131_101500_001F.MP4",
        "car/Movie/2024_0131_101500_001R.MP4",
        "car/Movie/RO/2024_0131_101900_002F.MP4",  # four minutes later: locked after a shock
        "car/Movie/2024_0131_102502_003F.MP4",  # more than five after that one ended
        "van/Movie/2024_0131_101500_001F.MP4",
    )
    _, recordings, _ = listed(tmp_path)
    assert drives_of(recordings) == {
        "car-20240131-101500": [
            "car/Movie/2024_0131_101500_001F.MP4",
            "car/Movie/2024_0131_101500_001R.MP4",
            "car/Movie/RO/2024_0131_101900_002F.MP4",
        ],
        "car-20240131-102502": ["car/Movie/2024_0131_102502_003F.MP4"],
        "van-20240131-101500": ["van/Movie/2024_0131_101500_001F.MP4"],
    }
    assert {recording.vehicle_id for recording in recordings} == {"car", "van"}


def test_without_a_time_in_names_the_metadata_tells_and_else_the_folder(tmp_path: Path):
    films(tmp_path, "a/one.mp4", metadata={"creation_time": "2024-01-31T10:15:00Z"})
    films(tmp_path, "a/two.mp4", metadata={"creation_time": "2024-01-31T12:15:00Z"})
    films(tmp_path, "a/reset.mp4", metadata={"creation_time": "1970-01-01T00:00:00Z"})
    films(tmp_path, "b/clip10.avi", "b/clip9.avi")
    os.utime(tmp_path / "b/clip9.avi", (1e9, 1e9))  # copying sets it: it tells nothing
    _, recordings, _ = listed(tmp_path)
    assert drives_of(recordings) == {
        "a-20240131-101500": ["a/one.mp4"],
        "a-20240131-121500": ["a/two.mp4"],
        "a": ["a/reset.mp4"],
        "b": ["b/clip9.avi", "b/clip10.avi"],
    }
    assert [r.start_time_s for r in recordings if r.drive_id == "b"] == pytest.approx([0, 2])


def test_parts_of_a_gopro_recording_follow_each_other(tmp_path: Path):
    films(
        tmp_path,
        "GH020007.MP4",
        "GH010007.MP4",
        "GH010008.MP4",
        metadata={"creation_time": "2024-01-31T10:15:00Z"},
    )
    _, recordings, _ = listed(tmp_path)
    assert drives_of(recordings) == {"0007": ["GH010007.MP4", "GH020007.MP4"], "0008": ["GH010008.MP4"]}
    assert [recording.start_time_s for recording in recordings] == pytest.approx([0, 2, 0])


def test_only_the_cameras_that_were_asked_for(tmp_path: Path):
    films(tmp_path, "20240131_101500_F.mp4", "20240131_101500_R.mp4", "other.mp4")
    _, recordings, strays = listed(tmp_path, cameras=["front"])
    assert [recording.camera for recording in recordings] == ["front"]
    assert strays == {
        "20240131_101500_R.mp4": ("unused", "its camera (rear) is not among dataset.cameras"),
        "other.mp4": ("unused", "its camera (unknown) is not among dataset.cameras"),
    }


def test_sidecars_go_to_the_videos_of_their_name_and_nothing_is_listed_twice(tmp_path: Path):
    films(tmp_path, "20240131_101500_F.mp4", "20240131_101500_R.mp4", "own.mp4", "x/twin.mp4", "x/twin.mov")
    for name in ("20240131_101500.gpx", "own.CSV", "own.gpx", "x/twin.json", "stray.json", "notes.txt"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "bad.mp4").write_text("no video")
    (tmp_path / "bad.csv").write_text("time_s\n0\n")
    _, recordings, strays = listed(tmp_path)
    belongs = {recording.source: (recording.files[1:], recording.shared) for recording in recordings}
    assert belongs == {
        "20240131_101500_F.mp4": ((), ("20240131_101500.gpx",)),
        "20240131_101500_R.mp4": ((), ("20240131_101500.gpx",)),
        "own.mp4": (("own.CSV",), ()),
        "x/twin.mov": ((), ("x/twin.json",)),
        "x/twin.mp4": ((), ("x/twin.json",)),
    }
    assert strays["bad.mp4"][0] == "broken"
    del strays["bad.mp4"]
    assert strays == {
        "bad.csv": ("unused", "bad.mp4 cannot be used"),
        "own.gpx": ("unused", "own.CSV is read instead"),
        "stray.json": ("unused", "belongs to no video: a sidecar has its name"),
        "notes.txt": ("unused", "neither a video nor telemetry beside one"),
    }
    assert len({recording.clip_id for recording in recordings}) == 5


def test_telemetry_is_that_of_the_sidecar(tmp_path: Path):
    films(tmp_path, "20240131_101500.mp4", "bare.mp4")
    (tmp_path / "20240131_101500.csv").write_text("time_s,Speed (km/h)\n0,36\n1,72\n")
    adapter, recordings, _ = listed(tmp_path)
    found = {recording.source: adapter.telemetry(recording) for recording in recordings}
    assert found["bare.mp4"] is None
    speed = found["20240131_101500.mp4"].signals["speed_mps"]
    np.testing.assert_allclose(speed.at(np.array([0, 0.5, 1.0]), 1.0), [10, 15, 20])
    (tmp_path / "20240131_101500.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BrokenFileError, match=r"20240131_101500\.csv: not UTF-8 text"):
        adapter.telemetry(next(r for r in recordings if r.source.startswith("2024")))


def test_a_folder_without_videos_names_what_was_looked_for(tmp_path: Path):
    (tmp_path / "a.txt").touch()
    with pytest.raises(InputError, match=r"holds no video; looked for \.mp4 \.mov"):
        listed(tmp_path)


def config_of(root: Path) -> Config:
    config = Config(dataset=DatasetConfig(name="dashcam", root=str(root)))
    config.compute.workers = 1
    return config


def test_a_messy_card_is_ingested_with_every_file_accounted_for(tmp_path: Path):
    root = tmp_path / "card"
    films(root, "20240131_101500_F.mp4", "two words.mp4", "new\nline.mov", "Straße/東京.mkv", "percent%d.avi")
    films(root, "cut.mp4", container_options={"movflags": "faststart"})
    whole = (root / "cut.mp4").read_bytes()
    (root / "cut.mp4").write_bytes(whole[:-500])
    (root / "no-index.mp4").write_bytes(whole[: len(whole) // 8])
    (root / "empty.mp4").touch()
    (root / "text.mkv").write_text("<html>")
    (root / "film.dat").write_bytes(whole)  # a video by another name is left alone
    (root / "two words.json").write_text("[" * 20_000)
    (root / "20240131_101500_F.gpx").write_text('<!DOCTYPE gpx [<!ENTITY a "b">]><gpx>&a;</gpx>')
    (root / "percent%d.csv").write_text("time_s,speed_mps,lat\n0,10,nan\nx,y,z\n1,12,inf\n")
    (root / "loop").symlink_to(root)
    (root / "gone.mp4").symlink_to(root / "nowhere")
    (root / "folder.mp4").mkdir()
    os.mkfifo(root / "pipe.mp4")
    workspace, summary = ingest(config_of(root), tmp_path / "ws")
    assert summary.num_files == len(list(files_under(root)))
    assert (summary.clips, summary.missing) == (6, 0)
    quarantine = (tmp_path / "ws/quarantine.jsonl").read_text()
    for name in ("cut.mp4", "no-index.mp4", "empty.mp4", "text.mkv", "gone.mp4", "two words.json", "_F.gpx"):
        assert name in quarantine
    assert summary.added == 6  # five videos and a CSV; the sixth video lost its end
    assert summary.broken == 8
    frames = workspace.lake.read("frames", ["clip_id", "time_s", "speed_mps"]).to_pylist()
    speeds = [row["speed_mps"] for row in frames if row["clip_id"].startswith("percent")]
    np.testing.assert_allclose(speeds[:3], [10, 11, 12])
    assert all(row["speed_mps"] is None for row in frames if not row["clip_id"].startswith("percent"))


def test_ten_thousand_empty_files_are_ten_thousand_outcomes(tmp_path: Path):
    for number in range(10_000):
        (tmp_path / f"{number:05d}.mp4").touch()
    _, recordings, strays = listed(tmp_path)
    assert not recordings
    assert {status for status, _ in strays.values()} == {"broken"}
    assert len(strays) == 10_000


def test_a_name_that_is_no_text_is_told(tmp_path: Path):
    films(tmp_path, "a.mp4")
    (tmp_path / os.fsdecode(b"b\xff.mp4")).write_bytes((tmp_path / "a.mp4").read_bytes())
    _, recordings, strays = listed(tmp_path)
    assert len(recordings) == 1
    assert "its name is not UTF-8" in next(iter(strays.values()))[1]
    _, summary = ingest(config_of(tmp_path), tmp_path.parent / f"{tmp_path.name}-ws")
    assert (summary.added, summary.unused) == (1, 1)


def test_real_highway_videos(tmp_path: Path, data_root: Path):
    root = data_root / "dashcam"
    if not root.is_dir():
        pytest.skip(f"no dashcam videos at {root}")
    workspace, summary = ingest(config_of(root), tmp_path / "ws")
    assert (summary.added, summary.clips, summary.num_files) == (3, 3, 3)
    clips = {clip["clip_id"]: clip for clip in workspace.lake.read("clips").to_pylist()}
    # two a second of 8.84, 1.52 (the last frame is at 1.48) and 10.04 seconds
    assert {name: clip["num_frames"] for name, clip in clips.items()} == {
        "highway_white_right": 18,
        "highway_cars": 3,
        "frozen": 21,
    }
    assert clips["highway_white_right"]["drive_id"] == "20160828-211608"  # by its metadata
    assert clips["frozen"]["drive_id"] == "undated"
    assert (clips["highway_cars"]["width"], clips["highway_cars"]["height"]) == (1280, 720)

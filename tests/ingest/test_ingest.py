"""The ingest stage on small datasets: what the lake holds, and that each file is accounted for."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dataengine.config import Config, DatasetConfig, WorldConfig
from dataengine.errors import ConfigError, WorkspaceError
from dataengine.images import measure, read_image
from dataengine.ingest import ingest
from tests.adapters.recordings import (
    camvid_config,
    edit_sidecar,
    fleet_config,
    truth_row,
    write_clip,
    write_image,
    write_original,
    write_segnet,
    write_truth,
)
from tests.ingest.looking import counts, snapshot, statuses


def test_videos_become_frames_with_time_telemetry_quality_and_truth(tmp_path: Path, fleet: Path):
    workspace, summary = ingest(fleet_config(fleet), tmp_path / "ws")
    assert counts(summary) == (10, 0, 0, 0, 0)
    assert (summary.clips, summary.frames, summary.left_out) == (3, 12, 0)
    frames = workspace.frames()
    assert frames["frame_id"].to_pylist()[:4] == ["a/000000", "a/000002", "a/000004", "a/000006"]
    assert frames["time_s"].to_pylist()[:4] == pytest.approx([0, 0.5, 1, 1.5])
    assert frames["speed_mps"].to_pylist()[:4] == pytest.approx([10, 10.5, 11, 11.5])
    assert frames["split_hint"].to_pylist()[::4] == ["pool", "val", "test"]
    assert dict(frames["conditions"][0].as_py()) == {"time_of_day": "day", "weather": "fog"}
    assert (frames["width"][0].as_py(), frames["height"][0].as_py()) == (64, 48)
    for path, row in zip(workspace.image_paths(frames), frames.to_pylist(), strict=True):
        stored = measure(read_image(path))
        assert row["brightness"] == pytest.approx(stored.brightness, abs=0.01)
        assert row["sharpness"] == pytest.approx(stored.sharpness, rel=0.2)
        assert (row["phash"] ^ stored.phash).bit_count() <= 6  # JPEG lies between them
    truth = workspace.lake.truth(["b/000002"])
    assert truth.xyxy.tolist() == [[2, 10, 22, 30]]  # number 2 is even: no cone
    assert workspace.lake.read("oracle").num_rows == frames.num_rows
    clip = workspace.lake.read("clips").to_pylist()[0]
    assert (clip["clip_id"], clip["num_frames"], clip["source"]) == ("a", 4, "drive-a/a.mp4")


def test_images_stay_where_they_are(tmp_path: Path):
    write_segnet(tmp_path / "camvid", {"train": ["0001TP_000030", "0001TP_000060"], "test": ["B_00090"]})
    workspace, summary = ingest(camvid_config(tmp_path / "camvid"), tmp_path / "ws")
    assert counts(summary) == (8, 0, 0, 0, 0)
    frames = workspace.frames()
    assert frames["frame_id"].to_pylist() == [
        "0001TP_000030/000030",
        "0001TP_000030/000060",
        "B_000090/000090",
    ]
    assert set(frames["media_root"].to_pylist()) == {"source"}
    assert frames["mask_path"].to_pylist()[0] == "trainannot/0001TP_000030.png"
    assert all(path.is_file() for path in workspace.image_paths(frames))
    assert not (workspace.root / "media").exists()
    truth = workspace.lake.truth(["B_000090/000090"])
    assert truth.xyxy.tolist() == [[5, 10, 17, 20], [40, 30, 42, 32]]
    assert truth.class_id.tolist() == [0, 1]
    assert truth.ignore.tolist() == [False, True]
    assert frames["speed_mps"].null_count == 3


def test_a_second_run_adds_nothing_and_touches_no_file(tmp_path: Path, fleet: Path):
    config = fleet_config(fleet)
    ingest(config, tmp_path / "ws")
    before = snapshot(tmp_path / "ws")
    _, summary = ingest(config, tmp_path / "ws")
    assert counts(summary) == (0, 10, 0, 0, 0)
    assert (summary.clips, summary.frames) == (0, 0)
    assert snapshot(tmp_path / "ws") == before


def test_new_recordings_are_added_and_old_ones_left(tmp_path: Path, fleet: Path):
    ingest(fleet_config(fleet), tmp_path / "ws")
    before = snapshot(tmp_path / "ws" / "lake")
    write_clip(fleet, "aa")
    workspace, summary = ingest(fleet_config(fleet), tmp_path / "ws")
    assert counts(summary) == (4, 9, 0, 0, 0)  # three files of the clip, and fleet.json read anew
    assert before.items() <= snapshot(tmp_path / "ws" / "lake").items()
    assert workspace.frames().num_rows == 16


def test_any_number_of_workers_writes_the_same_files(tmp_path: Path, fleet: Path):
    snapshots = []
    for workers in (1, 2, 3):
        root = tmp_path / f"ws{workers}"
        ingest(fleet_config(fleet, workers=workers), root)
        snapshots.append(snapshot(root))
    assert snapshots[0] == snapshots[1] == snapshots[2]


def test_rows_of_a_batch_that_was_not_committed_are_replaced(tmp_path: Path, fleet: Path, monkeypatch):
    monkeypatch.setattr("dataengine.ingest.ledger.BATCH_FRAMES", 4)
    undisturbed, _ = ingest(fleet_config(fleet), tmp_path / "whole")
    workspace, _ = ingest(fleet_config(fleet), tmp_path / "ws")
    # as if killed after the oracle's part of the second batch, before its frames
    last = workspace.lake.parts("frames")[1]
    last.unlink()
    (workspace.lake.root / "oracle" / "part-stale.parquet").write_bytes(
        workspace.lake.parts("oracle")[0].read_bytes()
    )
    _, summary = ingest(fleet_config(fleet), tmp_path / "ws")
    assert summary.frames == 4
    assert snapshot(tmp_path / "ws") == snapshot(undisturbed.root)


def test_a_broken_file_is_retried_and_taken_once_it_is_mended(tmp_path: Path, fleet: Path):
    video = fleet / "drive-b" / "b.mp4"
    whole = video.read_bytes()
    video.write_bytes(b"")
    workspace, summary = ingest(fleet_config(fleet), tmp_path / "ws")
    assert counts(summary) == (7, 0, 0, 1, 2)
    assert "not a readable video" in statuses(workspace)["drive-b/b.mp4"][1]
    assert statuses(workspace)["drive-b/b.json"] == ("unused", "drive-b/b.mp4 cannot be used")
    video.write_bytes(whole)
    workspace, summary = ingest(fleet_config(fleet), tmp_path / "ws")
    assert counts(summary)[:2] == (4, 6)
    assert workspace.frames().num_rows == 12
    assert statuses(workspace) == {}


def test_a_cut_video_keeps_the_frames_before_the_cut(tmp_path: Path, fleet: Path):
    video = fleet / "drive-a" / "a.mp4"
    video.write_bytes(video.read_bytes()[: int(video.stat().st_size * 0.8)])
    workspace, summary = ingest(fleet_config(fleet, fps=None), tmp_path / "ws")
    assert summary.broken == 1
    kept = workspace.frames().filter([c == "a" for c in workspace.frames()["clip_id"].to_pylist()]).num_rows
    assert 0 < kept < 8
    assert statuses(workspace)["drive-a/a.mp4"] == (
        "broken",
        f"cut short after {kept} frames of 8; {kept} sampled frames before that are kept",
    )
    _, again = ingest(fleet_config(fleet, fps=None), tmp_path / "ws")
    assert counts(again) == (0, 10, 0, 0, 0)
    assert "drive-a/a.mp4" in statuses(workspace)


BAD_BOXES = [
    # box                          reason
    ((float("nan"), 1, 5, 5), "not a number"),
    ((30, 5, 10, 9), "inverted"),
    ((-20, -20, -5, -5), "outside of the image"),
]


@pytest.mark.parametrize(("box", "reason"), BAD_BOXES)
def test_a_frame_with_an_impossible_box_is_left_out_with_the_reason(tmp_path: Path, fleet: Path, box, reason):
    rows = [truth_row(number, ("car", (1, 1, 9, 9))) for number in range(8)]
    rows[2] = truth_row(2, ("car", (1, 1, 9, 9)), ("cone", box))
    write_truth(fleet / "drive-a" / "a.truth.parquet", rows)
    workspace, summary = ingest(fleet_config(fleet), tmp_path / "ws")
    assert (summary.frames, summary.left_out) == (11, 1)
    assert counts(summary) == (10, 0, 0, 0, 0)
    assert "a/000002" not in workspace.frames()["frame_id"].to_pylist()
    assert not (workspace.root / "media" / "a" / "000002.jpg").exists()
    status, said = statuses(workspace)["drive-a/a.mp4#000002"]
    assert status == "broken"
    assert reason in said
    assert "box 1 (cone)" in said


def test_a_clip_of_which_no_frame_can_be_used_is_unused(tmp_path: Path, fleet: Path):
    write_truth(fleet / "drive-a" / "a.truth.parquet", [])
    workspace, summary = ingest(fleet_config(fleet), tmp_path / "ws")
    assert counts(summary) == (7, 0, 0, 0, 3)
    assert summary.left_out == 4
    assert statuses(workspace)["drive-a/a.mp4"] == ("unused", "no frame of its recording can be used")


def test_frames_without_objects_stay(tmp_path: Path, fleet: Path):
    write_truth(fleet / "drive-a" / "a.truth.parquet", [truth_row(number) for number in range(8)])
    workspace, _ = ingest(fleet_config(fleet), tmp_path / "ws")
    truth = workspace.lake.truth(["a/000000", "a/000002"])
    assert truth.num_frames == 2
    assert truth.num_boxes == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_an_unknown_class_is_one_line_with_the_remedy(tmp_path: Path, fleet: Path, workers):
    write_truth(
        fleet / "drive-b" / "b.truth.parquet", [truth_row(n, ("tram", (1, 1, 9, 9))) for n in range(8)]
    )
    with pytest.raises(ConfigError, match=r'b\.mp4: class "tram" .*`"tram" = "ignore"`') as caught:
        ingest(fleet_config(fleet, workers=workers), tmp_path / "ws")
    assert "\n" not in str(caught.value)


def test_broken_images_and_masks_of_camvid_are_settled(tmp_path: Path):
    root = tmp_path / "camvid"
    write_segnet(root, {"train": [f"A_{number:05d}" for number in (30, 60, 90, 120)]})
    cut = root / "train" / "A_00030.png"
    cut.write_bytes(cut.read_bytes()[:-10])
    write_image(root / "trainannot" / "A_00060.png", np.zeros((20, 20), np.uint8))
    (root / "trainannot" / "A_00090.png").write_bytes(b"")
    workspace, summary = ingest(camvid_config(root), tmp_path / "ws")
    assert counts(summary) == (3, 0, 0, 3, 3)
    assert workspace.frames()["frame_number"].to_pylist() == [120]
    found = statuses(workspace)
    assert found["train/A_00030.png"][0] == "broken"
    assert found["train/A_00030.png"][1].startswith("cut short after")
    assert found["trainannot/A_00030.png"] == ("unused", "train/A_00030.png cannot be used")
    assert found["trainannot/A_00060.png"] == ("broken", "mask of 20x20 for an image of 48x36")
    assert found["train/A_00060.png"] == ("unused", "trainannot/A_00060.png cannot be used")
    assert found["trainannot/A_00090.png"][0] == "broken"

    write_segnet(root, {"train": ["A_00030"]}, lists=False)  # mended
    workspace, summary = ingest(camvid_config(root), tmp_path / "ws")
    assert counts(summary) == (3, 2, 0, 2, 2)  # the list is read anew
    assert workspace.frames()["frame_number"].to_pylist() == [30, 120]
    assert workspace.lake.read("clips").num_rows == 1


def test_a_colour_of_the_original_that_no_class_map_knows_is_told(tmp_path: Path):
    table = "128 64 128\tRoad\n64 0 128\tSpaceship\n64 64 0\tPedestrian\n0 0 0\tVoid\n"
    write_original(tmp_path / "camvid", ["A_00030"], colours=table)
    with pytest.raises(ConfigError, match=r'class "Spaceship" is in no class map; .*datasets/camvid.toml'):
        ingest(camvid_config(tmp_path / "camvid"), tmp_path / "ws")


def test_two_recordings_with_one_clip_id_are_not_mixed(tmp_path: Path, fleet: Path):
    edit_sidecar(fleet / "drive-b" / "b.mp4", clip_id="a")
    workspace, summary = ingest(fleet_config(fleet), tmp_path / "ws")
    assert counts(summary) == (7, 0, 0, 0, 3)
    assert statuses(workspace)["drive-b/b.mp4"] == ("unused", "another recording has the clip id a")
    assert workspace.frames().num_rows == 8


def test_the_fleet_is_rendered_where_no_root_is_given_and_moves_with_its_workspace(tmp_path: Path):
    world = WorldConfig(pool_clips=1, val_clips=1, test_clips=1, balanced_clips=0, clip_seconds=1)
    config = Config(dataset=DatasetConfig(world=world))
    config.compute.workers = 1
    workspace, summary = ingest(config, tmp_path / "ws")
    assert (summary.clips, summary.frames, summary.broken, summary.unused) == (3, 6, 0, 0)
    assert workspace.source_root is None
    (tmp_path / "ws").rename(tmp_path / "moved")
    moved, again = ingest(config, tmp_path / "moved")
    assert (again.frames, again.added) == (0, 0)
    assert all(path.is_file() for path in moved.image_paths(moved.frames()))
    with pytest.raises(WorkspaceError, match="other settings"):
        ingest(Config(dataset=DatasetConfig(world=WorldConfig(seed=8))), tmp_path / "moved")


def test_the_summary_is_printed_and_adds_up(tmp_path: Path, fleet: Path, capsys):
    (fleet / "drive-c" / "c.truth.parquet").unlink()
    (fleet / "stray.txt").touch()
    _, summary = ingest(fleet_config(fleet), tmp_path / "ws")
    line = capsys.readouterr().err
    assert "ingest: 11 files: 7 added, 0 present, 1 missing, 0 broken, 3 unused; 2 clips and 8 frames" in line
    assert "reasons in quarantine.jsonl" in line
    assert summary.num_files == 11


def test_stored_frames_have_the_asked_quality(tmp_path: Path, fleet: Path):
    sizes = []
    for quality in (20, 95):
        config = fleet_config(fleet)
        config.ingest.jpeg_quality = quality
        workspace, _ = ingest(config, tmp_path / f"ws{quality}")
        image = workspace.root / "media" / "a" / "000000.jpg"
        assert cv2.imread(str(image)).shape == (48, 64, 3)
        sizes.append(image.stat().st_size)
    assert sizes[0] < sizes[1] / 2

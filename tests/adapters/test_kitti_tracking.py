"""KITTI's tracking benchmark: tracks, telemetry by hand, missing images counted, every file settled."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataengine import cards
from dataengine.adapters.base import BrokenFileError, Recording
from dataengine.adapters.kitti.labels import read_tracks
from dataengine.adapters.kitti.tracking import KittiTracking
from dataengine.config import DatasetConfig
from dataengine.errors import InputError
from dataengine.ingest import ingest
from tests.adapters.accounts import settled
from tests.adapters.kitti_recordings import (
    kitti_config,
    oxts_line,
    region,
    tracked,
    write_lines,
    write_tracking,
)

LEFT, RIGHT = "training_0001_image_02", "training_0001_image_03"


def opened(
    root: Path, *cameras: str
) -> tuple[KittiTracking, dict[str, Recording], dict[str, tuple[str, str]]]:
    config = DatasetConfig(name="kitti_tracking", root=str(root), cameras=list(cameras))
    adapter = KittiTracking(root, config)
    return adapter, *settled(adapter)


def test_each_camera_of_a_sequence_is_a_clip_and_the_left_one_is_labelled(tmp_path: Path):
    write_tracking(tmp_path)
    write_tracking(tmp_path, split="testing", right=False)
    adapter, clips, strays = opened(tmp_path)
    assert {clip: (found.drive_id, found.camera) for clip, found in clips.items()} == {
        "testing_0001_image_02": ("testing_0001", "image_02"),
        LEFT: ("training_0001", "image_02"),
        RIGHT: ("training_0001", "image_03"),
    }
    assert strays == {}
    assert [(still.number, still.time_s) for still in clips[LEFT].stills] == [(0, 0), (1, 0.1), (2, 0.2)]
    assert clips[LEFT].files[-1] == "training/label_02/0001.txt"
    assert clips[RIGHT].shared == ("training/oxts/0001.txt", "training/calib/0001.txt")
    read = adapter.labels(clips[LEFT])
    assert read is not None
    found = read(1, (36, 48))
    assert found is not None
    assert (found.names, found.track_id.tolist()) == (("Car", "DontCare"), [7, -1])
    assert found.xyxy.tolist() == [[1, 8, 17, 24], [30, 1, 40, 9]]
    assert found.ignore.tolist() == [False, True]
    assert adapter.labels(clips[RIGHT]) is None
    assert adapter.labels(clips["testing_0001_image_02"]) is None


LEVELS = [
    # truncated, occluded, visibility
    (0, 0, 1.0),
    (1, 0, 0.75),
    (2, 0, 0.25),
    (0, 1, 0.75),
    (0, 2, 0.25),
    (1, 2, 0.75 * 0.25),
    (0, 3, np.nan),
    (-1, 0, np.nan),
]


@pytest.mark.parametrize(("truncated", "occluded", "visibility"), LEVELS)
def test_levels_stand_for_the_middle_of_their_range(tmp_path: Path, truncated, occluded, visibility):
    path = write_lines(tmp_path / "a.txt", tracked(0, 1, "Van", truncated, occluded))
    np.testing.assert_allclose(read_tracks(path).at(0).visibility, [visibility])


def test_a_frame_without_a_line_holds_no_object(tmp_path: Path):
    write_tracking(tmp_path)
    write_lines(tmp_path / "training/label_02/0001.txt", tracked(0, 1))
    adapter, clips, _ = opened(tmp_path)
    read = adapter.labels(clips[LEFT])
    assert read is not None
    found = read(2, (36, 48))
    assert found is not None
    assert found.names == ()


def test_labelled_frames_without_an_image_are_missing_one_by_one(tmp_path: Path):
    write_tracking(tmp_path, num_frames=4)
    for number in (0, 2):
        (tmp_path / f"training/image_02/0001/{number:06d}.png").unlink()
    _, clips, strays = opened(tmp_path)
    assert [still.number for still in clips[LEFT].stills] == [1, 3]
    assert clips[LEFT].start_time_s == pytest.approx(0.1)
    assert [still.time_s for still in clips[LEFT].stills] == [0, 0.2]
    reason = "labelled in training/label_02/0001.txt, but not there"
    assert strays == {f"training/image_02/0001/{n:06d}.png": ("missing", reason) for n in (0, 2)}


def test_a_sequence_of_tables_alone_uses_none_of_them(tmp_path: Path):
    write_tracking(tmp_path, num_frames=1)
    write_tracking(tmp_path, "0002", 1, right=False)
    (tmp_path / "training/image_02/0002/000000.png").unlink()
    write_lines(tmp_path / "training/label_02/0002.txt", tracked(0, 1))
    _, clips, strays = opened(tmp_path)
    assert list(clips) == [LEFT, RIGHT]
    nothing = ("unused", "no image of its sequence can be used")
    assert {path: found for path, found in strays.items() if "0002" in path} == {
        "training/image_02/0002/000000.png": (
            "missing",
            "labelled in training/label_02/0002.txt, but not there",
        ),
        "training/label_02/0002.txt": ("unused", "none of the images that it labels is there"),
        "training/oxts/0002.txt": nothing,
        "training/calib/0002.txt": nothing,
    }


def test_telemetry_by_hand(tmp_path: Path):
    write_tracking(tmp_path, num_frames=4)
    (tmp_path / "training/image_03/0001/000000.png").unlink()
    adapter, clips, _ = opened(tmp_path)
    left, right = (adapter.telemetry(clips[clip]) for clip in (LEFT, RIGHT))
    assert left is not None
    assert right is not None
    at = {name: signal.at(np.array([0.1]), 1.0)[0] for name, signal in left.signals.items()}
    assert at["speed_mps"] == pytest.approx(5)
    assert at["yaw_rate_radps"] == pytest.approx(0.1)
    assert at["acceleration_mps2"] == pytest.approx(-0.5)
    assert at["leftward_acceleration_mps2"] == pytest.approx(0.25)
    assert at["heading_deg"] == pytest.approx(60)  # yaw is 30 degrees, from east against the clock
    assert at["latitude_deg"] == pytest.approx(49.001)
    assert at["num_satellites"] == 7
    np.testing.assert_allclose(at["projection"], 2 + np.arange(12) / 100)
    # the right camera's first image is the sequence's second, so its clock starts a tenth later
    assert right.signals["latitude_deg"].at(np.array([0.0]), 1.0)[0] == pytest.approx(49.001)
    np.testing.assert_allclose(
        right.signals["projection"].at(np.array([0.0]), 1.0)[0], 3 + np.arange(12) / 100
    )


BAD_OXTS = [
    (b"", "empty file"),
    (b"\xff\n", "no text"),
    (oxts_line(0).encode() + b"\n" + oxts_line(1).encode()[:40], "line 2 has . values; 30 are needed"),
    (oxts_line(0).replace("110.0", "high").encode(), "line 1 holds something else than numbers"),
    (b"\n" + oxts_line(0).encode(), "line 1 has 0 values"),
]


@pytest.mark.parametrize(("text", "message"), BAD_OXTS)
def test_damaged_measurements_are_named(tmp_path: Path, text, message):
    write_tracking(tmp_path)
    (tmp_path / "training/oxts/0001.txt").write_bytes(text)
    adapter, clips, _ = opened(tmp_path)
    with pytest.raises(BrokenFileError, match=f"training/oxts/0001.txt: {message}"):
        adapter.telemetry(clips[LEFT])


def test_measurements_that_are_no_numbers_stay_unknown(tmp_path: Path):
    write_tracking(tmp_path, num_frames=3)
    lines = [
        oxts_line(0),
        oxts_line(1).replace(" 3.0 4.0 ", " nan 1e308 ").replace("110.0", "inf"),
        oxts_line(2),
    ]
    write_lines(tmp_path / "training/oxts/0001.txt", *lines)
    adapter, clips, _ = opened(tmp_path)
    telemetry = adapter.telemetry(clips[LEFT])
    assert telemetry is not None
    assert telemetry.signals["speed_mps"].at(np.array([0.1]), 1.0)[0] == pytest.approx(5)


@pytest.mark.parametrize("text", ["", "P0: 1 2 3\n", "P2: " + "1 " * 11, "P2: " + "x " * 12])
def test_a_damaged_calibration_costs_nothing_else(tmp_path: Path, text):
    write_tracking(tmp_path)
    (tmp_path / "training/calib/0001.txt").write_text(text)
    adapter, clips, strays = opened(tmp_path)
    assert strays["training/calib/0001.txt"][0] == "broken"
    telemetry = adapter.telemetry(clips[LEFT])
    assert telemetry is not None
    assert "projection" not in telemetry.signals
    assert "speed_mps" in telemetry.signals


def test_cameras_are_chosen_by_name(tmp_path: Path):
    write_tracking(tmp_path, num_frames=2)
    for camera, other, clip in (("image_02", "image_03", LEFT), ("image_03", "image_02", RIGHT)):
        adapter, clips, strays = opened(tmp_path, camera)
        assert adapter.settings() == {"cameras": [camera]}
        assert list(clips) == [clip]
        unused = [f"training/{other}/0001/{number:06d}.png" for number in range(2)]
        unused += ["training/label_02/0001.txt"] if other == "image_02" else []
        assert strays == dict.fromkeys(unused, ("unused", f"dataset.cameras leaves {other} out"))


def test_a_damaged_line_costs_its_own_frame(tmp_path: Path):
    write_tracking(tmp_path, right=False)
    lines = [tracked(0, 1), tracked(1, 1), f"{tracked(1, 2)[:30]}", tracked(2, 1), region(2)]
    write_lines(tmp_path / "training/label_02/0001.txt", *lines)
    _, clips, strays = opened(tmp_path)
    assert [still.number for still in clips[LEFT].stills] == [0, 2]
    ((path, (status, reason)),) = strays.items()
    assert (path, status) == ("training/image_02/0001/000001.png", "unused")
    assert reason.startswith("its labels in training/label_02/0001.txt cannot be used: line 3: ")


BAD_TRACKS = [
    (b"", "empty file"),
    (b"\xff\n", "no text"),
    (b"Car 0 0", "line 1 does not start with a frame number: 'Car'"),
    (b"-1 0 Car", "line 1 does not start with a frame number"),
    (b"99999999999 0 Car", "line 1 does not start with a frame number"),
    (f"{tracked(0, 1)} 0.9".encode(), "predictions"),
]


@pytest.mark.parametrize(("text", "message"), BAD_TRACKS)
def test_a_file_of_tracks_that_is_none_leaves_the_other_camera(tmp_path: Path, text, message):
    write_tracking(tmp_path, num_frames=1)
    (tmp_path / "training/label_02/0001.txt").write_bytes(text)
    _, clips, strays = opened(tmp_path)
    assert list(clips) == [RIGHT]
    assert strays["training/label_02/0001.txt"][0] == "broken"
    assert message in strays["training/label_02/0001.txt"][1]
    assert strays["training/image_02/0001/000000.png"] == (
        "unused",
        "training/label_02/0001.txt cannot be used",
    )


def test_labels_of_which_every_line_is_damaged_are_broken(tmp_path: Path):
    write_tracking(tmp_path, num_frames=1)
    write_lines(tmp_path / "training/label_02/0001.txt", "0 1 Car")
    _, clips, strays = opened(tmp_path)
    assert list(clips) == [RIGHT]
    assert strays["training/label_02/0001.txt"] == ("broken", "line 1: 3 columns; a label has 17")


def test_strays_are_told_why(tmp_path: Path):
    write_tracking(tmp_path, right=False)
    write_tracking(tmp_path / "copy", num_frames=1, right=False)
    write_lines(tmp_path / "training/velodyne/0001/000000.bin", "x")
    write_lines(tmp_path / "notes.txt", "x")
    _, _, strays = opened(tmp_path)
    assert strays["training/velodyne/0001/000000.bin"] == ("unused", "laser scans: images are read")
    assert strays["notes.txt"] == ("unused", "no part of KITTI's layout")
    image = "training/image_02/0001/000000.png"
    assert strays[image] == ("unused", f"the same as copy/{image}")


def test_a_folder_of_something_else_names_what_was_looked_for(tmp_path: Path):
    write_lines(tmp_path / "training/oxts/0001.txt", oxts_line(0))
    with pytest.raises(InputError, match=r"holds no KITTI tracking: looked for image_02/0000/000000.png"):
        opened(tmp_path)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_flip_or_cut_of_a_table_leaves_every_file_settled(tmp_path_factory, data):
    root = tmp_path_factory.mktemp("flipped")
    write_tracking(root, num_frames=2, right=False)
    path = root / f"training/{data.draw(st.sampled_from(['label_02', 'oxts', 'calib']))}/0001.txt"
    text = path.read_bytes()
    place = data.draw(st.integers(0, len(text)))
    rest = text[place + 1 :] if data.draw(st.booleans()) else b""
    path.write_bytes(text[:place] + data.draw(st.binary(max_size=3)) + rest)
    adapter, clips, _ = opened(root)
    for clip in clips.values():
        adapter.labels(clip)
        with suppress(BrokenFileError):
            adapter.telemetry(clip)


def test_the_card_maps_every_type():
    names = KittiTracking(Path(), DatasetConfig(name="kitti_tracking")).class_names()
    assert set(names) == set(cards.load("kitti_tracking").taxonomy.class_map)


def test_a_folder_goes_into_the_lake(tmp_path: Path):
    root = tmp_path / "kitti"
    write_tracking(root)
    (root / "training/oxts/0001.txt").write_text("1 2 3")
    write_tracking(root, "0002", 2, right=False)
    workspace, summary = ingest(kitti_config("kitti_tracking", root), tmp_path / "ws")
    assert (summary.missing, summary.broken, summary.unused) == (0, 1, 0)
    frames = {row["frame_id"]: row for row in workspace.frames().to_pylist()}
    assert len(frames) == 8
    assert frames["training_0002_image_02/000001"]["speed_mps"] == pytest.approx(5)
    assert frames[f"{LEFT}/000001"]["speed_mps"] is None  # its measurements are broken, its frames are not
    assert workspace.lake.read("oracle").num_rows == 5


def test_the_real_sequence_has_445_labelled_frames_without_an_image(tmp_path: Path, data_root: Path):
    folder = data_root / "kitti_tracking"
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing: the KITTI tracking sample of the shared data")
    adapter, clips, strays = opened(folder)
    assert {clip: len(found.stills) for clip, found in clips.items()} == {LEFT: 2, RIGHT: 2}
    assert {status for status, _ in strays.values()} == {"missing"}
    assert len(strays) == 445
    telemetry = adapter.telemetry(clips[LEFT])
    assert telemetry is not None
    # first line of oxts: vf 10.6957, vl 0.0829, yaw -0.2697 rad; vn, ve point the same way as the heading
    assert telemetry.signals["speed_mps"].values[0] == pytest.approx(
        np.hypot(10.695750797331, 0.082893715568935)
    )
    course = np.degrees(np.arctan2(10.286884437741, -2.9301818443449)) % 360
    assert telemetry.signals["heading_deg"].values[0] == pytest.approx(course, abs=1)
    assert telemetry.signals["projection"].values[0, 0] == pytest.approx(721.5377)
    read = adapter.labels(clips[LEFT])
    assert read is not None
    found = read(0, (375, 1242))
    assert found is not None
    assert (found.names.count("Car"), found.names.count("DontCare")) == (7, 5)
    summary = ingest(kitti_config("kitti_tracking", folder), tmp_path / "ws")[1]
    assert (summary.added, summary.missing, summary.frames) == (7, 445, 4)

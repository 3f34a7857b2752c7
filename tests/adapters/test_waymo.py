"""Waymo: segments cut into cameras, boxes, motion and conditions, damaged components, memory."""

from __future__ import annotations

import pickle
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataengine.adapters.base import BrokenFileError, Recording, files_under
from dataengine.adapters.waymo.adapter import Waymo
from dataengine.config import Config, DatasetConfig
from dataengine.errors import ConfigError, InputError
from dataengine.ingest import ingest
from dataengine.workspace import Outcome
from tests.adapters.waymo_segments import (
    BOX_SCHEMA,
    IMAGE_SCHEMA,
    SEGMENT,
    START_US,
    STATS_SCHEMA,
    box_row,
    image_row,
    picture,
    stats_row,
    write,
    write_segment,
)

SIZE = (48, 64)
FRONT = f"{SEGMENT}_FRONT"


def opened(root: Path, **settings: Any) -> tuple[Waymo, dict[str, Recording], dict[str, Outcome]]:
    adapter = Waymo(root, DatasetConfig(name="waymo", **settings))
    found = list(adapter.recordings())
    clips = {item.clip_id: item for item in found if isinstance(item, Recording)}
    strays = {item.path: item for item in found if isinstance(item, Outcome)}
    assert len(clips) + len(strays) == len(found)
    shared = {name for clip in clips.values() for name in clip.shared}
    assert not shared & set(strays)
    there = {path for path, stray in strays.items() if stray.status != "missing"}
    assert shared | there == set(files_under(root))
    return adapter, clips, strays


def test_a_segment_is_a_drive_and_each_camera_a_clip(tmp_path: Path):
    write_segment(tmp_path / "training")
    write_segment(tmp_path / "validation", segment="7_000_1_000", cameras=[5])
    _, clips, strays = opened(tmp_path)
    assert strays == {}
    assert {clip: (found.drive_id, found.camera, found.split_hint) for clip, found in clips.items()} == {
        FRONT: (SEGMENT, "FRONT", "pool"),
        f"{SEGMENT}_FRONT_LEFT": (SEGMENT, "FRONT_LEFT", "pool"),
        "7_000_1_000_SIDE_RIGHT": ("7_000_1_000", "SIDE_RIGHT", "val"),
    }
    clip = clips[FRONT]
    assert (clip.embedded, clip.fps, clip.start_time_s) == (True, 10, START_US / 1e6)
    assert (clip.files, len(clip.shared)) == ((), 4)
    assert clip.conditions == {"time_of_day": "day", "weather": "sunny", "location": "location_sf"}


def test_images_are_handed_over_as_they_are_packed(tmp_path: Path):
    write_segment(tmp_path / "training")
    adapter, clips, _ = opened(tmp_path)
    for camera, clip in enumerate(clips.values(), 1):
        images = list(adapter.encoded(clip))
        assert [(i.number, i.time_s) for i in images] == [(n, pytest.approx(n / 10)) for n in range(4)]
        assert [i.data for i in images] == [picture(n, camera) for n in range(4)]


@pytest.mark.parametrize("row_group_size", [1, 2, 5, 100])
@pytest.mark.parametrize("seed", [0, 1])
def test_rows_may_lie_in_any_order(tmp_path: Path, row_group_size: int, seed: int):
    rows = [image_row(number, camera) for number in range(6) for camera in (1, 2)]
    shuffled = [rows[at] for at in np.random.default_rng(seed).permutation(len(rows))]
    path = tmp_path / "testing" / "camera_image" / f"{SEGMENT}.parquet"
    write(path, shuffled, IMAGE_SCHEMA, row_group_size)
    adapter, clips, _ = opened(tmp_path)
    assert [image.data for image in adapter.encoded(clips[FRONT])] == [picture(n, 1) for n in range(6)]


def test_centre_and_size_become_corners_and_ids_tracks_of_one_camera(tmp_path: Path):
    write_segment(tmp_path / "training")
    adapter, clips, _ = opened(tmp_path)
    read = adapter.labels(clips[FRONT])
    first, second, third = (read(number, SIZE) for number in range(3))
    assert first.xyxy.tolist() == [[16, 8, 24, 12], [38, 14, 42, 26]]
    assert first.names == ("vehicle", "pedestrian")
    assert second.track_id[0] == first.track_id[0] != first.track_id[1]
    assert np.isnan(first.visibility).all()
    assert third.names == ()  # labelled, and nothing there
    other = adapter.labels(clips[f"{SEGMENT}_FRONT_LEFT"])
    assert [other(number, SIZE).names for number in (0, 1)] == [(), ("cyclist",)]


def test_boxes_of_another_segment_or_time_are_not_joined(tmp_path: Path):
    write_segment(tmp_path / "training")
    rows = [box_row(0, (5, 5, 2, 2), segment="another"), box_row(77, (5, 5, 2, 2)), box_row(2, (5, 6, 2, 4))]
    write(tmp_path / "training" / "camera_box" / f"{SEGMENT}.parquet", rows, BOX_SCHEMA)
    adapter, clips, _ = opened(tmp_path)
    read = adapter.labels(clips[FRONT])
    assert [read(number, SIZE).xyxy.tolist() for number in range(4)] == [[], [], [[4, 4, 6, 8]], []]


def test_testing_has_no_labels_and_is_no_split(tmp_path: Path):
    write_segment(tmp_path / "testing")["camera_box"].unlink()
    adapter, clips, strays = opened(tmp_path)
    assert strays == {}
    assert clips[FRONT].split_hint == ""
    assert adapter.labels(clips[FRONT]) is None


def test_the_root_may_be_the_split_itself(tmp_path: Path):
    write_segment(tmp_path / "validation")
    _, clips, _ = opened(tmp_path / "validation")
    assert {clip.split_hint for clip in clips.values()} == {"val"}


def test_the_published_velocity_is_taken_along_the_nose(tmp_path: Path):
    write_segment(tmp_path / "training", num_frames=11)
    adapter, clips, _ = opened(tmp_path)
    signals = adapter.telemetry(clips[FRONT]).signals
    times = np.array([0, 0.5, 1])
    assert signals["speed_mps"].at(times, 1.0) == pytest.approx([10, 11, 12], abs=1e-5)
    assert signals["yaw_rate_radps"].at(times, 1.0) == pytest.approx([0.1] * 3)
    assert signals["acceleration_mps2"].at(times, 1.0) == pytest.approx([2] * 3, abs=1e-4)


def test_without_velocities_poses_tell_the_motion(tmp_path: Path):
    paths = write_segment(tmp_path / "training", num_frames=11)
    table = pq.read_table(paths["camera_image"])
    dropped = [name for name in table.column_names if "velocity" in name]
    pq.write_table(table.drop_columns(dropped), paths["camera_image"])
    adapter, clips, _ = opened(tmp_path)
    signals = adapter.telemetry(clips[FRONT]).signals
    # the pose moves along y alone while the nose turns away from it, by 0.05 rad in the middle
    assert signals["speed_mps"].at(np.array([0.5]), 1.0)[0] == pytest.approx(11 * np.cos(0.05), abs=1e-6)
    assert signals["yaw_rate_radps"].at(np.array([0.5]), 1.0)[0] == pytest.approx(0.1)
    paths["vehicle_pose"].unlink()
    adapter, clips, _ = opened(tmp_path)
    assert adapter.telemetry(clips[FRONT]) is None


@pytest.mark.parametrize("words", [("Night", "Rain"), ("NIGHT", "rain"), ("Dawn/Dusk", "Sunny")])
def test_conditions_are_compared_in_lower_case(tmp_path: Path, words: tuple[str, str]):
    paths = write_segment(tmp_path / "training")
    write(paths["stats"], [stats_row(0, *words)], STATS_SCHEMA)
    _, clips, _ = opened(tmp_path)
    found = clips[FRONT].conditions
    assert (found["time_of_day"], found["weather"]) == (words[0].lower(), words[1].lower())


def test_only_the_chosen_cameras_are_read(tmp_path: Path):
    write_segment(tmp_path / "training")
    assert list(opened(tmp_path, cameras=["FRONT_LEFT"])[1]) == [f"{SEGMENT}_FRONT_LEFT"]
    _, clips, strays = opened(tmp_path, cameras=["SIDE_LEFT"])
    assert clips == {}
    assert {stray.reason for stray in strays.values()} == {"none of dataset.cameras is in its segment"}
    with pytest.raises(ConfigError, match=r"Waymo has no front; choose among FRONT, FRONT_LEFT"):
        opened(tmp_path, cameras=["front"])


def test_every_file_is_settled_once(tmp_path: Path):
    write_segment(tmp_path / "training")
    write_segment(tmp_path / "training", segment="no_images")["camera_image"].unlink()
    write_segment(tmp_path / "training", segment="no_boxes")["camera_box"].unlink()
    cut = write_segment(tmp_path / "training", segment="cut_images")["camera_image"]
    cut.write_bytes(cut.read_bytes()[:-100])
    empty = write_segment(tmp_path / "training", segment="empty_stats")["stats"]
    empty.write_bytes(b"")
    lidar = tmp_path / "training" / "lidar" / "a\nb.parquet"
    lidar.parent.mkdir()
    lidar.touch()
    (tmp_path / "LICENSE").touch()
    _, clips, strays = opened(tmp_path)
    assert sorted({clip.drive_id for clip in clips.values()}) == [SEGMENT, "empty_stats", "no_boxes"]
    found = {name.removeprefix("training/"): stray.status for name, stray in strays.items()}
    assert found == {
        "camera_image/no_images.parquet": "missing",
        "camera_box/no_images.parquet": "unused",
        "stats/no_images.parquet": "unused",
        "vehicle_pose/no_images.parquet": "unused",
        "camera_box/no_boxes.parquet": "missing",
        "camera_image/cut_images.parquet": "broken",
        "camera_box/cut_images.parquet": "unused",
        "stats/cut_images.parquet": "unused",
        "vehicle_pose/cut_images.parquet": "unused",
        "stats/empty_stats.parquet": "broken",
        "lidar/a\nb.parquet": "unused",
        "LICENSE": "unused",
    }


BAD_IMAGES = {
    "of two segments": ([image_row(0), image_row(1, segment="b")], "holds 2 segments"),
    "twice at one time": ([image_row(0), image_row(0)], "two images of camera 1 at one time"),
    "of camera 9": ([image_row(0, 9)], "an image of camera 9"),
    "before time": ([image_row(0) | {"key.frame_timestamp_micros": -5}], "a time that is none"),
    "without a time": ([image_row(0) | {"key.frame_timestamp_micros": None}], "null"),
    "without a row": ([], "holds 0 segments"),
}


@pytest.mark.parametrize("kind", BAD_IMAGES)
def test_impossible_images_are_a_broken_file(tmp_path: Path, kind: str):
    rows, reason = BAD_IMAGES[kind]
    write(tmp_path / "training" / "camera_image" / f"{SEGMENT}.parquet", rows, IMAGE_SCHEMA)
    _, clips, strays = opened(tmp_path)
    assert clips == {}
    (stray,) = strays.values()
    assert stray.status == "broken"
    assert reason in stray.reason


def test_boxes_that_cannot_be_read_are_named(tmp_path: Path):
    paths = write_segment(tmp_path / "training")
    whole = paths["camera_box"].read_bytes()
    text = pq.read_table(paths["camera_box"]).set_column(7, BOX_SCHEMA.names[7], pa.array(["x"] * 4))
    pq.write_table(text, paths["camera_box"])
    damaged = [
        paths["camera_box"].read_bytes(),
        b"",
        b"PAR1",
        whole[:50] + whole[60:],
        whole[:-9],
        b"x" * 999,
    ]
    adapter, clips, _ = opened(tmp_path)
    for data in damaged:
        paths["camera_box"].write_bytes(data)
        with pytest.raises(BrokenFileError, match=rf"training/camera_box/{SEGMENT}.parquet: ") as caught:
            adapter.labels(clips[FRONT])
        assert "\n" not in str(caught.value)
    pq.write_table(pa.table({"a": [1]}), paths["camera_box"])
    with pytest.raises(BrokenFileError, match=r"lacks the column key.segment_context_name"):
        adapter.labels(clips[FRONT])


def test_a_box_of_an_unknown_type_costs_its_frame(tmp_path: Path):
    paths = write_segment(tmp_path / "training")
    write(paths["camera_box"], [box_row(0, (9, 9, 4, 4), 7), box_row(1, (9, 9, 4, 4))], BOX_SCHEMA)
    adapter, clips, _ = opened(tmp_path)
    read = adapter.labels(clips[FRONT])
    with pytest.raises(BrokenFileError, match=rf"{SEGMENT}.parquet#{FRONT}/000000: a box of type 7"):
        read(0, SIZE)
    assert read(1, SIZE).names == ("vehicle",)


def test_figures_beyond_belief_are_not_taken(tmp_path: Path):
    paths = write_segment(tmp_path / "training")
    rows = [image_row(number) for number in range(4)]
    rows[1]["[CameraImageComponent].pose.transform"] = [1e308] * 16
    rows[2]["[CameraImageComponent].velocity.linear_velocity.x"] = float("inf")
    write(paths["camera_image"], rows, IMAGE_SCHEMA)
    write(paths["camera_box"], [box_row(0, (1e308, 9, 1e308, 4))], BOX_SCHEMA)
    adapter, clips, _ = opened(tmp_path)
    speed = adapter.telemetry(clips[FRONT]).signals["speed_mps"]
    assert speed.time_s == pytest.approx([0, 0.3])
    assert speed.values == pytest.approx([10, 10.6], abs=1e-5)
    assert np.isnan(adapter.labels(clips[FRONT])(0, SIZE).xyxy).any()


def test_flipped_bytes_never_end_in_a_traceback(tmp_path: Path):
    paths = write_segment(tmp_path / "training")
    rng = np.random.default_rng(0)
    for path in paths.values():
        whole = path.read_bytes()
        for at in rng.integers(0, len(whole), 25):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << int(rng.integers(8)))]) + whole[at + 1 :])
            adapter, clips, _ = opened(tmp_path)
            for clip in clips.values():
                for use in (adapter.labels, adapter.telemetry, lambda c, a=adapter: list(a.encoded(c))):
                    with suppress(BrokenFileError):
                        use(clip)
        path.write_bytes(whole)


def test_a_clip_crosses_into_a_worker_whole(tmp_path: Path):
    write_segment(tmp_path / "training")
    adapter, clips, _ = opened(tmp_path)
    there = pickle.loads(pickle.dumps((adapter, clips[FRONT])))
    assert len(list(there[0].encoded(there[1]))) == 4


def test_images_are_never_in_memory_together(tmp_path: Path):
    rng = np.random.default_rng(0)
    rows = [image_row(n) | {"[CameraImageComponent].image": rng.bytes(400_000)} for n in range(100)]
    path = tmp_path / "testing" / "camera_image" / f"{SEGMENT}.parquet"
    # 40 MB in one row group, in pages of few images: a page is the least that Parquet lets one read
    write(path, rows, IMAGE_SCHEMA, row_group_size=100, write_batch_size=2, use_dictionary=False)
    del rows
    adapter, clips, _ = opened(tmp_path)
    pool = pa.default_memory_pool()
    tracemalloc.start()
    before, most = pool.bytes_allocated(), 0
    for image in adapter.encoded(clips[FRONT]):
        most = max(most, pool.bytes_allocated() - before + tracemalloc.get_traced_memory()[0])
        assert len(image.data) == 400_000
    tracemalloc.stop()
    assert most < 10_000_000


def test_a_folder_of_something_else_names_what_was_looked_for(tmp_path: Path):
    (tmp_path / "segment.tfrecord").touch()
    with pytest.raises(InputError, match=r"holds no Waymo perception data of version 2: looked for"):
        opened(tmp_path)


def test_ingest_stores_the_images_with_boxes_and_motion(tmp_path: Path):
    root = tmp_path / "data"
    paths = write_segment(root / "training", num_frames=5)
    rows = [image_row(number, camera) for number in range(5) for camera in (1, 2)]
    rows[4]["[CameraImageComponent].image"] = b"\xff\xd8 cut"
    rows[6]["[CameraImageComponent].image"] = None
    write(paths["camera_image"], rows, IMAGE_SCHEMA)
    write_segment(root / "training", segment="cut")["camera_box"].write_bytes(b"PAR1")
    config = Config(dataset=DatasetConfig(name="waymo", root=str(root)))
    config.compute.workers = 1
    workspace, summary = ingest(config, tmp_path / "work")
    frames = workspace.lake.read("frames").to_pylist()
    assert [(f["clip_id"], f["frame_number"]) for f in frames] == [
        *[(FRONT, number) for number in (0, 1, 4)],
        *[(f"{SEGMENT}_FRONT_LEFT", number) for number in range(5)],
    ]
    assert [frame["speed_mps"] for frame in frames[:3]] == pytest.approx([10, 10.2, 10.8], abs=1e-4)
    assert (workspace.root / frames[0]["image_path"]).read_bytes() == picture(0, 1)
    assert workspace.lake.truth([frames[0]["frame_id"]]).xyxy.tolist() == [[16, 8, 24, 12], [38, 14, 42, 26]]
    assert (summary.added, summary.broken, summary.unused, summary.left_out) == (4, 1, 3, 2)
    _, again = ingest(config, tmp_path / "work")
    assert (again.frames, again.present, again.broken) == (0, 4, 1)

"""nuScenes: tables joined into clips, boxes by hand, motion, and every file settled once."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from dataengine.adapters.base import BrokenFileError, files_under
from dataengine.adapters.nuscenes.splits import _VAL, split_of
from dataengine.config import Config, DatasetConfig
from dataengine.errors import ConfigError, InputError
from dataengine.ingest import ingest
from tests.adapters.nuscenes_world import (
    CAR,
    SIZE,
    START_US,
    annotation,
    filename,
    front,
    opened,
    write_nuscenes,
    write_tables,
)
from tests.adapters.recordings import street, write_image


def test_a_scene_is_a_drive_and_each_of_its_cameras_a_clip(tmp_path: Path):
    write_nuscenes(tmp_path, {"scene-0061": "Parked truck", "scene-0103": "Night, many peds"})
    _, clips, _ = opened(tmp_path)
    assert list(clips) == [f"scene-{n}_{c}" for n in ("0061", "0103") for c in ("CAM_BACK", "CAM_FRONT")]
    clip = clips["scene-0061_CAM_FRONT"]
    assert (clip.drive_id, clip.camera, clip.vehicle_id, clip.fps) == ("scene-0061", "CAM_FRONT", "n015", 2)
    assert clip.start_time_s == START_US / 1e6
    # numbers are those of the samples, so that the cameras of one moment share them
    assert [(still.number, still.time_s) for still in clip.stills] == [(0, 0), (1, 0.5), (2, 1)]
    assert clips["scene-0061_CAM_BACK"].start_time_s == pytest.approx(START_US / 1e6 + 0.01)
    assert [found.split_hint for found in clips.values()] == ["pool", "pool", "val", "val"]


DESCRIPTIONS = {
    "Night, big street, bus stop": ("night", "dry"),
    "Rain, intersection": ("day", "rain"),
    "Night, after rain, many peds": ("night", "dry"),
    "Heavy rain at night": ("night", "rain"),
    "Train station, terrain": ("day", "dry"),
    "": (None, None),
}


@pytest.mark.parametrize("words", DESCRIPTIONS)
def test_night_and_rain_come_from_the_description(tmp_path: Path, words: str):
    write_nuscenes(tmp_path, {"scene-0061": words}, num_samples=1)
    found = front(tmp_path)[1].conditions
    assert found["location"] == "singapore-onenorth"
    assert (found.get("time_of_day"), found.get("weather")) == DESCRIPTIONS[words]


def test_boxes_are_those_worked_out_by_hand(tmp_path: Path):
    found = write_nuscenes(tmp_path)
    # the second sample's car has no lidar or radar point, the third's is rated 0-40 % and 40 m further
    found["sample_annotation"][1]["num_lidar_pts"] = 0
    found["sample_annotation"][2] |= {"visibility_token": "1", "num_lidar_pts": 0, "num_radar_pts": 1}
    found["sample_annotation"][2]["translation"][0] += 40
    found["sample_annotation"].append(annotation(2, category="animal", visibility_token=""))
    write_tables(tmp_path, found)
    adapter, clip = front(tmp_path, min_box_area=50)
    read = adapter.labels(clip)
    first, second, third = (read(number, SIZE) for number in range(3))
    assert first.xyxy.tolist() == [CAR]
    assert (first.names, first.ignore.tolist()) == (("vehicle.car",), [False])
    assert second.names == ()  # labelled, and nothing there
    # near face at 48 m: 2 / 48 * 100 by 1.5 / 48 * 100 pixels, less than 50 square pixels
    assert third.xyxy[0] == pytest.approx([32 - 100 / 48, 24 - 75 / 48, 32 + 100 / 48, 24 + 75 / 48])
    assert (third.names, third.ignore.tolist()) == (("vehicle.car", "animal"), [True, False])
    assert third.visibility == pytest.approx([0.2, np.nan], nan_ok=True)
    assert first.visibility == pytest.approx([0.9])
    assert third.track_id.tolist() == [first.track_id[0], first.track_id[0] + 2]


def test_the_pose_is_that_of_the_cameras_own_image(tmp_path: Path):
    found = write_nuscenes(tmp_path, num_samples=1)
    # 11.5 m behind the ego frame's origin at the sample; the back camera looks 10 ms, 5 cm later
    found["sample_annotation"][0]["translation"][0] = 1.5 - 10 + 0.05
    write_tables(tmp_path, found)
    adapter, clips, _ = opened(tmp_path)
    back = adapter.labels(clips["scene-0061_CAM_BACK"])(0, SIZE)
    assert back.xyxy[0] == pytest.approx(CAR)
    assert adapter.labels(clips["scene-0061_CAM_FRONT"])(0, SIZE).names == ()


def test_a_rescaled_image_has_rescaled_boxes(tmp_path: Path):
    write_nuscenes(tmp_path)
    adapter, clip = front(tmp_path)
    assert adapter.labels(clip)(0, (24, 32)).xyxy[0] == pytest.approx(np.array(CAR) / 2)


def test_an_object_has_another_number_in_another_scene(tmp_path: Path):
    write_nuscenes(tmp_path, {"scene-0061": "", "scene-0103": ""})
    adapter, clips, _ = opened(tmp_path)
    tracks = [adapter.labels(clips[f"scene-{n}_CAM_FRONT"])(0, SIZE).track_id[0] for n in ("0061", "0103")]
    assert tracks[0] != tracks[1]


def test_the_test_set_has_no_labels_and_no_split(tmp_path: Path):
    found = write_nuscenes(tmp_path, {"scene-0077": ""}, version="v1.0-test")
    found["sample_annotation"] = []
    write_tables(tmp_path, found, "v1.0-test")
    adapter, clips, _ = opened(tmp_path)
    clip = clips["scene-0077_CAM_FRONT"]
    assert adapter.labels(clip) is None
    assert (clip.split_hint, clip.conditions) == ("", {"location": "singapore-onenorth"})


def test_every_file_is_settled_once(tmp_path: Path):
    found = write_nuscenes(tmp_path)
    gone, other = filename("CAM_FRONT", START_US + 500_000), filename("CAM_FRONT", START_US + 7)
    (tmp_path / gone).unlink()
    write_image(tmp_path / other, street(0))
    found["sample_data"].append({**found["sample_data"][0], "filename": other, "token": "twice"})
    write_tables(tmp_path, found)
    write_image(tmp_path / "samples/CAM_FRONT/mine.jpg", street(0))
    (tmp_path / "samples/CAM_BACK/empty.jpg").touch()
    (tmp_path / "v1.0-mini/map.json").write_text("[]")
    (tmp_path / "README with a\nnew line").touch()
    _, clips, strays = opened(tmp_path)
    assert [still.number for still in clips["scene-0061_CAM_FRONT"].stills] == [0, 2]
    assert [still.time_s for still in clips["scene-0061_CAM_FRONT"].stills] == [0, 1]
    reasons = {name: found for name, found in strays.items() if found[0] != "added"}
    assert reasons[gone] == ("missing", "listed in v1.0-mini/sample_data.json")
    assert reasons[other] == ("unused", f"the same keyframe as {filename('CAM_FRONT', START_US)}")
    assert reasons["samples/CAM_FRONT/mine.jpg"] == ("unused", "in no table")
    assert reasons["samples/CAM_BACK/empty.jpg"] == ("unused", "in no table")
    assert reasons["v1.0-mini/map.json"] == ("unused", "not needed")
    assert reasons["README with a\nnew line"] == ("unused", "no part of nuScenes' layout")
    assert len([r for r in reasons.values() if r[1] == "no camera's"]) == 3
    assert len([r for r in reasons.values() if r[1] == "between keyframes: nobody labelled it"]) == 3


def test_only_the_chosen_cameras_are_read(tmp_path: Path):
    write_nuscenes(tmp_path)
    _, clips, strays = opened(tmp_path, cameras=["CAM_BACK"])
    assert list(clips) == ["scene-0061_CAM_BACK"]
    assert strays[filename("CAM_FRONT", START_US)] == ("unused", "CAM_FRONT is not among dataset.cameras")
    with pytest.raises(ConfigError, match=r"has no CAM_SIDE; choose among CAM_BACK, CAM_FRONT"):
        opened(tmp_path, cameras=["CAM_SIDE"])


def test_a_scene_of_two_versions_counts_once(tmp_path: Path):
    write_nuscenes(tmp_path, version="v1.0-trainval")
    write_nuscenes(tmp_path, version="v1.0-mini")
    _, clips, strays = opened(tmp_path)
    assert len(clips) == 2
    assert {clip.table for clip in clips.values()} == {"v1.0-trainval/sample_annotation.json"}
    assert strays["v1.0-mini/scene.json"] == ("added", "")


def test_the_published_val_scenes_are_150():
    assert len(_VAL) == 150
    hints = [split_of("v1.0-trainval", f"scene-{n}") for n in ("0003", "0004", "1073")]
    assert hints == ["val", "pool", "val"]
    # 0553 is val in the whole set, and trained on in the mini one
    assert (split_of("v1.0-trainval", "scene-0553"), split_of("v1.0-mini", "scene-0553")) == ("val", "pool")
    assert split_of("v1.0-trainval", "my scene") == ""


def test_a_clip_crosses_into_a_worker_whole(tmp_path: Path):
    write_nuscenes(tmp_path)
    adapter, clip = pickle.loads(pickle.dumps(front(tmp_path)))
    assert adapter.labels(clip)(0, SIZE).xyxy.tolist() == [CAR]


def test_a_folder_of_something_else_names_what_was_looked_for(tmp_path: Path):
    (tmp_path / "a.jpg").touch()
    with pytest.raises(InputError, match=r"holds no nuScenes: looked for v1.0-\*/sample_data.json"):
        opened(tmp_path)


def test_ingest_writes_boxes_speed_and_conditions(tmp_path: Path):
    found = write_nuscenes(tmp_path / "data", {"scene-0061": "Night"}, num_samples=4)
    found["ego_pose"][0]["translation"] = [None, 0, 0]
    write_tables(tmp_path / "data", found)
    dataset = DatasetConfig(name="nuscenes", root=str(tmp_path / "data"), cameras=["CAM_FRONT"])
    config = Config(dataset=dataset)
    config.compute.workers = 1
    with pytest.raises(BrokenFileError, match=r"ego_pose.json: record 0"):
        ingest(config, tmp_path / "refused")
    found["ego_pose"][0]["translation"] = [float("nan"), 0, 0]
    write_tables(tmp_path / "data", found)
    (tmp_path / "data" / filename("CAM_FRONT", START_US + 500_000)).write_bytes(b"\xff\xd8 cut")
    workspace, summary = ingest(config, tmp_path / "work")
    frames = workspace.lake.read("frames").to_pylist()
    assert [frame["frame_number"] for frame in frames] == [2, 3]
    assert [frame["speed_mps"] for frame in frames] == pytest.approx([5, 5], abs=1e-3)
    assert dict(frames[0]["conditions"])["time_of_day"] == "night"
    truth = workspace.lake.truth([frame["frame_id"] for frame in frames])
    assert truth.xyxy.tolist() == [CAR, CAR]
    assert (summary.clips, summary.frames, summary.broken) == (1, 2, 1)
    assert summary.num_files == len(list(files_under(tmp_path / "data")))

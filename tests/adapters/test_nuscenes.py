"""nuScenes: tables joined into clips, boxes by hand, motion, and every file settled once."""

from __future__ import annotations

import json
import pickle
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataengine.adapters import nuscenes_records
from dataengine.adapters.base import BrokenFileError, Recording, files_under
from dataengine.adapters.labels import check
from dataengine.adapters.nuscenes import NuScenes
from dataengine.adapters.nuscenes_splits import _VAL, split_of
from dataengine.config import Config, DatasetConfig
from dataengine.errors import ConfigError, InputError
from dataengine.ingest import ingest
from dataengine.workspace import Outcome
from tests.adapters.mutations import mutated
from tests.adapters.nuscenes_world import (
    LOG,
    START_US,
    annotation,
    filename,
    tables,
    write_can,
    write_nuscenes,
    write_tables,
)
from tests.adapters.recordings import street, write_image

SIZE = (48, 64)
CAR = [19.5, 14.625, 44.5, 33.375]
"""The fixture's car: a near face of 2 m x 1.5 m at 8 m, through a focal length of 100 pixels."""


def opened(root: Path, **settings: Any) -> tuple[NuScenes, dict[str, Recording], dict[str, Outcome]]:
    adapter = NuScenes(root, DatasetConfig(name="nuscenes", **settings))
    found = list(adapter.recordings())
    clips = {item.clip_id: item for item in found if isinstance(item, Recording)}
    strays = [item for item in found if isinstance(item, Outcome)]
    named = [stray.path for stray in strays] + [name for clip in clips.values() for name in clip.files]
    assert len(named) == len(set(named))
    missing = {stray.path for stray in strays if stray.status == "missing"}
    shared = {name for clip in clips.values() for name in clip.shared}
    assert {*named, *shared} - missing == set(files_under(root))
    return adapter, clips, {stray.path: stray for stray in strays}


def front(root: Path, **settings: Any) -> tuple[NuScenes, Recording]:
    adapter, clips, _ = opened(root, **settings)
    return adapter, clips["scene-0061_CAM_FRONT"]


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


def test_speed_comes_from_the_poses_of_all_front_images(tmp_path: Path):
    write_nuscenes(tmp_path)
    adapter, clips, _ = opened(tmp_path)
    for clip in clips.values():
        signals = adapter.telemetry(clip).signals
        times = np.array([still.time_s for still in clip.stills])
        assert signals["speed_mps"].at(times, 1.0) == pytest.approx([5, 5, 5])
        assert signals["yaw_rate_radps"].at(times, 1.0) == pytest.approx([0, 0, 0])
        assert signals["acceleration_mps2"].at(times, 1.0) == pytest.approx([0, 0, 0], abs=1e-6)
        assert len(signals["speed_mps"].time_s) == 6  # keyframes and sweeps


def test_the_can_bus_measures_what_it_has_in_its_own_units(tmp_path: Path):
    write_nuscenes(tmp_path)
    messages = {
        "pose": [{"vel": [7.0, 0, 0], "rotation_rate": [0, 0, 0.25], "accel": [-1.5, 0, 9.8]}],
        "steeranglefeedback": [{"value": np.pi / 2}],
        "vehicle_monitor": [{"vehicle_speed": 36.0, "brake": 63, "throttle": 250, "steering": 1.0}],
        "meta": [{"anything": 1}],
    }
    for message, records in messages.items():
        write_can(tmp_path, "scene-0061", message, [{"utime": START_US + 500_000, **r} for r in records])
    write_can(tmp_path, "scene-0499", "pose", [])
    adapter, clips, strays = opened(tmp_path)
    clip = clips["scene-0061_CAM_FRONT"]
    assert len(clip.shared) == 3
    signals = adapter.telemetry(clip).signals
    assert {name: signal.at(np.array([0.5]), 1.0)[0] for name, signal in signals.items()} == pytest.approx(
        {
            "speed_mps": 7,
            "yaw_rate_radps": 0.25,
            "acceleration_mps2": -1.5,
            "steering_angle_deg": 90,
            "wheel_speed_mps": 10,
            "brake": 0.5,
            "throttle": 0.25,
        }
    )
    assert {strays[f"can_bus/{n}.json"].status for n in ("scene-0061_meta", "scene-0499_pose")} == {"unused"}


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
    reasons = {n: (stray.status, stray.reason) for n, stray in strays.items() if stray.status != "added"}
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
    assert strays[filename("CAM_FRONT", START_US)].reason == "CAM_FRONT is not among dataset.cameras"
    with pytest.raises(ConfigError, match=r"has no CAM_SIDE; choose among CAM_BACK, CAM_FRONT"):
        opened(tmp_path, cameras=["CAM_SIDE"])


def test_a_scene_of_two_versions_counts_once(tmp_path: Path):
    write_nuscenes(tmp_path, version="v1.0-trainval")
    write_nuscenes(tmp_path, version="v1.0-mini")
    _, clips, strays = opened(tmp_path)
    assert len(clips) == 2
    assert {clip.table for clip in clips.values()} == {"v1.0-trainval/sample_annotation.json"}
    assert strays["v1.0-mini/scene.json"].status == "added"


def test_the_published_val_scenes_are_150():
    assert len(_VAL) == 150
    hints = [split_of("v1.0-trainval", f"scene-{n}") for n in ("0003", "0004", "1073")]
    assert hints == ["val", "pool", "val"]
    # 0553 is val in the whole set, and trained on in the mini one
    assert (split_of("v1.0-trainval", "scene-0553"), split_of("v1.0-mini", "scene-0553")) == ("val", "pool")
    assert split_of("v1.0-trainval", "my scene") == ""


DAMAGE = {
    "truncated": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "spaces": lambda data: b"  \n",
    "an object": lambda data: b'{"a": ' + data + b"}",
    "no records": lambda data: b"[1, 2]",
    "flipped": lambda data: data.replace(b":", b";", 3),
    "nested": lambda data: b"[" * 10_000 + b"]" * 10_000,
    "nested in a record": lambda data: b'[{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
    "not UTF-8": lambda data: data.replace(b'"', b'"\xff', 1),
    "lacking fields": lambda data: b"[{}]",
    "other types": lambda data: b'[{"token": 5, "scene_token": [], "sample_token": {}, "filename": null}]',
    "a number of 5000 digits": lambda data: b'[{"token": ' + b"9" * 5000 + b"}]",
}


TABLES = ["scene", "sample", "sample_data", "ego_pose", "sample_annotation", "sensor"]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_table_is_one_line_that_names_it(tmp_path: Path, table: str, kind: str):
    write_nuscenes(tmp_path, num_samples=1)
    path = tmp_path / "v1.0-mini" / f"{table}.json"
    path.write_bytes(DAMAGE[kind](path.read_bytes()))
    with pytest.raises(BrokenFileError, match=rf"v1.0-mini/{table}.json: .*fetch ") as caught:
        opened(tmp_path)
    assert "\n" not in str(caught.value)


REFERENCES = [
    ("sample_data", "calibrated_sensor_token"),
    ("sample_data", "sample_token"),
    ("sample_annotation", "instance_token"),
    ("instance", "category_token"),
    ("scene", "log_token"),
    ("sample", "scene_token"),
]


@pytest.mark.parametrize(("table", "key"), REFERENCES)
def test_a_reference_to_nothing_names_its_table(tmp_path: Path, table: str, key: str):
    found = tables({"scene-0061": ""})
    found[table][0][key] = "nowhere"
    write_tables(tmp_path, found)
    with pytest.raises(BrokenFileError, match=f"v1.0-mini/{table}.json"):
        opened(tmp_path)


def test_a_missing_table_is_named(tmp_path: Path):
    folder = write_tables(tmp_path, tables({"scene-0061": ""}))
    (folder / "ego_pose.json").unlink()
    with pytest.raises(InputError, match=r"v1.0-mini lacks ego_pose.json; fetch the tables again"):
        opened(tmp_path)


SPOILED = {
    "a centre that is NaN": ("sample_annotation", "translation", [float("nan"), 0, 0]),
    "a turn of length 0": ("sample_annotation", "rotation", [0, 0, 0, 0]),
    "an extent of 0": ("sample_annotation", "size", [0, 1, 1]),
    "a pose at infinity": ("ego_pose", "translation", [1e999, 0, 0]),
    "a pose beyond the world": ("ego_pose", "translation", [1e200, 0, 0]),
    "a pose that is not listed": ("ego_pose", "token", "another"),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_a_frame_with_an_impossible_figure_is_left_out_alone(tmp_path: Path, kind: str):
    table, key, value = SPOILED[kind]
    found = write_nuscenes(tmp_path)
    found[table][0][key] = value
    write_tables(tmp_path, found)
    adapter, clip = front(tmp_path)
    read = adapter.labels(clip)
    with pytest.raises(BrokenFileError, match=r"sample_annotation.json#scene-0061_CAM_FRONT/000000: a "):
        read(0, SIZE)
    assert read(1, SIZE).xyxy.tolist() == [CAR]
    assert np.isfinite(adapter.telemetry(clip).signals["speed_mps"].values).all()


@pytest.mark.parametrize("kind", [*DAMAGE, "NaN"])
def test_damaged_can_messages_are_named_and_cost_no_frame(tmp_path: Path, kind: str):
    write_nuscenes(tmp_path)
    path = write_can(tmp_path, "scene-0061", "steeranglefeedback", [{"utime": START_US, "value": 1.0}])
    nan = b'[{"utime": NaN, "value": 1}]'
    path.write_bytes(nan if kind == "NaN" else DAMAGE[kind](path.read_bytes()))
    adapter, clip = front(tmp_path)
    with pytest.raises(BrokenFileError, match=r"can_bus/scene-0061_steeranglefeedback.json"):
        adapter.telemetry(clip)


@pytest.mark.parametrize("seed", range(8))
def test_no_damage_ends_in_a_traceback(tmp_path: Path, seed: int):
    write_nuscenes(tmp_path)
    write_can(tmp_path, "scene-0061", "steeranglefeedback", [{"utime": START_US, "value": 1.0}])
    rng = random.Random(seed)
    paths = sorted(tmp_path.rglob("*.json"))
    for _ in range(15):
        path = rng.choice(paths)
        whole = path.read_bytes()
        path.write_bytes(mutated(whole, rng))
        with suppress(InputError):
            adapter, clips, _ = opened(tmp_path)
            for clip in clips.values():
                read = adapter.labels(clip)
                for still in clip.stills if read else ():
                    with suppress(BrokenFileError):
                        check(read(still.number, SIZE), SIZE)
                with suppress(BrokenFileError):
                    adapter.telemetry(clip)
        path.write_bytes(whole)


@pytest.mark.parametrize("chunk", [1, 7, 100, 1 << 20])
def test_tables_are_read_alike_in_chunks_of_any_size(tmp_path: Path, monkeypatch, chunk: int):
    monkeypatch.setattr(nuscenes_records, "_CHUNK", chunk)
    records = [{"token": "a]b", "n": [1, {"x": 'ü " ]'}]}, {}, {"token": "é" * 20}]
    (tmp_path / "t.json").write_text(f"\n {json.dumps(records, indent=1)}\n", encoding="utf-8")
    assert list(nuscenes_records.read(tmp_path, "t.json", lambda record: record)) == records


def test_a_clip_crosses_into_a_worker_whole(tmp_path: Path):
    write_nuscenes(tmp_path)
    adapter, clip = pickle.loads(pickle.dumps(front(tmp_path)))
    assert adapter.labels(clip)(0, SIZE).xyxy.tolist() == [CAR]


def test_images_without_tables_are_clips_by_their_names(tmp_path: Path):
    for channel, milliseconds in (("CAM_FRONT", (0, 500, 6000)), ("CAM_BACK", (37,))):
        for ms in milliseconds:
            write_image(tmp_path / filename(channel, START_US + ms * 1000, "any"), street(ms))
    (tmp_path / "notes.txt").touch()
    (tmp_path / "n015-2018-07-24-11-22-45+0800__LIDAR_TOP__1532402927647951.pcd.bin").touch()
    write_image(tmp_path / "n015-2018-99-24-11-22-45+0800__CAM_FRONT__1532402927000000.jpg", street(1))
    write_image(tmp_path / "again" / Path(filename("CAM_BACK", START_US + 37_200)).name, street(1))
    adapter, clips, strays = opened(tmp_path)
    # the log began at 11:22:45 in Singapore, which is 1532402565
    assert list(clips) == [f"{LOG}_CAM_BACK_362037", f"{LOG}_CAM_FRONT_362000", f"{LOG}_CAM_FRONT_368000"]
    clip = clips[f"{LOG}_CAM_FRONT_362000"]
    assert [(s.number, s.time_s) for s in clip.stills] == [(362000, 0), (362500, pytest.approx(0.5))]
    assert (clip.drive_id, clip.fps) == (LOG, pytest.approx(2))
    assert adapter.labels(clip) is None
    assert adapter.telemetry(clip) is None
    twin = Path(filename("CAM_BACK", START_US + 37_200)).name
    assert sorted(stray.reason.split(" (")[0] for stray in strays.values()) == [
        "its time is not within a day of its log's",
        "no image with an official name",
        "no image with an official name",
        f"the same frame as again/{twin}",
    ]


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


def test_the_real_keyframe_is_six_unlabelled_clips(data_root: Path):
    root = data_root / "nuscenes_keyframe"
    if not root.is_dir():
        pytest.skip(f"{root} is missing: the nuScenes sample of the shared data")
    adapter, clips, strays = opened(root)
    assert strays == {}
    assert sorted(clip.camera for clip in clips.values()) == [
        *("CAM_BACK", "CAM_BACK_LEFT", "CAM_BACK_RIGHT"),
        *("CAM_FRONT", "CAM_FRONT_LEFT", "CAM_FRONT_RIGHT"),
    ]
    assert {(clip.drive_id, len(clip.stills)) for clip in clips.values()} == {(LOG, 1)}
    assert next(c for c in clips.values() if c.camera == "CAM_FRONT").start_time_s == 1532402927.612460
    assert {adapter.labels(clip) for clip in clips.values()} == {None}

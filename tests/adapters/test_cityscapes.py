"""Cityscapes: clips, boxes from instance ids and polygons, vehicle data, every file settled once."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dataengine.config import Config, DatasetConfig
from dataengine.errors import ConfigError, InputError
from dataengine.ingest import ingest
from tests.adapters.cityscapes_streets import (
    BOXES,
    CLIP,
    ONE,
    SIZE,
    add_ids,
    add_image,
    add_polygons,
    add_vehicle,
    opened,
    read_one,
    stem,
    write_frame,
)


def test_a_city_is_a_drive_and_a_run_of_frames_a_clip(tmp_path: Path):
    for where in (stem(0, 19), stem(1, 19), stem(0, 19, "lindau", "val"), stem(0, 19, "berlin", "test")):
        add_image(tmp_path, where)
    for frame in (4, 5, 500, 530, 561):
        add_image(tmp_path, stem(0, frame, "hamburg"))
    add_image(tmp_path, stem(1, 6, "hamburg"))
    adapter, clips, strays = opened(tmp_path)
    assert strays == {}
    assert {clip: [s.number for s in found.stills] for clip, found in clips.items()} == {
        "berlin_000000_000000": [19],
        "aachen_000000_000000": [19],
        "aachen_000001_000000": [19],
        "hamburg_000000_000004": [4, 5],
        "hamburg_000000_000481": [500, 530],
        "hamburg_000000_000542": [561],
        "hamburg_000001_000006": [6],
        "lindau_000000_000000": [19],
    }
    assert [clips[f"{city}_000000_000000"].split_hint for city in ("aachen", "lindau", "berlin")] == [
        *("pool", "val", "")
    ]
    assert {clip.drive_id for clip in clips.values()} == {"aachen", "berlin", "hamburg", "lindau"}
    assert [s.time_s for s in clips["hamburg_000000_000481"].stills] == pytest.approx([19 / 17, 49 / 17])
    # sequences of 30 frames follow one another; longer ones are kept apart on the city's clock
    assert clips["aachen_000001_000000"].start_time_s == pytest.approx(30 / 17)
    assert clips["hamburg_000001_000006"].start_time_s > clips["hamburg_000000_000542"].start_time_s + 1000
    assert {adapter.labels(clip) for clip in clips.values()} == {None}


def test_boxes_hold_the_visible_pixels_of_instances_and_groups_are_ignored(tmp_path: Path):
    write_frame(tmp_path, ONE)
    labels = read_one(tmp_path, min_box_area=10)
    assert labels.names == ("person", "car", "car", "bicycle")
    assert labels.xyxy.tolist() == [BOXES[name] for name in ("person", "car", "car 2", "bicycle")]
    assert labels.ignore.tolist() == [False, False, True, True]  # 9 square pixels are below 10
    assert labels.track_id.tolist() == [-1] * 4
    assert np.isnan(labels.visibility).all()


def test_polygons_give_the_same_boxes_where_there_are_no_ids(tmp_path: Path):
    write_frame(tmp_path / "ids", ONE)
    add_image(tmp_path / "polygons", ONE)
    add_polygons(tmp_path / "polygons", ONE)
    ids, polygons = read_one(tmp_path / "ids"), read_one(tmp_path / "polygons")
    assert polygons.names == ids.names
    assert polygons.xyxy.tolist() == ids.xyxy.tolist()
    assert polygons.ignore.tolist() == ids.ignore.tolist()


def test_a_frame_without_objects_is_labelled(tmp_path: Path):
    add_image(tmp_path, ONE)
    add_ids(tmp_path, ONE, np.full(SIZE, 7, np.uint16))
    assert read_one(tmp_path).xyxy.shape == (0, 4)
    add_image(tmp_path, stem(1, 19))
    add_polygons(tmp_path, stem(1, 19), objects=[])
    adapter, clips, _ = opened(tmp_path)
    assert adapter.labels(clips["aachen_000001_000000"])(19, SIZE).names == ()


def test_in_a_sequence_only_the_annotated_frame_is_labelled(tmp_path: Path):
    write_frame(tmp_path, ONE)
    for frame in range(17, 22):
        add_image(tmp_path, stem(0, frame), "leftImg8bit_sequence")
    adapter, clips, strays = opened(tmp_path)
    (clip,) = clips.values()
    assert [still.image.partition("/")[0] for still in clip.stills] == [
        *["leftImg8bit_sequence"] * 2,
        *["leftImg8bit"],
        *["leftImg8bit_sequence"] * 2,
    ]
    reader = adapter.labels(clip)
    assert [reader(n, SIZE) is None for n in range(17, 22)] == [True, True, False, True, True]
    assert {reason for _, reason in strays.values()} == {
        "the same as leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png"
    }


def test_vehicle_data_is_telemetry_at_its_frames(tmp_path: Path):
    for frame in range(18, 22):
        add_image(tmp_path, stem(0, frame), "leftImg8bit_sequence")
        if frame != 20:
            changes = {"speed": 10 + frame / 17 * 2, "gpsHeading": 359.0 if frame == 18 else 1.0}
            add_vehicle(tmp_path, stem(0, frame), "vehicle_sequence", **changes)
    adapter, clips, _ = opened(tmp_path)
    (clip,) = clips.values()
    assert len(clip.files) == 7
    signals = adapter.telemetry(clip).signals
    times = np.array([still.time_s for still in clip.stills])
    assert times == pytest.approx(np.arange(4) / 17)
    assert signals["speed_mps"].at(times, 1.0) == pytest.approx(10 + np.arange(18, 22) / 17 * 2)
    assert signals["acceleration_mps2"].at(times, 1.0) == pytest.approx([2] * 4)
    assert signals["yaw_rate_radps"].at(times, 1.0) == pytest.approx([0.02] * 4)
    assert signals["heading_deg"].at(times[:1] + 0.5 / 17, 1.0) == pytest.approx([0])
    assert signals["latitude_deg"].values[0] == 50.78
    assert signals["longitude_deg"].values[0] == 6.07
    assert signals["outside_temperature_degc"].values[0] == 17.5


def test_values_that_are_missing_or_no_numbers_leave_gaps(tmp_path: Path):
    for frame, speed in enumerate((5.0, float("nan"), 1e999, 8.0, 1e308, -1e308)):
        add_image(tmp_path, stem(0, frame))
        path = add_vehicle(tmp_path, stem(0, frame), speed=speed)
        path.write_text(path.read_text().replace("yawRate", "other"))
    adapter, clips, _ = opened(tmp_path)
    signals = adapter.telemetry(clips["aachen_000000_000000"]).signals
    assert "yaw_rate_radps" not in signals
    assert signals["speed_mps"].at(np.arange(6) / 17, 1.0) == pytest.approx([5, 6, 7, 8, 8, 8])
    assert signals["acceleration_mps2"].values == pytest.approx([17, 17])


def test_every_file_is_settled_once(tmp_path: Path):
    write_frame(tmp_path, ONE)
    add_polygons(tmp_path, ONE)
    add_image(tmp_path, stem(1, 19))
    write_frame(tmp_path, stem(2, 19))
    (tmp_path / f"leftImg8bit/{stem(2, 19)}_leftImg8bit.png").unlink()
    add_vehicle(tmp_path, stem(2, 19))
    add_image(tmp_path, stem(0, 19, "berlin", "test"))
    add_ids(tmp_path, stem(0, 19, "berlin", "test"))
    odd = [
        f"disparity/{ONE}_disparity.png",
        f"gtCoarse/{ONE}_gtCoarse_polygons.json",
        "leftImg8bit/train/aachen/zürich 1.png",
        "leftImg8bit/train/aachen/bremen_000000_000019_leftImg8bit.png",
        f"leftImg8bit/{ONE}_leftImg8bit_foggy_beta_0.01.png",
        "README\n",
    ]
    for name in odd:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    _, clips, strays = opened(tmp_path)
    assert {clip: len(found.files) for clip, found in clips.items()} == {
        "berlin_000000_000000": 1,
        CLIP: 3,
        "aachen_000001_000000": 1,
    }
    gone = f"leftImg8bit/{stem(2, 19)}_leftImg8bit.png"
    found = dict(strays)
    assert found.pop(gone) == ("missing", "its annotation is there")
    for kind in ("instanceIds", "labelIds"):
        assert found.pop(f"gtFine/{stem(2, 19)}_gtFine_{kind}.png") == ("unused", f"{gone} is missing")
        dummy = found.pop(f"gtFine/{stem(0, 19, 'berlin', 'test')}_gtFine_{kind}.png")
        assert dummy == ("unused", "the publisher withholds the labels of test: this is a dummy")
    assert found.pop(f"gtFine/{stem(1, 19)}_gtFine_instanceIds.png")[0] == "missing"
    assert found.pop(f"gtFine/{ONE}_gtFine_polygons.json") == (
        "unused",
        "the same annotation in another form",
    )
    assert found.pop(f"vehicle/{stem(2, 19)}_vehicle.json") == ("unused", "its image is not there")
    assert found.pop(odd[0]) == ("unused", "not needed")
    assert found.pop(odd[1])[0] == "unused"
    assert found == dict.fromkeys(odd[2:], ("unused", "no part of Cityscapes' layout"))


def test_a_folder_or_camera_of_something_else_is_told(tmp_path: Path):
    (tmp_path / "a.png").touch()
    with pytest.raises(InputError, match=r"holds no Cityscapes: looked for leftImg8bit/<split>/<city>/"):
        opened(tmp_path)
    with pytest.raises(ConfigError, match=r"Cityscapes is read by its camera left"):
        opened(tmp_path, cameras=["right"])


def test_ingest_takes_what_is_whole(tmp_path: Path):
    root = tmp_path / "data"
    for sequence in range(4):
        write_frame(root, stem(sequence, 19))
        add_vehicle(root, stem(sequence, 19), speed=7.0)
    (root / f"gtFine/{stem(1, 19)}_gtFine_instanceIds.png").write_bytes(b"\x89PNG cut")
    (root / f"leftImg8bit/{stem(2, 19)}_leftImg8bit.png").write_bytes(b"")
    (root / f"vehicle/{stem(3, 19)}_vehicle.json").write_bytes(b"{")
    config = Config(dataset=DatasetConfig(name="cityscapes", root=str(root)))
    config.compute.workers = 1
    workspace, summary = ingest(config, tmp_path / "work")
    frames = workspace.lake.read("frames").to_pylist()
    assert [frame["frame_id"] for frame in frames] == [f"aachen_{n:06d}_000000/000019" for n in (0, 3)]
    assert [frame["speed_mps"] for frame in frames] == [7, None]
    assert frames[0]["mask_path"] == f"gtFine/{ONE}_gtFine_labelIds.png"
    truth = workspace.lake.truth([frames[0]["frame_id"]])
    classes = [workspace.taxonomy.classes[number] for number in truth.class_id]
    assert list(zip(classes, truth.ignore.tolist(), strict=True)) == [
        ("pedestrian", False),
        ("car", False),
        ("car", False),
        ("bicycle", True),
    ]
    assert (summary.broken, summary.missing) == (3, 0)
    assert summary.num_files == 16


def test_sequences_that_come_later_add_frames_to_the_same_clip(tmp_path: Path):
    root = tmp_path / "data"
    write_frame(root, ONE)
    config = Config(dataset=DatasetConfig(name="cityscapes", root=str(root)))
    config.compute.workers = 1
    ingest(config, tmp_path / "work")
    for frame in (0, 18, 19, 29):
        add_image(root, stem(0, frame), "leftImg8bit_sequence")
        add_vehicle(root, stem(0, frame), "vehicle_sequence", speed=frame / 17)
    workspace, summary = ingest(config, tmp_path / "work")
    frames = sorted(workspace.lake.read("frames").to_pylist(), key=lambda frame: frame["frame_number"])
    assert [frame["frame_id"] for frame in frames] == [f"{CLIP}/{n:06d}" for n in (0, 18, 19, 29)]
    assert [frame["time_s"] for frame in frames] == pytest.approx([0, 18 / 17, 19 / 17, 29 / 17])
    # the annotated frame was there before its vehicle data was
    assert [frame["speed_mps"] for frame in frames] == [
        0,
        pytest.approx(18 / 17),
        None,
        pytest.approx(29 / 17),
    ]
    assert workspace.lake.read("oracle").num_rows == 1
    assert (summary.frames, summary.broken, summary.missing) == (3, 0, 0)


def test_the_real_frames_have_their_people_and_cars(data_root: Path):
    root = data_root / "cityscapes"
    if not root.is_dir():
        pytest.skip(f"{root} is missing: the Cityscapes sample of the shared data")
    adapter, clips, strays = opened(root)
    assert strays == {}
    counts = {}
    for clip_id, clip in clips.items():
        labels = adapter.labels(clip)(19, (1024, 2048))
        counts[clip_id] = {name: labels.names.count(name) for name in sorted(set(labels.names))}
        # every box is as tight as can be: its four border lines each hold a pixel of some object
        ids = cv2.imdecode(np.fromfile(root / clip.stills[0].labels, np.uint8), cv2.IMREAD_UNCHANGED)
        for x1, y1, x2, y2 in labels.xyxy[~labels.ignore].astype(int):
            cut = ids[y1:y2, x1:x2] >= 24_000
            assert cut[0].any()
            assert cut[-1].any()
            assert cut[:, 0].any()
            assert cut[:, -1].any()
    assert counts["aachen_000000_000000"] == {"bicycle": 2, "car": 8, "person": 2, "rider": 1}
    assert counts["aachen_000001_000000"] == {"car": 14}
    first = adapter.labels(clips["aachen_000000_000000"])(19, (1024, 2048))
    assert first.xyxy[0].tolist() == [892, 446, 913, 498]

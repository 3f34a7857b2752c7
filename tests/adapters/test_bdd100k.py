"""BDD100K: every release's labels, and drives by video."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.adapters.bdd_opened import labels_of, names_of, opened
from tests.adapters.bdd_recordings import (
    A,
    B,
    key_frame,
    label,
    lane,
    oldest,
    track_frame,
    write_bdd,
    write_json,
    write_key_frames,
    write_picture,
    write_track,
)


def test_everything_of_a_video_is_one_drive(tmp_path: Path):
    write_bdd(tmp_path)
    adapter, clips, strays = opened(tmp_path)
    assert {clip: (found.drive_id, found.split_hint) for clip, found in clips.items()} == {
        f"{A}.100k": (A, "pool"),
        f"{A}.10k": (A, "pool"),
        f"{A}.track": (A, "pool"),
        f"{A}.video": (A, "pool"),
        f"{B}.100k": (B, "val"),
    }
    assert strays == {"labels/det_20/det_train.json": ("added", "")}
    track, key = clips[f"{A}.track"], clips[f"{A}.100k"]
    assert [(still.number, still.time_s) for still in track.stills] == [(0, 0), (1, 0.2), (2, 0.4)]
    assert track.shared == (f"labels/box_track_20/train/{A}.json", f"info/100k/train/{A}.json")
    assert (key.start_time_s, track.start_time_s, clips[f"{A}.video"].start_time_s) == (10, 0, 0)
    assert labels_of(adapter, track)[1].track_id.tolist() == [0, 1]
    assert labels_of(adapter, key)[0].xyxy.tolist() == [[4, 8, 20, 24]]
    assert labels_of(adapter, key)[0].track_id.tolist() == [-1]
    # the 10k copy of the key frame bears its name, so its labels are its own
    assert names_of(adapter, clips[f"{A}.10k"]) == {0: ("car",)}
    night = {"weather": "rain", "scene": "highway", "time_of_day": "night"}
    assert {clip: dict(found.conditions) for clip, found in clips.items()} == {
        **dict.fromkeys([f"{A}.100k", f"{A}.10k", f"{A}.track", f"{A}.video"], night),
        f"{B}.100k": {},
    }


def test_an_image_that_nobody_lists_is_unlabelled_and_one_without_objects_is_empty(tmp_path: Path):
    write_track(tmp_path, "train", A, 4)
    write_key_frames(tmp_path, "train", B)
    frames = [track_frame(A, 0, label()), track_frame(A, 1), track_frame(A, 2, labels=None)]
    write_json(tmp_path / f"labels/box_track_20/train/{A}.json", frames)
    adapter, clips, _ = opened(tmp_path)
    assert names_of(adapter, clips[f"{A}.track"]) == {0: ("car",), 1: (), 2: (), 3: None}
    assert adapter.labels(clips[f"{B}.100k"]) is None


def test_a_list_of_names_and_attributes_labels_nothing(tmp_path: Path):
    write_key_frames(tmp_path, "test", A)
    entry = key_frame(A)
    del entry["labels"]
    write_json(tmp_path / "labels/det_20/det_test.json", [entry])
    adapter, clips, strays = opened(tmp_path)
    assert adapter.labels(clips[f"{A}.100k"]) is None
    assert clips[f"{A}.100k"].conditions["weather"] == "rain"
    assert clips[f"{A}.100k"].split_hint == ""  # the publisher's test has no labels
    assert strays["labels/det_20/det_test.json"] == ("added", "")


def one_list(root: Path) -> None:
    frames = [track_frame(video, n, label(id=f"{n}")) for video in (A, B) for n in range(2)]
    write_json(root / "labels/bdd100k_labels_images_track_train.json", frames)


def one_object(root: Path) -> None:
    frames = [track_frame(video, n, label(id=f"{n}")) for video in (A, B) for n in range(2)]
    write_json(root / "tracks.json", {"config": {"imageSize": None}, "groups": None, "frames": frames})


def by_video(root: Path) -> None:
    for video in (A, B):
        frames = [track_frame(video, n, label(id=f"{n}")) for n in range(2)]
        write_json(root / f"labels-20/box-track/train/{video}.json", frames)


def first_release(root: Path) -> None:
    for video in (A, B):
        frames = []
        for number in range(2):
            frame = track_frame(
                video, number, label(id=number, attributes={"Crowd": False, "Occluded": True})
            )
            frame["index"] = frame.pop("frameIndex")
            frames.append(frame)
        write_json(root / f"labels/box_track_20/train/{video}.json", frames)


@pytest.mark.parametrize("write", [one_list, one_object, by_video, first_release])
def test_tracks_in_every_shape_give_the_same(tmp_path: Path, write: Any):
    write_track(tmp_path, "train", A, 2)
    write_track(tmp_path, "train", B, 2)
    write(tmp_path)
    adapter, clips, strays = opened(tmp_path)
    assert list(clips) == [f"{A}.track", f"{B}.track"]
    for clip in clips.values():
        assert names_of(adapter, clip) == {0: ("car",), 1: ("car",)}
    a, b = (labels_of(adapter, clip) for clip in clips.values())
    assert a[0].track_id[0] != a[1].track_id[0]
    assert b[0].track_id[0] != b[1].track_id[0]
    assert all(status == "added" for status, _ in strays.values())


def test_labels_of_2018_hold_lanes_beside_the_boxes(tmp_path: Path):
    write_key_frames(tmp_path, "train", A, B)
    people = [label(name, id=n) for n, name in enumerate(("person", "bike", "motor"))]
    entries = [key_frame(A, *people, lane()), key_frame(B, lane())]
    write_json(tmp_path / "labels/bdd100k_labels_images_train.json", entries)
    adapter, clips, _ = opened(tmp_path)
    assert names_of(adapter, clips[f"{A}.100k"]) == {0: ("person", "bike", "motor")}
    assert names_of(adapter, clips[f"{B}.100k"]) == {0: ()}


def test_the_oldest_labels_are_one_file_an_image(tmp_path: Path):
    write_key_frames(tmp_path, "train", A, B)
    for video, objects in ((A, [label(), lane()]), (B, [lane()])):
        write_json(tmp_path / f"labels/100k/train/{video}.json", oldest(video, *objects))
    adapter, clips, strays = opened(tmp_path)
    assert names_of(adapter, clips[f"{A}.100k"]) == {0: ("car",)}
    assert names_of(adapter, clips[f"{B}.100k"]) == {0: ()}
    assert clips[f"{A}.100k"].shared == (f"labels/100k/train/{A}.json",)
    assert clips[f"{A}.100k"].stills[0].labels == f"labels/100k/train/{A}.json"
    assert clips[f"{A}.100k"].conditions == {"weather": "clear", "scene": "tunnel"}
    assert strays == {}


def test_labels_of_2020_come_before_those_of_2018(tmp_path: Path):
    write_key_frames(tmp_path, "train", A, B)
    write_json(tmp_path / "labels/det_20/det_train.json", [key_frame(A, label("pedestrian"))])
    both = [key_frame(A, label("person")), key_frame(B, label("person"))]
    write_json(tmp_path / "labels/a_labels_images_train.json", both)
    write_json(tmp_path / f"labels/100k/train/{A}.json", oldest(A, label("motor")))
    adapter, clips, strays = opened(tmp_path)
    assert names_of(adapter, clips[f"{A}.100k"]) == {0: ("pedestrian",)}
    assert names_of(adapter, clips[f"{B}.100k"]) == {0: ("person",)}
    assert strays == {
        "labels/det_20/det_train.json": ("added", ""),
        "labels/a_labels_images_train.json": ("added", ""),
        f"labels/100k/train/{A}.json": (
            "unused",
            "none of the images of its 1 frames is here without labels from another file",
        ),
    }


def test_files_that_hold_no_boxes_do_not_make_frames_empty(tmp_path: Path):
    write_key_frames(tmp_path, "train", A)
    write_json(tmp_path / "lanes.json", [key_frame(A, lane())])
    write_json(tmp_path / "labels/lane/polygons/lane_train.json", [key_frame(A, lane())])
    write_json(tmp_path / "predictions.json", [key_frame(A, label()), key_frame(A, label(score=0.5))])
    write_json(tmp_path / "coco.json", {"images": [], "annotations": []})
    write_json(tmp_path / "nothing.json", [])
    write_picture(tmp_path, f"labels/drivable/masks/train/{A}.png")
    (tmp_path / "README.txt").touch()
    adapter, clips, strays = opened(tmp_path)
    assert adapter.labels(clips[f"{A}.100k"]) is None
    assert strays == {
        "lanes.json": ("unused", "labels without boxes: lanes, drivable areas, masks or poses"),
        "labels/lane/polygons/lane_train.json": (
            "unused",
            "labels of another task (lane, polygons): boxes are read",
        ),
        "predictions.json": ("unused", "predictions (its labels have scores), which nobody checked"),
        "coco.json": ("unused", "no list of frames, but annotations, images"),
        "nothing.json": ("unused", "a list without frames"),
        f"labels/drivable/masks/train/{A}.png": ("unused", "a mask: boxes are read, not masks"),
        "README.txt": ("unused", "no part of BDD100K's layout"),
    }


def test_labelled_images_that_are_not_there_are_missing_where_they_belong(tmp_path: Path):
    write_key_frames(tmp_path, "train", A)
    write_track(tmp_path, "val", A, 1)
    write_json(tmp_path / "labels/det_20/det_train.json", [key_frame(A, label()), key_frame(B, label())])
    write_json(tmp_path / "labels/2018_train.json", [key_frame(B, label())])
    frames = [track_frame(A, 0, label()), track_frame(A, 1, label())]
    write_json(tmp_path / f"labels/box_track_20/val/{A}.json", frames)
    _, _, strays = opened(tmp_path)
    assert {path: strays[path][0] for path in strays} == {
        "labels/det_20/det_train.json": "added",
        "labels/2018_train.json": "unused",
        f"images/100k/train/{B}.jpg": "missing",
        f"images/track/val/{A}/{A}-0000002.jpg": "missing",
    }


def test_an_image_that_two_files_miss_is_missing_once(tmp_path: Path):
    write_track(tmp_path, "train", A, 1)
    frames = [track_frame(A, number, label()) for number in range(2)]
    write_json(tmp_path / "labels/box_track_20/box_track_train.json", frames)
    write_json(tmp_path / f"labels/box_track_20/train/{A}.json", frames)
    _, _, strays = opened(tmp_path)
    assert [path for path, (status, _) in strays.items() if status == "missing"] == [
        f"images/track/train/{A}/{A}-0000002.jpg"
    ]


def test_a_file_of_one_video_speaks_of_that_video_alone(tmp_path: Path):
    write_key_frames(tmp_path, "train", A, B)
    write_json(tmp_path / f"labels/100k/train/{A}.json", [key_frame(B, label())])
    adapter, clips, strays = opened(tmp_path)
    assert all(adapter.labels(clip) is None for clip in clips.values())
    assert strays[f"labels/100k/train/{A}.json"][0] == "unused"


def test_a_file_of_one_image_may_hold_its_conditions_alone(tmp_path: Path):
    write_key_frames(tmp_path, "train", A)
    entry = key_frame(A)
    del entry["labels"]
    write_json(tmp_path / f"labels/100k/train/{A}.json", [entry])
    adapter, clips, strays = opened(tmp_path)
    assert clips[f"{A}.100k"].conditions["scene"] == "highway"
    assert adapter.labels(clips[f"{A}.100k"]) is None
    assert strays == {f"labels/100k/train/{A}.json": ("added", "")}


def test_a_frame_named_like_another_file_is_missing_under_its_list(tmp_path: Path):
    write_key_frames(tmp_path, "train", A)
    write_json(tmp_path / "list.json", [key_frame(A), {"name": "../list.json", "labels": [label()]}])
    _, _, strays = opened(tmp_path)
    assert strays["list.json#list.json"][0] == "missing"


def test_a_video_in_two_splits_is_never_trained_on_where_it_judges(tmp_path: Path):
    write_key_frames(tmp_path, "train", A, group="10k")
    write_key_frames(tmp_path, "val", A)
    write_key_frames(tmp_path, "train", B)
    write_key_frames(tmp_path, "test", B, group="10k")
    _, clips, _ = opened(tmp_path)
    assert {clip: found.split_hint for clip, found in clips.items()} == {
        f"{A}.100k": "val",
        f"{A}.10k": "val",
        f"{B}.100k": "",
        f"{B}.10k": "",
    }

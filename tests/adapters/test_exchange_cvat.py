"""CVAT: shapes of images, tracks of videos, and damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dataengine import ingest
from dataengine.adapters.base import BrokenFileError
from dataengine.adapters.exchange.adapters import Cvat
from dataengine.config import Config, DatasetConfig
from dataengine.errors import InputError
from tests.adapters.exchange_files import (
    boxes,
    cvat_box,
    cvat_images,
    cvat_tracks,
    listed,
    read,
    write_images,
)
from tests.adapters.recordings import HEIGHT as VIDEO_HEIGHT
from tests.adapters.recordings import WIDTH as VIDEO_WIDTH
from tests.adapters.recordings import write_video

SIZE = (VIDEO_WIDTH, VIDEO_HEIGHT)


def cvat(root: Path, **fields: str) -> Cvat:
    return Cvat(root, DatasetConfig(name="cvat", fields=fields))


def write_task(root: Path, images: dict[str, str], name: str = "annotations.xml") -> None:
    write_images(root, [f"images/{image}" for image in images])
    (root / name).write_text(cvat_images(images))


SHAPES = {
    # shape -> the box around it
    cvat_box("car", 1.25, 2, 11.5, 12): ("car", 1.25, 2, 11.5, 12),
    # 20x10 around (20, 15), turned by a quarter: 10x20
    cvat_box("car", 10, 10, 30, 20, rotation=90): ("car", 15, 5, 25, 25),
    '<polygon label="person" points="1.5,2;9,4;5,8.25"/>': ("person", 1.5, 2, 9, 8.25),
    '<mask label="car" rle="0, 4" left="3" top="4" width="5" height="6"/>': ("car", 3, 4, 8, 10),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_become_the_boxes_around_them(tmp_path: Path, shape: str):
    write_task(tmp_path, {"a_1.png": shape})
    adapter = cvat(tmp_path)
    assert list(adapter.class_names()) == ["car", "person"]
    clips, strays = listed(adapter)
    assert boxes(read(adapter, clips["images"], 1)) == [SHAPES[shape]]
    assert strays["annotations.xml"].status == "added"


def test_tags_lines_and_points_are_no_objects(tmp_path: Path):
    shapes = '<tag label="night"/><polyline label="lane" points="1,2;3,4"/><points label="eye" points="1,2"/>'
    write_task(tmp_path, {"a_1.png": shapes + cvat_box("car", 1, 2, 3, 4, occluded=1)})
    adapter = cvat(tmp_path)
    labels = read(adapter, listed(adapter)[0]["images"], 1)
    assert boxes(labels) == [("car", 1, 2, 3, 4)]
    assert labels is not None
    assert labels.visibility.tolist() == [0.5]


def test_images_are_found_by_subset_and_the_rest_is_told(tmp_path: Path):
    write_images(tmp_path, ["images/train/a_1.png", "images/val/a_1.png", "images/val/a_2.png"])
    text = cvat_images({"a_1.png": cvat_box("car", 1, 2, 3, 4), "gone.png": "", "/val/a_1.png": ""})
    text = text.replace('name="a_1.png"', 'name="a_1.png" subset="train"')
    (tmp_path / "labels.xml").write_text(text)
    adapter = cvat(tmp_path)
    clips, strays = listed(adapter)
    assert boxes(read(adapter, clips["images.train"], 1)) == [("car", 1, 2, 3, 4)]
    assert boxes(read(adapter, clips["images.val"], 1)) == []
    assert read(adapter, clips["images.val"], 2) is None
    assert {path: outcome.status for path, outcome in strays.items()} == {
        "labels.xml": "added",
        "gone.png": "missing",
    }


def test_an_image_with_a_damaged_shape_is_left_out_alone(tmp_path: Path):
    bad = {
        "a_1.png": cvat_box("car", float("nan"), 2, 3, 4),
        "a_2.png": '<box xtl="1" ytl="1" xbr="2" ybr="2"/>',
        "a_3.png": '<polygon label="car" points="1,2;3"/>',
        "a_4.png": cvat_box("car", 1, 2, 3, 4),
    }
    write_task(tmp_path, bad)
    clips, strays = listed(cvat(tmp_path))
    assert [still.image for still in clips["images"].stills] == ["images/a_4.png"]
    for name in ("a_1", "a_2", "a_3"):
        assert strays[f"images/{name}.png"].status == "unused"
        assert strays[f"images/{name}.png"].reason.startswith("its labels in annotations.xml are damaged (")


def write_tracks(root: Path, text: str, name: str = "labels/drive.xml") -> None:
    write_video(root / "data/drive.mp4", 12)
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def step(frame: int, x1: float, **more: int) -> str:
    return cvat_box("", x1, 2, x1 + 10, 12, frame=frame, **more).replace(' label=""', "")


def test_tracks_are_drawn_between_their_entries_and_not_outside(tmp_path: Path):
    tracks = {
        "car": [step(2, 0, keyframe=1), step(6, 8.5, keyframe=1, occluded=1), step(7, 9, outside=1)],
        "person": [step(0, 30), step(1, 31, outside=1), step(4, 32), step(5, 33, outside=1)],
    }
    write_tracks(tmp_path, cvat_tracks(tracks, size=SIZE))
    adapter = cvat(tmp_path)
    clips, strays = listed(adapter)
    clip = clips["drive"]
    assert (clip.files, clip.fps, strays) == (("data/drive.mp4", "labels/drive.xml"), 4.0, {})

    def at(number: int) -> list[tuple[object, ...]]:
        return [row[:2] for row in boxes(read(adapter, clip, number, (VIDEO_HEIGHT, VIDEO_WIDTH)))]

    assert [at(number) for number in range(9)] == [
        [("person", 30)],
        [],
        [("car", 0)],
        [("car", 2.12)],
        [("car", 4.25), ("person", 32)],
        [("car", 6.38)],
        [("car", 8.5)],
        [],
        [],
    ]
    labels = read(adapter, clip, 6, (VIDEO_HEIGHT, VIDEO_WIDTH))
    assert labels is not None
    assert (labels.track_id.tolist(), labels.visibility.tolist()) == ([0], [0.5])


def test_frames_that_a_task_skips_are_not_labelled(tmp_path: Path):
    task = "<start_frame>2</start_frame><stop_frame>8</stop_frame><frame_filter>step=3</frame_filter>"
    write_tracks(tmp_path, cvat_tracks({"car": [step(2, 0), step(5, 3)]}, size=SIZE, task=task))
    adapter = cvat(tmp_path)
    clip = listed(adapter)[0]["drive"]
    found = [read(adapter, clip, number, (VIDEO_HEIGHT, VIDEO_WIDTH)) for number in range(12)]
    assert [None if labels is None else len(labels.names) for labels in found] == [
        *(None, None, 1, None, None, 1),
        *(None, None, 0, None, None, None),
    ]


def test_one_export_beside_one_video_belongs_to_it(tmp_path: Path):
    write_tracks(tmp_path, cvat_tracks({"car": [step(0, 0)]}, size=SIZE), name="annotations.xml")
    (clip,) = listed(cvat(tmp_path))[0].values()
    assert clip.files == ("data/drive.mp4", "annotations.xml")
    write_video(tmp_path / "data/other.mp4", 2)
    clips, strays = listed(cvat(tmp_path))
    assert [clip.files for clip in clips.values()] == [("data/drive.mp4",), ("data/other.mp4",)]
    assert strays["annotations.xml"].reason == "no video of its name, and it lists no images"


def test_frames_of_a_video_that_are_images_have_its_tracks(tmp_path: Path):
    names = [f"images/frame_{number:06d}.PNG" for number in (0, 1, 2, 4)]
    write_images(tmp_path, [*names, "images/cover.png"])
    text = cvat_tracks({"car": [step(0, 0), step(4, 8)]}, size=(48, 36))
    (tmp_path / "annotations.xml").write_text(text)
    adapter = cvat(tmp_path, number=r"frame_(\d+)", fps="10")
    clips, strays = listed(adapter)
    assert {path: outcome.status for path, outcome in strays.items()} == {
        "annotations.xml": "added",
        "images/cover.png": "unused",
    }
    clip = clips["images"]
    assert [(still.number, still.time_s) for still in clip.stills] == [(0, 0), (1, 0.1), (2, 0.2), (4, 0.4)]
    assert [boxes(read(adapter, clip, number))[0][:2] for number in (0, 1, 2, 4)] == [
        ("car", 0),
        ("car", 2),
        ("car", 4),
        ("car", 8),
    ]
    with pytest.raises(InputError, match="labels for an image of 48x36, but it is 10x10"):
        read(adapter, clip, 0, (10, 10))
    (tmp_path / "annotations.xml").write_text(text.replace("xtl", "left"))
    clips, strays = listed(cvat(tmp_path))
    # nothing tells which number the cover has, so it stays as an image that nobody labelled
    assert [still.image for clip in clips.values() for still in clip.stills] == ["images/cover.png"]
    assert "annotations.xml: not readable (no '@xtl')" in strays["images/frame_000000.PNG"].reason


def test_huge_frame_numbers_cost_nothing(tmp_path: Path):
    write_tracks(tmp_path, cvat_tracks({"car": [step(0, 0), step(2_000_000_000, 20)]}, size=SIZE))
    adapter = cvat(tmp_path)
    assert len(boxes(read(adapter, listed(adapter)[0]["drive"], 9, (VIDEO_HEIGHT, VIDEO_WIDTH)))) == 1


def test_a_video_is_ingested_with_its_tracks(tmp_path: Path):
    write_tracks(tmp_path / "in", cvat_tracks({"car": [step(0, 0), step(11, 22)]}, size=SIZE))
    config = Config(dataset=DatasetConfig(name="cvat", root=str(tmp_path / "in")))
    config.compute.workers = 1
    workspace, summary = ingest.ingest(config, tmp_path / "work")
    assert (summary.added, summary.frames) == (2, 6)
    rows = workspace.lake.read("oracle").to_pylist()
    np.testing.assert_allclose([row["xyxy"][0] for row in rows], [0, 4, 8, 12, 16, 20], atol=1e-4)


DAMAGE = {
    "empty": "",
    "cut": cvat_images({"a_1.png": ""})[:100],
    "another XML": "<svg/>",
    "text": "<annotations>nothing</annotations>",
    "nested": "<annotations>" + "<a>" * 10_000 + "</a>" * 10_000 + "</annotations>",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_beside_a_good_one_is_an_outcome(tmp_path: Path, damage: str):
    write_task(tmp_path, {"a_1.png": ""})
    (tmp_path / "bad.xml").write_text(DAMAGE[damage])
    adapter = cvat(tmp_path)
    list(adapter.class_names())
    clips, strays = listed(adapter)
    assert len(clips["images"].stills) == 1
    assert strays["bad.xml"].status == ("unused" if damage == "nested" else "broken")


@pytest.mark.parametrize(
    "text",
    [
        cvat_tracks({"car": [step(0, 0).replace("xtl", "left")]}, size=SIZE),
        cvat_tracks({"car": [step(0, 0).replace('frame="0"', 'frame="first"')]}, size=SIZE),
        cvat_tracks({"car": [step(0, 0)]}, size=SIZE).replace("<width>64", "<width>wide"),
        cvat_tracks({"car": [step(0, float("nan"))]}, size=SIZE),
    ],
)
def test_damaged_tracks_condemn_their_video(tmp_path: Path, text: str):
    write_tracks(tmp_path, text)
    adapter = cvat(tmp_path)
    clip = listed(adapter)[0]["drive"]
    with pytest.raises(BrokenFileError, match=r"labels/drive\.xml: not readable"):
        adapter.labels(clip)


def test_a_folder_of_something_else_is_one_line(tmp_path: Path):
    write_images(tmp_path, ["a.png"])
    with pytest.raises(InputError, match=r"holds no CVAT labels \(no XML file, or no media\); looked for"):
        list(cvat(tmp_path).recordings())

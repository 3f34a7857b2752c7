"""Pascal VOC: CARLA's real files, the layouts, corners, and files that belong to nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from dataengine import ingest
from dataengine.adapters.base import BrokenFileError
from dataengine.adapters.exchange.adapters import Voc
from dataengine.config import Config, DatasetConfig
from dataengine.errors import ConfigError, InputError
from tests.adapters.exchange_files import boxes, listed, read, voc_xml, write_images, write_voc


def voc(root: Path, **fields: str) -> Voc:
    return Voc(root, DatasetConfig(name="voc", fields=fields))


def test_carla_by_town_holds_every_object_that_its_publisher_counts(data_root: Path):
    root = data_root / "carla_voc"
    if not root.is_dir():
        pytest.skip(f"no CARLA at {root}")
    adapter = voc(root, drive=r"(Town\d+)_", fps="20")
    assert list(adapter.class_names()) == ["bike", "motobike", "traffic_light", "traffic_sign", "vehicle"]
    clips, strays = listed(adapter)
    assert {clip: len(found.stills) for clip, found in clips.items()} == {
        "Town01": 144,
        "Town02": 132,
        "Town03": 242,
        "Town04": 42,
    }
    assert list(strays) == ["LICENSE"]
    counts: Counter[str] = Counter()
    for clip in clips.values():
        reader = adapter.labels(clip)
        assert reader is not None
        for still in clip.stills:
            found = reader(still.number, (380, 640))
            assert found is not None
            assert (found.xyxy >= 0).all()
            assert (found.xyxy <= [640, 380, 640, 380]).all()
            counts.update(found.names)
    # the counts of ../shared/data/README.md
    assert counts == {"vehicle": 842, "traffic_light": 761, "bike": 113, "traffic_sign": 69, "motobike": 57}
    first = clips["Town01"].stills[:2]
    assert [(still.number, still.time_s) for still in first] == [(1020, 0.0), (1140, 6.0)]


def test_carla_ingests_with_the_classes_of_its_labels(data_root: Path, tmp_path: Path):
    root = data_root / "carla_voc"
    if not root.is_dir():
        pytest.skip(f"no CARLA at {root}")
    dataset = DatasetConfig(
        name="voc",
        root=str(root),
        fields={"drive": r"(Town04)_"},
        class_map={"motobike": "motorcycle", "bike": "ignore"},
    )
    config = Config(dataset=dataset)
    config.compute.workers = 1
    workspace, summary = ingest.ingest(config, tmp_path / "work")
    assert workspace.card.taxonomy.classes == ("motorcycle", "traffic_light", "traffic_sign", "vehicle")
    assert (summary.clips, summary.frames, summary.added, summary.unused) == (1, 42, 84, 1037)
    rows = workspace.lake.read("oracle").to_pylist()
    assert sum(flag for row in rows for flag in row["ignore"]) == 9  # the bikes of Town04


def test_corners_are_edges_or_pixels_counted_from_one(tmp_path: Path):
    write_voc(tmp_path, {"a_1": [("car", 1, 2, 11.5, 12)]})
    for fields, expected in (({}, (1, 2, 11.5, 12)), ({"first_pixel": "1"}, (0, 1, 11.5, 12))):
        adapter = voc(tmp_path, **fields)
        clips, _ = listed(adapter)
        assert boxes(read(adapter, clips["JPEGImages"], 1)) == [("car", *expected)]
    with pytest.raises(ConfigError, match="first_pixel=2 must be 0 or 1"):
        voc(tmp_path, first_pixel="2")


def test_difficult_objects_are_ignore_regions_and_occluded_ones_half_visible(tmp_path: Path):
    write_voc(tmp_path, {"a_1": []})
    for more, ignore, visibility in (
        ("<difficult>1</difficult><occluded>1</occluded>", True, 0.5),
        ("<difficult>0</difficult><occluded>0</occluded>", False, 1.0),
        ("<difficult></difficult>", False, np.nan),
        # CVAT writes attributes in a list
        ("<attributes><attribute><name>occluded</name><value>1</value></attribute></attributes>", False, 0.5),
    ):
        (tmp_path / "Annotations/a_1.xml").write_text(voc_xml([("car", 1, 2, 3, 4)], more=more))
        adapter = voc(tmp_path)
        labels = read(adapter, listed(adapter)[0]["JPEGImages"], 1)
        assert labels is not None
        assert labels.ignore.tolist() == [ignore]
        np.testing.assert_equal(labels.visibility, np.float32([visibility]))


@pytest.mark.parametrize(
    ("image", "xml"),
    [
        ("x.png", "x.xml"),
        ("images/x.png", "labels/x.xml"),
        ("data/sub/x.jpg", "labels/sub/x.xml"),
        ("VOCdevkit/VOC2012/JPEGImages/x.jpg", "VOCdevkit/VOC2012/Annotations/x.xml"),
        ("train/images/x.png", "train/annotations/x.xml"),
    ],
)
def test_every_usual_layout_pairs_images_with_labels(tmp_path: Path, image: str, xml: str):
    write_images(tmp_path, [image])
    (tmp_path / xml).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / xml).write_text(voc_xml([]))
    (clip,) = listed(voc(tmp_path))[0].values()
    assert (clip.stills[0].image, clip.stills[0].labels) == (image, xml)


def test_every_file_is_settled_once(tmp_path: Path):
    write_voc(tmp_path, {"a_1": [], "a_2": [("car", 1, 2, 3, 4)], "a_3": [], "b_1": []})
    (tmp_path / "Annotations/a_1.xml").unlink()
    (tmp_path / "JPEGImages/a_3.png").unlink()
    (tmp_path / "README.txt").touch()
    (tmp_path / "stray.xml").write_text("<svg/>")
    (tmp_path / "JPEGImages/a_2.jpg").touch()
    (tmp_path / "ImageSets/Main").mkdir(parents=True)
    (tmp_path / "ImageSets/Main/val.txt").write_text("b_1\n")
    (tmp_path / "ImageSets/Main/car_val.txt").write_text("b_1 1\n")
    clips, strays = listed(voc(tmp_path))
    stills = clips["JPEGImages"].stills
    # without numbers of their own (a_1 and b_1 are both 1) frames are counted in the order of names
    assert [(still.number, still.image, still.labels, still.split_hint) for still in stills] == [
        (0, "JPEGImages/a_1.png", "", ""),
        (1, "JPEGImages/a_2.jpg", "Annotations/a_2.xml", ""),
        (2, "JPEGImages/b_1.png", "Annotations/b_1.xml", "val"),
    ]
    assert {path: (outcome.status, outcome.reason) for path, outcome in strays.items()} == {
        "Annotations/a_3.xml": ("unused", "its image is missing, for instance JPEGImages/a_3.png"),
        "JPEGImages/a_3.png": ("missing", "Annotations/a_3.xml labels it"),
        "JPEGImages/a_2.png": ("unused", "has the same name as JPEGImages/a_2.jpg"),
        "README.txt": ("unused", "no image, and no XML file"),
        "stray.xml": ("unused", "an XML file of no image"),
        "ImageSets/Main/val.txt": ("added", ""),
        "ImageSets/Main/car_val.txt": ("unused", "no list of train, val or test images"),
    }


def test_an_image_that_nobody_labelled_is_not_an_image_without_objects(tmp_path: Path):
    write_voc(tmp_path, {"a_1": [], "a_2": []})
    (tmp_path / "Annotations/a_1.xml").unlink()
    adapter = voc(tmp_path)
    clip = listed(adapter)[0]["JPEGImages"]
    assert read(adapter, clip, 1) is None
    assert boxes(read(adapter, clip, 2)) == []


BAD = {
    # damage -> the file's text, and a word of the reason
    "empty": ("", "no element found"),
    "cut": (voc_xml([("car", 1, 2, 3, 4)])[:150], "not readable"),
    "no XML": ("{}", "not readable"),
    "another kind of XML": ("<svg/>", "no 'annotation'"),
    "no coordinate": (voc_xml([("car", 1, 2, 3, 4)]).replace("<xmax>3</xmax>", ""), "no 'xmax'"),
    "no number": (voc_xml([("car", 1, 2, 3, 4)]).replace("<xmax>3", "<xmax>three"), "could not convert"),
    "NaN": (voc_xml([("car", float("nan"), 2, 3, 4)]), "NaN"),
    "another size": (voc_xml([], size=(96, 72)), "96x72, but it is 48x36"),
    "nested": ("<annotation>" + "<a>" * 10_000 + "</a>" * 10_000 + "</annotation>", ""),
    "entities": ('<!DOCTYPE a [<!ENTITY b "car">]><annotation>&b;</annotation>', "not readable"),
    "bytes": ("<annotation>\udcff</annotation>", "not readable"),
}


@pytest.mark.parametrize("damage", BAD)
def test_damaged_labels_are_told_by_their_file(tmp_path: Path, damage: str):
    text, reason = BAD[damage]
    write_voc(tmp_path, {"a_1": []})
    (tmp_path / "Annotations/a_1.xml").write_text(text, errors="surrogateescape")
    adapter = voc(tmp_path)
    list(adapter.class_names())
    clip = listed(adapter)[0]["JPEGImages"]
    if damage == "nested":  # deep, but sound: no object
        assert boxes(read(adapter, clip, 1)) == []
        return
    with pytest.raises(BrokenFileError) as caught:
        read(adapter, clip, 1)
    assert caught.value.path == "Annotations/a_1.xml"
    assert reason in caught.value.reason
    assert "\n" not in str(caught.value)


def test_fields_are_checked(tmp_path: Path):
    for fields, message in {
        ("drive", "("): r"dataset.fields.drive='\('",
        ("fps", "0"): "dataset.fields.fps=0 must be a number above 0",
        ("fps", "fast"): "dataset.fields.fps=fast",
        ("drives", "x"): "dataset.fields.drives: no such field; choose from drive, clip",
        ("labels", "x"): "dataset.fields.labels: no such field",
    }.items():
        with pytest.raises(ConfigError, match=message):
            voc(tmp_path, **dict([fields]))


def test_paths_tell_drives_clips_cameras_and_numbers(tmp_path: Path):
    names = ["d1-c1-left-7x", "d1-c1-left-9x", "d1-c1-right-7x", "d1-c2-left-1x", "d2-c1-left-1x", "other"]
    write_voc(tmp_path, dict.fromkeys(names, ()))
    adapter = voc(
        tmp_path,
        drive=r"/(?P<camera>)(?P<drive>d\d)-",
        clip=r"(c\d)",
        camera="left|right",
        number=r"-(\d+)x",
        fps="2",
    )
    clips, strays = listed(adapter)
    assert {
        clip: (found.drive_id, found.camera, found.start_time_s, [still.number for still in found.stills])
        for clip, found in clips.items()
    } == {
        "d1.c1.left": ("d1", "left", 3.5, [7, 9]),
        "d1.c1.right": ("d1", "right", 3.5, [7]),
        "d1.c2.left": ("d1", "left", 0.5, [1]),
        "d2.c1.left": ("d2", "left", 0.5, [1]),
    }
    assert [still.time_s for still in clips["d1.c1.left"].stills] == [0, 1]
    assert "dataset.fields.number not found in its path" in strays["JPEGImages/other.png"].reason


def test_cameras_are_chosen_by_name(tmp_path: Path):
    write_voc(tmp_path, {"left_1": [], "right_1": []})
    config = DatasetConfig(name="voc", fields={"camera": "left|right"}, cameras=["right"])
    clips, strays = listed(Voc(tmp_path, config))
    assert [still.image for clip in clips.values() for still in clip.stills] == ["JPEGImages/right_1.png"]
    reason = "camera 'left' is not among dataset.cameras"
    assert {path: outcome.reason for path, outcome in strays.items()} == {
        "JPEGImages/left_1.png": reason,
        "Annotations/left_1.xml": reason,
    }


def test_a_number_too_large_for_a_frame_is_a_time_and_names_give_the_order(tmp_path: Path):
    write_voc(tmp_path, dict.fromkeys(["1315971854123456789", "999", "1000"], ()))
    (clip,) = listed(voc(tmp_path))[0].values()
    assert [still.image[11:] for still in clip.stills] == ["999.png", "1000.png", "1315971854123456789.png"]
    assert [still.number for still in clip.stills] == [0, 1, 2]


def test_a_folder_of_something_else_is_one_line(tmp_path: Path):
    write_images(tmp_path, ["a.png"])
    with pytest.raises(InputError, match=r"holds no Pascal VOC: looked for images with an \.xml file"):
        list(voc(tmp_path).recordings())

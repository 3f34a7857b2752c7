"""COCO: crowds, sparse ids, several files, names from other machines, and damage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataengine import ingest
from dataengine.adapters.exchange.adapters import Coco
from dataengine.adapters.labels import check
from dataengine.config import Config, DatasetConfig
from dataengine.errors import InputError
from tests.adapters.exchange_files import HEIGHT, WIDTH, boxes, coco, listed, read, write_coco, write_images

CATEGORIES = {3: "car", 90: "person"}


def opened(root: Path, **fields: str) -> Coco:
    return Coco(root, DatasetConfig(name="coco", fields=fields))


def example() -> dict[str, Any]:
    annotations = [
        {"image_id": 7, "category_id": 3, "bbox": [1, 2, 10.5, 4], "iscrowd": 0},
        {"image_id": 7, "category_id": 90, "bbox": [0, 0, 5, 6], "iscrowd": 1},
        {
            "image_id": 7,
            "category_id": 3,
            "bbox": [4, 4, 5, 6],
            "attributes": {"occluded": True, "track_id": 12},
        },
    ]
    return coco({7: "a_1.png", 8: "a_2.png"}, annotations, CATEGORIES)


def test_boxes_have_corners_names_crowds_and_tracks(tmp_path: Path):
    write_coco(tmp_path, example())
    adapter = opened(tmp_path)
    assert list(adapter.class_names()) == ["car", "person"]
    clips, strays = listed(adapter)
    clip = clips["data"]
    labels = read(adapter, clip, 1)
    assert labels is not None
    assert boxes(labels) == [("car", 1, 2, 11.5, 6), ("person", 0, 0, 5, 6), ("car", 4, 4, 9, 10)]
    assert labels.ignore.tolist() == [False, True, False]
    assert labels.track_id.tolist() == [-1, -1, 12]
    np.testing.assert_equal(labels.visibility, np.float32([np.nan, np.nan, 0.5]))
    assert boxes(read(adapter, clip, 2)) == []
    assert strays["labels.json"].status == "added"


def test_a_category_that_no_list_names_goes_by_its_number(tmp_path: Path):
    value = coco({1: "a_1.png"}, [{"image_id": 1, "category_id": 77, "bbox": [1, 2, 3, 4]}], CATEGORIES)
    write_coco(tmp_path, value)
    adapter = opened(tmp_path)
    assert boxes(read(adapter, listed(adapter)[0]["data"], 1)) == [("77", 1, 2, 4, 6)]


def test_images_that_no_file_lists_are_not_labelled(tmp_path: Path):
    write_coco(tmp_path, example())
    write_images(tmp_path, ["data/a_3.png"])
    adapter = opened(tmp_path)
    assert read(adapter, listed(adapter)[0]["data"], 3) is None
    value = example()
    del value["annotations"]
    (tmp_path / "labels.json").write_text(json.dumps(value))
    adapter = opened(tmp_path)
    assert read(adapter, listed(adapter)[0]["data"], 1) is None


def test_the_benchmark_s_layout_gives_splits_and_leaves_captions_alone(tmp_path: Path):
    for split, name in (("train", "1.png"), ("val", "2.png")):
        write_images(tmp_path, [f"{split}2017/{name}"])
        (tmp_path / "annotations").mkdir(exist_ok=True)
        for kind in ("instances", "captions"):
            (tmp_path / f"annotations/{kind}_{split}2017.json").write_text(
                json.dumps(coco({1: name}, [], CATEGORIES))
            )
    clips, strays = listed(opened(tmp_path))
    assert {clip: found.split_hint for clip, found in clips.items()} == {
        "train2017": "pool",
        "val2017": "val",
    }
    assert {path: outcome.status for path, outcome in strays.items()} == {
        "annotations/captions_train2017.json": "unused",
        "annotations/captions_val2017.json": "unused",
        "annotations/instances_train2017.json": "added",
        "annotations/instances_val2017.json": "added",
    }


@pytest.mark.parametrize(
    ("file_name", "found"),
    [
        ("a/x_1.png", "data/a/x_1.png"),
        ("data/a/x_1.png", "data/a/x_1.png"),
        ("./data/a/x_1.png", "data/a/x_1.png"),
        (r"C:\Users\me\data\b\x_1.png", "data/b/x_1.png"),
        ("/home/me/elsewhere/y_1.png", "data/a/y_1.png"),
        ("x_1.png", None),  # there are two
        ("../../../etc/passwd", None),
    ],
)
def test_file_names_of_other_machines_are_found_where_they_are_unique(tmp_path: Path, file_name, found):
    write_images(tmp_path, ["data/a/x_1.png", "data/b/x_1.png", "data/a/y_1.png"])
    (tmp_path / "labels.json").write_text(json.dumps(coco({1: file_name}, [], CATEGORIES)))
    clips, strays = listed(opened(tmp_path))
    labelled = [still.image for clip in clips.values() for still in clip.stills if still.inline is not None]
    assert labelled == ([found] if found else [])
    missing = [path for path, outcome in strays.items() if outcome.status == "missing"]
    assert missing == ([] if found else [file_name.removeprefix("../../../")])


def test_what_is_left_out_of_a_file_is_told(tmp_path: Path):
    value = example()
    value["images"] += [{"id": 9, "width": 1, "height": 1}, {"id": 10, "file_name": "a_1.png"}]
    value["annotations"] += [{"image_id": 99, "category_id": 3, "bbox": [1, 2, 3, 4]}] * 2
    write_coco(tmp_path, example())
    (tmp_path / "labels.json").write_text(json.dumps(value))
    _, strays = listed(opened(tmp_path))
    assert (strays["labels.json"].status, strays["labels.json"].reason) == (
        "broken",
        "1 images without a file name, 1 images that are listed twice, "
        "2 boxes of images that are not listed: left out",
    )


@pytest.mark.parametrize(
    "box", [None, [], [1, 2, 3], [1, 2, 3, "wide"], {"x": 1}, [1, 2, 3, 10**400], [[1], 2, 3, 4]]
)
def test_an_image_with_a_box_that_is_none_is_left_out_and_the_others_stay(tmp_path: Path, box: Any):
    value = example()
    value["annotations"][0]["bbox"] = box
    write_coco(tmp_path, value)
    clips, strays = listed(opened(tmp_path))
    assert [still.image for still in clips["data"].stills] == ["data/a_2.png"]
    assert strays["data/a_1.png"].status == "unused"
    assert strays["data/a_1.png"].reason.startswith("its labels in labels.json are damaged (")


@pytest.mark.parametrize(
    "box", [[float("nan"), 2, 3, 4], [1, 2, float("inf"), 4], [1, 2, 1e300, 4], [1, 2, -3, 4]]
)
def test_boxes_without_sense_reach_the_check_of_every_dataset(tmp_path: Path, box: list[float]):
    value = coco({1: "a_1.png"}, [{"image_id": 1, "category_id": 3, "bbox": box}], CATEGORIES)
    write_coco(tmp_path, value)
    adapter = opened(tmp_path)
    labels = read(adapter, listed(adapter)[0]["data"], 1)
    assert labels is not None
    with pytest.raises(InputError, match=r"not a number|inverted"):
        check(labels, (HEIGHT, WIDTH))


def test_labels_for_another_image_size_are_refused(tmp_path: Path):
    write_coco(tmp_path, example())
    adapter = opened(tmp_path)
    with pytest.raises(InputError, match="labels for an image of 48x36, but it is 96x72"):
        read(adapter, listed(adapter)[0]["data"], 1, (72, 96))


DAMAGE = {
    "empty": "",
    "cut": json.dumps(example())[:200],
    "nested": "[" * 10_000 + "]" * 10_000,
    "nested object": '{"images":' * 10_000 + "1" + "}" * 10_000,
    "a list": "[]",
    "a number": "7",
    "no images": '{"annotations": []}',
    "images of nothing": '{"images": [1, null]}',
    "ids that are lists": '{"images": [{"id": [1], "file_name": "a_1.png"}]}',
    "annotations of nothing": '{"images": [{"id": 1, "file_name": "a_1.png"}], "annotations": [null]}',
    "annotation of no image": '{"images": [{"id": 1, "file_name": "a_1.png"}], "annotations": [{"id": 1}]}',
    "categories of nothing": '{"images": [{"id": 1, "file_name": "a_1.png"}], "categories": [{}]}',
    "long number": '{"images": [{"id": ' + "9" * 5000 + "}]}",
    "no UTF-8": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_one_line_if_it_is_the_only_one_and_an_outcome_if_not(tmp_path: Path, damage: str):
    write_coco(tmp_path, example())
    text = DAMAGE[damage]
    (tmp_path / "bad.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    clips, strays = listed(opened(tmp_path))
    assert [still.image for still in clips["data"].stills] == ["data/a_1.png", "data/a_2.png"]
    assert strays["bad.json"].status == "broken"
    assert strays["bad.json"].reason
    (tmp_path / "labels.json").unlink()
    with pytest.raises(InputError, match=r"holds no COCO labels \(bad\.json: ") as caught:
        list(opened(tmp_path).recordings())
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"bad\.json"):
        list(opened(tmp_path, labels="bad.json").recordings())


def test_the_file_that_is_named_must_be_there(tmp_path: Path):
    write_coco(tmp_path, example(), "here/it is.json")
    assert listed(opened(tmp_path, labels="here/it is.json"))[1]["here/it is.json"].status == "added"
    with pytest.raises(
        InputError, match=r"dataset\.fields\.labels=there\.json: no such file below dataset\.root="
    ):
        list(opened(tmp_path, labels="there.json").recordings())


def test_a_messy_folder_is_ingested_and_every_file_counted(tmp_path: Path):
    value = example()
    value["images"].append({"id": 9, "file_name": "gone.png", "width": 1, "height": 1})
    value["annotations"].append({"image_id": 8, "category_id": 3, "bbox": [float("nan"), 1, 1, 1]})
    write_coco(tmp_path / "in", example())
    (tmp_path / "in/labels.json").write_text(json.dumps(value))
    write_images(tmp_path / "in", ["data/a_3.png", "data/a_4.png"])
    (tmp_path / "in/data/a_3.png").write_bytes(b"\x89PNG")
    (tmp_path / "in/notes.txt").touch()
    config = Config(dataset=DatasetConfig(name="coco", root=str(tmp_path / "in")))
    config.compute.workers = 1
    workspace, summary = ingest.ingest(config, tmp_path / "work")
    assert workspace.card.taxonomy.classes == ("car", "person")
    # added: a_1, a_4 (not labelled), labels.json; broken: a_2 (NaN), a_3; missing: gone; unused: notes
    assert (summary.added, summary.missing, summary.broken, summary.unused) == (3, 1, 2, 1)
    frames = workspace.lake.read("frames", ["frame_id"])["frame_id"].to_pylist()
    assert frames == ["data/000001", "data/000004"]
    oracle = workspace.lake.read("oracle").to_pylist()
    assert [(row["frame_id"], len(row["class_id"])) for row in oracle if row["class_id"]] == [
        ("data/000001", 3)
    ]

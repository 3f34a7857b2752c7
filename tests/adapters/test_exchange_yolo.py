"""YOLO: relative boxes, the layouts, empty and missing text files, and lines that mislead."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataengine import ingest
from dataengine.adapters.base import BrokenFileError
from dataengine.adapters.exchange.adapters import Yolo
from dataengine.config import Config, DatasetConfig
from dataengine.errors import ConfigError, InputError
from tests.adapters.exchange_files import boxes, listed, read, write_images, write_yolo, yolo_line

ABOUT = {"path": ".", "names": {0: "car", 2: "person"}}


def yolo(root: Path, **fields: str) -> Yolo:
    return Yolo(root, DatasetConfig(name="yolo", fields=fields))


def test_boxes_are_turned_into_corners_and_indices_into_names(tmp_path: Path):
    write_yolo(
        tmp_path, {"a_1": yolo_line(0, 12, 9, 24, 18) + "\n" + yolo_line(2, 0, 0, 48, 36)}, about=ABOUT
    )
    adapter = yolo(tmp_path)
    assert list(adapter.class_names()) == ["car", "person"]
    clips, strays = listed(adapter)
    assert boxes(read(adapter, clips["images"], 1)) == [("car", 12, 9, 24, 18), ("person", 0, 0, 48, 36)]
    # relative to the image: one of twice the size has boxes of twice the size
    assert boxes(read(adapter, clips["images"], 1, (72, 96)))[0] == ("car", 24, 18, 48, 36)
    assert strays["dataset.yaml"].status == "added"


def test_an_empty_text_file_says_no_object_and_a_missing_one_says_nothing(tmp_path: Path):
    write_yolo(tmp_path, {"a_1": "", "a_2": None, "a_3": "\n"}, about=ABOUT)
    adapter = yolo(tmp_path)
    clip = listed(adapter)[0]["images"]
    assert [boxes(read(adapter, clip, number)) for number in (1, 3)] == [[], []]
    assert read(adapter, clip, 2) is None


LINES = {
    # line -> (class, x1, y1, x2, y2) or a word of the reason
    "0 0.5 0.5 0.5 0.5": ("car", 12, 9, 36, 27),
    "0 0.5 0.5 0.5 0.5 0.9": ("car", 12, 9, 36, 27),  # with a score
    "0 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75": ("car", 12, 9, 36, 27),  # rotated box, polygon
    "0 0.25 0.25 0.75 0.25 0.5 0.75": ("car", 12, 9, 36, 27),  # triangle
    "7 0.5 0.5 0.5 0.5": ("7", 12, 9, 36, 27),
    "1 0.5 0.5 0.5 0.5": ("1", 12, 9, 36, 27),  # a gap in the names
    "-1 0.5 0.5 0.5 0.5": ("-1", 12, 9, 36, 27),  # not the last name
    "car 0.5 0.5 0.5 0.5": ("car", 12, 9, 36, 27),
    "0 0.5 0.5 1.004 1.004": ("car", -0.1, -0.07, 48.1, 36.07),  # rounding
    "0 0.5 0.5 0.5 0.5 0.9 12": "track id",
    "0 12 9 24 18": "not relative to the image's size",
    "0 0.5 0.5 -0.5 0.5": "not relative",
    "0 0.5 0.5 0.5": "not readable",
    "0": "not readable",
    "0 0.5 0.5 0.5 wide": "not readable",
    "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7": "not readable",  # half a corner
    "0 " + "9" * 400 + " 0.5 0.5 0.5": "not relative",
    "\x00\x01": "not readable",
}


@pytest.mark.parametrize("line", LINES)
def test_every_kind_of_line(tmp_path: Path, line: str):
    write_yolo(tmp_path, {"a_1": line + "\n"}, about=ABOUT)
    adapter = yolo(tmp_path)
    clip = listed(adapter)[0]["images"]
    expected = LINES[line]
    if isinstance(expected, tuple):
        assert boxes(read(adapter, clip, 1)) == [expected]
        return
    with pytest.raises(BrokenFileError) as caught:
        read(adapter, clip, 1)
    assert caught.value.path == "labels/a_1.txt"
    assert expected in caught.value.reason


def test_not_a_number_reaches_the_check_of_every_dataset(tmp_path: Path):
    write_yolo(tmp_path / "in", {"a_1": "0 nan 0.5 0.5 0.5\n", "a_2": ""}, about=ABOUT)
    config = Config(dataset=DatasetConfig(name="yolo", root=str(tmp_path / "in")))
    config.compute.workers = 1
    _, summary = ingest.ingest(config, tmp_path / "work")
    assert (summary.added, summary.broken, summary.unused) == (3, 1, 1)
    quarantine = (tmp_path / "work/quarantine.jsonl").read_text()
    assert "box 0 (car) [nan, 9, nan, 27] has a coordinate that is not a number" in quarantine


@pytest.mark.parametrize(
    ("image", "labels"),
    [
        ("images/train/x.png", "labels/train/x.txt"),
        ("train/images/x.png", "train/labels/x.txt"),
        ("obj_train_data/x.png", "obj_train_data/x.txt"),
        ("x.png", "x.txt"),
    ],
)
def test_every_usual_layout_pairs_images_with_labels(tmp_path: Path, image: str, labels: str):
    write_images(tmp_path, [image])
    (tmp_path / labels).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / labels).touch()
    (tmp_path / "obj.names").write_text("car\n\nperson\n")
    adapter = yolo(tmp_path)
    assert list(adapter.class_names()) == ["car", "person"]
    (clip,) = listed(adapter)[0].values()
    assert (clip.stills[0].image, clip.stills[0].labels) == (image, labels)


def test_splits_come_from_folders_and_lists(tmp_path: Path):
    texts = dict.fromkeys(["train/a_1", "val/a_2", "val/a_3", "rest/a_4"], "")
    write_yolo(
        tmp_path,
        texts,
        about={**ABOUT, "train": "../images/train", "val": ["images/val", "test.txt"], "test": "test.txt"},
    )
    (tmp_path / "test.txt").write_text("/home/me/images/val/a_3.png\n./gone.png\n")
    clips, strays = listed(yolo(tmp_path))
    hints = {still.image: still.split_hint for clip in clips.values() for still in clip.stills}
    assert hints == {
        "images/rest/a_4.png": "",
        "images/train/a_1.png": "pool",
        "images/val/a_2.png": "val",
        "images/val/a_3.png": "test",
    }
    assert strays["test.txt"].status == "added"


def test_every_file_is_settled_once(tmp_path: Path):
    write_yolo(tmp_path, {"a_1": "", "a_2": ""}, about=ABOUT)
    (tmp_path / "images/a_2.png").unlink()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "extra.yaml").write_text("{}")
    (tmp_path / "model.pt").touch()
    _, strays = listed(yolo(tmp_path))
    assert {path: (outcome.status, outcome.reason) for path, outcome in strays.items()} == {
        "dataset.yaml": ("added", ""),
        "extra.yaml": ("unused", "names no classes"),
        "images/a_2.png": ("missing", "labels/a_2.txt labels it"),
        "labels/a_2.txt": ("unused", "its image is missing, for instance images/a_2.png"),
        "model.pt": ("unused", "no image, no labels, and no list that the YAML file names"),
        "notes.txt": ("unused", "no image, no labels, and no list that the YAML file names"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "names: [a\n",
        "[" * 10_000,
        "names: 7",
        "names: {a: b}",
        "names: [null]",
        # each line ten times the one before: a billion names if anybody wrote them out
        "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10) if n else 'x'}]\n" for n in range(9))
        + "names: [*a8]",
        "\udcff",
        "!!python/object/apply:os.system [ls]",
    ],
)
def test_a_damaged_list_of_names_leaves_numbers(tmp_path: Path, text: str):
    write_yolo(tmp_path, {"a_1": "0 0.5 0.5 0.5 0.5"})
    (tmp_path / "dataset.yaml").write_text(text, errors="surrogateescape")
    adapter = yolo(tmp_path)
    clips, strays = listed(adapter)
    assert strays["dataset.yaml"].status == "broken"
    assert boxes(read(adapter, clips["images"], 1)) == [("0", 12, 9, 36, 27)]


def test_names_that_nobody_told_can_be_mapped(tmp_path: Path):
    write_yolo(tmp_path / "in", {"a_1": "0 0.5 0.5 0.5 0.5\n3 0.5 0.5 0.5 0.5\n"})
    config = Config(
        dataset=DatasetConfig(name="yolo", root=str(tmp_path / "in"), classes=["car"], class_map={"0": "car"})
    )
    config.compute.workers = 1
    with pytest.raises(ConfigError, match='class "3" is in no class map; add'):
        ingest.ingest(config, tmp_path / "one")
    config.dataset.class_map["3"] = "ignore"
    workspace, summary = ingest.ingest(config, tmp_path / "two")
    assert summary.added == 2
    (row,) = workspace.lake.read("oracle").to_pylist()
    assert (row["class_id"], row["ignore"]) == ([0, 0], [False, True])


def test_a_folder_of_something_else_is_one_line(tmp_path: Path):
    write_images(tmp_path, ["a.png"])
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match=r"holds no YOLO labels: looked for images with a \.txt file"):
        list(yolo(tmp_path).recordings())

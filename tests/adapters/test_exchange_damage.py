"""A corpus of damaged copies of every exchange format: each file settled once, every fault one line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dataengine.adapters.base import Adapter, Recording, adapter_for, files_under
from dataengine.adapters.labels import check
from dataengine.config import DatasetConfig
from dataengine.errors import InputError
from tests.adapters.exchange_files import (
    HEIGHT,
    WIDTH,
    coco,
    cvat_box,
    cvat_images,
    write_coco,
    write_images,
    write_voc,
    write_yolo,
    yolo_line,
)


def _coco(root: Path) -> None:
    annotations = [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": 1, "track_id": 3}]
    write_coco(root, coco({1: "a_1.png", 2: "a_2.png"}, annotations, {1: "car"}))


def _yolo(root: Path) -> None:
    write_yolo(
        root, {"a_1": yolo_line(0, 1, 2, 9, 9), "a_2": ""}, about={"names": ["car"], "train": "images"}
    )


def _voc(root: Path) -> None:
    write_voc(root, {"a_1": [("car", 1, 2, 9, 9)], "a_2": []})


def _cvat(root: Path) -> None:
    images = {
        "a_1.png": cvat_box("car", 1, 2, 9, 9),
        "a_2.png": '<polygon label="car" points="1,2;3,4;5,0"/>',
    }
    write_images(root, [f"images/{name}" for name in images])
    (root / "annotations.xml").write_text(cvat_images(images))


FORMATS: dict[str, tuple[Callable[[Path], None], str]] = {
    "coco": (_coco, "labels.json"),
    "yolo": (_yolo, "labels/a_1.txt"),
    "voc": (_voc, "Annotations/a_1.xml"),
    "cvat": (_cvat, "annotations.xml"),
}


def one_line(error: Exception) -> None:
    assert "\n" not in str(error)


def settle(adapter: Adapter) -> tuple[int, int]:
    """List everything and read every label; numbers of usable and of refused frames."""
    names: list[str] = []
    usable = refused = 0
    for item in adapter.recordings():
        if not isinstance(item, Recording):
            names += [item.path] if item.status != "missing" else []
            continue
        names += item.files
        try:
            reader = adapter.labels(item)
        except InputError as error:
            one_line(error)
            continue
        assert reader is not None
        for still in item.stills:
            try:
                found = reader(still.number, (HEIGHT, WIDTH))
                if found is not None:
                    check(found, (HEIGHT, WIDTH))
                usable += 1
            except InputError as error:
                one_line(error)
                refused += 1
    assert sorted(names) == sorted(files_under(adapter.root))
    return usable, refused


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """The data cut short, with flipped bits, with a piece missing, doubled or replaced by noise."""
    at = int(rng.integers(len(data)))
    length = int(rng.integers(1, 40))
    kind = rng.integers(5)
    if kind == 0:
        return data[:at]
    if kind == 1:
        flipped = np.frombuffer(data, np.uint8).copy()
        flipped[at] ^= 1 << int(rng.integers(8))
        return flipped.tobytes()
    if kind == 2:
        return data[:at] + data[at + length :]
    if kind == 3:
        return data[: at + length] + data[at:]
    return data[:at] + rng.bytes(length) + data[at + length :]


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_labels_never_end_in_a_traceback(tmp_path: Path, name: str):
    write, labels = FORMATS[name]
    write(tmp_path)
    good = (tmp_path / labels).read_bytes()
    rng = np.random.default_rng(7)
    config = DatasetConfig(name=name)
    assert settle(adapter_for(config, tmp_path)) == (2, 0)
    refused = 0
    for _ in range(150):
        (tmp_path / labels).write_bytes(damaged(good, rng))
        try:
            adapter = adapter_for(config, tmp_path)
            list(adapter.class_names())
            refused += settle(adapter)[0] < 2
        except InputError as error:
            one_line(error)
            refused += 1
    assert refused > 40


@pytest.mark.parametrize("name", FORMATS)
def test_odd_names_empty_files_and_loops_are_settled_once(tmp_path: Path, name: str):
    write, _ = FORMATS[name]
    write(tmp_path)
    folder = tmp_path / "images of\nme/ä ö"
    folder.mkdir(parents=True)
    for odd in (
        "a b.png",
        "new\nline.png",
        "'quoted\".jpg",
        ".png",
        "label.txt",
        "x.xml",
        "y.json",
        "no suffix",
    ):
        (folder / odd).touch()
    write_images(tmp_path, ["-rf.png"])
    (tmp_path / "loop").symlink_to(tmp_path)
    with open(os.fsencode(tmp_path) + b"/bytes-\xff.png", "wb"):  # noqa: PTH123  not a text name
        pass
    usable, _ = settle(adapter_for(DatasetConfig(name=name), tmp_path))
    assert usable >= 2


@pytest.mark.parametrize("name", FORMATS)
def test_ten_thousand_empty_images_are_listed_in_seconds(tmp_path: Path, name: str):
    write, _ = FORMATS[name]
    write(tmp_path)
    for number in range(10_000):
        (tmp_path / f"images/{number // 1000}/{number}.png").parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"images/{number // 1000}/{number}.png").touch()
    usable, refused = settle(adapter_for(DatasetConfig(name=name), tmp_path))
    assert (usable, refused) == (10_002, 0)

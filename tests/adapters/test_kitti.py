"""KITTI's object benchmark: labels by hand, drives by the mapping, and every file settled."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from dataengine import cards
from dataengine.adapters.base import BrokenFileError, Recording
from dataengine.adapters.kitti.adapter import Kitti
from dataengine.adapters.kitti.labels import CLASSES, read_objects, without_empty_regions
from dataengine.adapters.kitti.mapping import Moment, read_mapping
from dataengine.config import DatasetConfig
from dataengine.errors import InputError
from dataengine.ingest import ingest
from tests.adapters.accounts import settled
from tests.adapters.kitti_recordings import (
    CAR,
    CYCLIST,
    REGION,
    kitti_config,
    write_lines,
    write_mapping,
    write_objects,
)
from tests.adapters.recordings import street, write_image

DRIVE = "2011_09_26_drive_0005_sync"


def opened(root: Path) -> tuple[Kitti, dict[str, Recording], dict[str, tuple[str, str]]]:
    adapter = Kitti(root, DatasetConfig(name="kitti", root=str(root)))
    return adapter, *settled(adapter)


def test_a_label_file_by_hand(tmp_path: Path):
    found = read_objects(write_lines(tmp_path / "a.txt", CAR, "", CYCLIST, REGION))
    assert found.xyxy.tolist() == [[4, 8, 20, 24], [1, 2, 11, 12.5], [30, 1, 40, 9]]
    assert found.names == ("Car", "Cyclist", "DontCare")
    assert found.ignore.tolist() == [False, False, True]
    assert found.track_id.tolist() == [-1, -1, -1]
    # 80% within the image, of which half to all is seen; the cyclist's occlusion is unknown
    np.testing.assert_allclose(found.visibility, [0.8 * 0.75, math.nan, math.nan])


def test_a_blank_file_says_that_there_are_no_objects(tmp_path: Path):
    assert read_objects(write_lines(tmp_path / "a.txt", "")).names == ()


EMPTY_REGIONS = ["30.00 1.00 30.00 9.00", "30.00 9.00 40.00 1.00", "-9 -9 -1 -1", "48 1 60 9", "1 36 9 50"]


@pytest.mark.parametrize("box", EMPTY_REGIONS)
def test_a_region_that_covers_nothing_of_the_image_is_left_out(tmp_path: Path, box):
    region = REGION.replace("30.00 1.00 40.00 9.00", box)
    labels = read_objects(write_lines(tmp_path / "a.txt", region, CAR, REGION))
    assert without_empty_regions(labels, (36, 48)).names == ("Car", "DontCare")


def test_an_object_outside_of_the_image_is_left_to_the_check_of_boxes(tmp_path: Path):
    outside = CAR.replace("4.00 8.00 20.00 24.00", "-9 -9 -1 -1")
    labels = read_objects(write_lines(tmp_path / "a.txt", outside))
    assert without_empty_regions(labels, (36, 48)).names == ("Car",)


BAD_LABELS = [
    (b"", "empty file"),
    (b"\xff\xfe\n", "no text"),
    (CAR[:-6].encode(), r"line 1: 14 columns; a label has 15"),
    (f"{CAR} 0.9".encode(), "line 1: a score stands at the end of a line"),
    (f"{CAR}\n{CAR.replace('4.00', 'x.00')}".encode(), "line 2: 'x.00' is no number of a label"),
    (CAR.replace("4.00", "nan").encode(), "line 1: 'nan' is no number"),
    (CAR.replace("4.00", "1e30").encode(), "line 1: '1e30' is no number"),
    (b"\x00" * 300, "line 1: 1 columns"),
]


@pytest.mark.parametrize(("text", "message"), BAD_LABELS)
def test_a_bad_line_is_named(tmp_path: Path, text, message):
    path = tmp_path / "a.txt"
    path.write_bytes(text)
    with pytest.raises(InputError, match=message):
        read_objects(path)


def test_without_the_mapping_each_image_is_a_drive_of_its_own(tmp_path: Path):
    write_objects(tmp_path, [0, 7])
    write_objects(tmp_path, [0], split="testing")
    adapter, clips, strays = opened(tmp_path)
    assert {clip: found.drive_id for clip, found in clips.items()} == {
        name: name for name in ("testing_000000", "training_000000", "training_000007")
    }
    assert strays == {}
    clip = clips["training_000007"]
    assert clip.files == ("training/image_2/000007.png", "training/label_2/000007.txt")
    assert (clip.split_hint, clip.start_time_s, clip.stills[0].number) == ("", 0, 7)
    read = adapter.labels(clip)
    assert read is not None
    labels = read(7, (36, 48))
    assert labels is not None
    assert labels.names == ("Car", "DontCare")
    assert adapter.labels(clips["testing_000000"]) is None


def test_with_the_mapping_images_are_clips_of_their_drives(tmp_path: Path):
    write_objects(tmp_path, [0, 1, 2, 3, 4])
    write_objects(tmp_path, [0], split="testing")
    # recorded: 0005 at 3, 20, 80; 0009 at 5. Image 0 is line 3, image 1 is line 4, ... and image 4 has none
    write_mapping(
        tmp_path / "devkit/mapping", [("0005", 3), ("0005", 20), ("0005", 80), ("0009", 5)], [3, 4, 1, 2]
    )
    adapter, clips, strays = opened(tmp_path)
    assert {clip: (found.drive_id, [s.number for s in found.stills]) for clip, found in clips.items()} == {
        f"{DRIVE}_000003": (DRIVE, [3, 20]),
        f"{DRIVE}_000080": (DRIVE, [80]),  # 60 frames on: more than 5 s
        "2011_09_26_drive_0009_sync_000005": ("2011_09_26_drive_0009_sync", [5]),
        "testing_000000": ("testing_000000", [0]),
        "training_000004": ("training_000004", [4]),
    }
    clip = clips[f"{DRIVE}_000003"]
    assert (clip.start_time_s, [s.time_s for s in clip.stills]) == (0.3, [0, 1.7])
    assert [s.image for s in clip.stills] == [f"training/image_2/{n:06d}.png" for n in (2, 3)]
    read = adapter.labels(clip)
    assert read is not None
    assert read(20, (36, 48)) is not None
    assert strays == {f"devkit/mapping/train_{name}.txt": ("added", "") for name in ("mapping", "rand")}


def test_the_mapping_counts_from_one(tmp_path: Path):
    write_mapping(tmp_path, [("0005", 3), ("0009", 5)], [2, 1])
    found = read_mapping(tmp_path / "train_rand.txt", tmp_path / "train_mapping.txt")
    assert found == [Moment("2011_09_26_drive_0009_sync", 5), Moment(DRIVE, 3)]


BAD_MAPPINGS = [
    # rand, mapping, message
    ("1,3", "d drive 1\nd drive 2", "'3' in train_rand.txt is no line of train_mapping.txt, which has 2"),
    ("0", "d drive 1", "'0' in train_rand.txt"),
    ("1,x", "d drive 1", "'x' in train_rand.txt"),
    ("1", "d drive", "line 1 of train_mapping.txt is not `date drive frame`"),
    ("1", "", "'1' in train_rand.txt is no line"),
]


@pytest.mark.parametrize(("rand", "mapping", "message"), BAD_MAPPINGS)
def test_a_bad_mapping_is_told_and_not_used(tmp_path: Path, rand, mapping, message):
    write_objects(tmp_path, [0])
    write_lines(tmp_path / "mapping/train_rand.txt", rand)
    write_lines(tmp_path / "mapping/train_mapping.txt", mapping)
    _, clips, strays = opened(tmp_path)
    assert list(clips) == ["training_000000"]
    for name in ("train_rand.txt", "train_mapping.txt"):
        status, reason = strays[f"mapping/{name}"]
        assert status == "broken"
        assert message in reason


def test_half_a_mapping_says_what_is_missing(tmp_path: Path):
    write_objects(tmp_path, [0])
    write_lines(tmp_path / "train_rand.txt", "1")
    _, _, strays = opened(tmp_path)
    assert strays == {
        "train_rand.txt": ("unused", "of no use without train_mapping.txt"),
        "train_mapping.txt": ("missing", "train_rand.txt needs it"),
    }


def test_archives_in_folders_of_their_own_belong_together(tmp_path: Path):
    write_objects(tmp_path / "data_object_image_2", [3])
    label = tmp_path / "data_object_image_2/training/label_2/000003.txt"
    label.rename(write_lines(tmp_path / "data_object_label_2/training/label_2/000003.txt"))
    label.parent.rmdir()
    _, clips, strays = opened(tmp_path)
    assert clips["training_000003"].stills[0].labels == "data_object_label_2/training/label_2/000003.txt"
    assert strays == {}


def test_a_messy_folder_is_settled_file_by_file(tmp_path: Path):
    write_objects(tmp_path, [0, 1, 2])
    (tmp_path / "training/image_2/000001.png").unlink()
    (tmp_path / "training/label_2/000002.txt").unlink()
    write_image(tmp_path / "training/image_2/000000.jpg", street(0))
    write_image(tmp_path / "training/image_2/über all.png", street(1))
    write_image(tmp_path / "training/image_3/000000.png", street(2))
    write_lines(tmp_path / "training/calib/000000.txt", "P0: 1")
    (tmp_path / "notes.txt").touch()
    _, clips, strays = opened(tmp_path)
    assert list(clips) == ["training_000000", "training_000002"]
    assert strays == {
        "training/image_2/000001.png": (
            "missing",
            "labelled in training/label_2/000001.txt, but not there",
        ),
        "training/label_2/000001.txt": ("unused", "its image training/image_2/000001.png is missing"),
        "training/label_2/000002.txt": (
            "missing",
            "training/image_2/000002.png is unlabelled without it",
        ),
        "training/image_2/000000.png": ("unused", "the same as training/image_2/000000.jpg"),
        "training/image_2/über all.png": ("unused", "no part of KITTI's layout"),
        "training/image_3/000000.png": ("unused", "the right camera, whose images nobody labelled"),
        "training/calib/000000.txt": ("unused", "calibration in 3D, which 2D boxes do not need"),
        "notes.txt": ("unused", "no part of KITTI's layout"),
    }


def test_a_broken_label_file_is_named_for_its_image(tmp_path: Path):
    write_objects(tmp_path, [0])
    (tmp_path / "training/label_2/000000.txt").write_text(CAR[:40])
    adapter, clips, _ = opened(tmp_path)
    read = adapter.labels(clips["training_000000"])
    assert read is not None
    with pytest.raises(BrokenFileError, match=r"training/label_2/000000.txt: line 1: 9 columns"):
        read(0, (36, 48))


def test_a_folder_of_something_else_names_what_was_looked_for(tmp_path: Path):
    write_image(tmp_path / "training/image_02/0001/000000.png", street(0))
    with pytest.raises(InputError, match=r"holds no KITTI objects: .*dataset=kitti_tracking reads image_02/"):
        opened(tmp_path)


def test_the_card_maps_every_type():
    assert set(CLASSES) == set(cards.load("kitti").taxonomy.class_map)


def test_a_folder_goes_into_the_lake(tmp_path: Path):
    root = tmp_path / "kitti"
    write_objects(root, [0, 1, 2])
    write_objects(root, [0], split="testing")
    (root / "training/label_2/000001.txt").write_text("Car 0.00")
    (root / "training/image_2/000002.png").write_bytes(b"")
    workspace, summary = ingest(kitti_config("kitti", root), tmp_path / "ws")
    # broken: a label file and an image; unused: their partners
    assert (summary.added, summary.missing, summary.broken, summary.unused) == (3, 0, 2, 2)
    assert workspace.frames()["frame_id"].to_pylist() == ["testing_000000/000000", "training_000000/000000"]
    (truth,) = workspace.lake.read("oracle").to_pylist()
    assert truth["ignore"] == [False, True]


def test_the_real_images_are_all_used(tmp_path: Path, data_root: Path):
    folder = data_root / "kitti"
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing: the KITTI sample of the shared data")
    adapter, clips, strays = opened(folder)
    assert (len(clips), strays) == (75, {})
    names = [
        name
        for clip in clips.values()
        for still in clip.stills
        for name in adapter.labels(clip)(still.number, (375, 1242)).names  # type: ignore[misc, union-attr]
    ]
    assert (names.count("Car"), names.count("DontCare"), names.count("Tram")) == (209, 188, 9)
    summary = ingest(kitti_config("kitti", folder), tmp_path / "ws")[1]
    assert (summary.added, summary.broken, summary.unused, summary.frames) == (150, 0, 0, 75)

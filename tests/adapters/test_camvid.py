"""CamVid: both layouts, drives cut into clips, and every file settled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dataengine.adapters.base import BrokenFileError, Recording
from dataengine.adapters.camvid.adapter import CamVid
from dataengine.adapters.camvid.layouts import read_colours
from dataengine.config import DatasetConfig
from dataengine.errors import InputError
from dataengine.workspace import Outcome
from tests.adapters.recordings import segnet_mask, write_image, write_original, write_segnet

DATA = Path(os.environ.get("DATAENGINE_DATA", Path(__file__).parents[3] / "shared" / "data")) / "camvid"


def opened(root: Path) -> tuple[CamVid, dict[str, Recording], dict[str, Outcome]]:
    adapter = CamVid(root, DatasetConfig(name="camvid", min_box_area=9))
    found = list(adapter.recordings())
    clips = {item.clip_id: item for item in found if isinstance(item, Recording)}
    return adapter, clips, {item.path: item for item in found if isinstance(item, Outcome)}


def test_frames_are_clips_by_drive_and_gap_in_the_order_of_their_numbers(tmp_path: Path):
    names = ["0016E5_00150", "0016E5_00000", "0016E5_00301", "Seq05VD_f00030"]
    write_segnet(tmp_path, {"train": names})
    _, clips, _ = opened(tmp_path)
    # 150 numbers are exactly 5 s, 151 are more
    assert {clip: [s.number for s in found.stills] for clip, found in clips.items()} == {
        "0016E5_000000": [0, 150],
        "0016E5_000301": [301],
        "Seq05VD_000030": [30],
    }
    assert clips["0016E5_000301"].start_time_s == pytest.approx(301 / 30)
    assert [still.time_s for still in clips["0016E5_000000"].stills] == [0, 5]


def test_splits_are_hints_of_frames_and_of_clips_that_hold_one_alone(tmp_path: Path):
    write_segnet(
        tmp_path, {"train": ["0001TP_000030", "A_00030"], "test": ["0001TP_000060"], "val": ["B_00030"]}
    )
    _, clips, _ = opened(tmp_path)
    assert [still.split_hint for still in clips["0001TP_000030"].stills] == ["pool", "test"]
    assert {clip: found.split_hint for clip, found in clips.items()} == {
        "0001TP_000030": "",
        "A_000030": "pool",
        "B_000030": "val",
    }
    assert clips["0001TP_000030"].conditions == {"time_of_day": "dusk"}
    assert clips["B_000030"].conditions == {"time_of_day": "day"}


def test_folders_without_lists_are_read_whole(tmp_path: Path):
    write_segnet(tmp_path, {"train": ["A_00030", "A_00060"]}, lists=False)
    _, clips, strays = opened(tmp_path)
    assert [still.image for still in clips["A_000030"].stills] == ["train/A_00030.png", "train/A_00060.png"]
    assert strays == {}


def test_every_file_is_settled_once(tmp_path: Path):
    write_segnet(tmp_path, {"train": ["A_00030", "A_00060", "A_00090"], "test": ["A_00030"]})
    (tmp_path / "train" / "A_00060.png").unlink()
    (tmp_path / "trainannot" / "A_00090.png").unlink()
    write_image(tmp_path / "train" / "A_00120.png", segnet_mask())
    (tmp_path / "README").touch()
    with (tmp_path / "test.txt").open("a") as lines:
        lines.write("only_one_column\n")
    write_image(tmp_path / "test" / "drive.png", segnet_mask())
    write_image(tmp_path / "testannot" / "drive.png", segnet_mask())
    with (tmp_path / "test.txt").open("a") as lines:
        lines.write("test/drive.png testannot/drive.png\n")
    _, clips, strays = opened(tmp_path)
    # lists are read test before train, so the frame that both name belongs to test
    assert [clip.files for clip in clips.values()] == [("test/A_00030.png", "testannot/A_00030.png")]
    assert {name: (stray.status, stray.reason) for name, stray in strays.items()} == {
        "train.txt": ("added", ""),
        "test.txt": ("broken", "lines [2] are not `IMAGE MASK`; left out"),
        "train/A_00030.png": ("unused", "the same frame as test/A_00030.png"),
        "trainannot/A_00030.png": ("unused", "the same frame as test/A_00030.png"),
        "train/A_00060.png": ("missing", "listed, but not there"),
        "trainannot/A_00060.png": ("unused", "its image is missing"),
        "train/A_00090.png": ("unused", "its mask is missing"),
        "trainannot/A_00090.png": ("missing", "listed, but not there"),
        "train/A_00120.png": ("unused", "not in train.txt"),
        "test/drive.png": ("unused", "its name is not <drive>_<frame number at 30 Hz>.png"),
        "testannot/drive.png": ("unused", "its name is not <drive>_<frame number at 30 Hz>.png"),
        "README": ("unused", "no part of CamVid's layout"),
    }


@pytest.mark.parametrize(
    "write", [lambda r: write_segnet(r, {"train": ["A_00030"]}), lambda r: write_original(r, ["A_00030"])]
)
def test_boxes_are_the_components_of_objects_in_either_layout(tmp_path: Path, write):
    write(tmp_path)
    adapter, clips, _ = opened(tmp_path)
    labels = adapter.labels(clips["A_000030"])(30, (36, 48))
    assert labels.xyxy.tolist() == [[5, 10, 17, 20], [40, 30, 42, 32]]
    assert labels.names == ("Car", "Pedestrian")
    assert labels.ignore.tolist() == [False, True]  # 4 square pixels are below 9


def test_the_original_layout_has_no_published_split(tmp_path: Path):
    write_original(tmp_path, ["0001TP_006690", "Seq05VD_f00030"])
    _, clips, strays = opened(tmp_path)
    assert {still.split_hint for clip in clips.values() for still in clip.stills} == {""}
    assert clips["0001TP_006690"].files[1] == "LabeledApproved_full/0001TP_006690_L.png"
    assert {name: stray.status for name, stray in strays.items()} == {"label_colors.txt": "added"}


def test_a_mask_of_another_size_or_a_cut_one_is_broken(tmp_path: Path):
    write_segnet(tmp_path, {"train": ["A_00030", "A_00060"]})
    write_image(tmp_path / "trainannot" / "A_00030.png", segnet_mask()[:30])
    cut = tmp_path / "trainannot" / "A_00060.png"
    cut.write_bytes(cut.read_bytes()[:-20])
    adapter, clips, _ = opened(tmp_path)
    read = adapter.labels(clips["A_000030"])
    with pytest.raises(BrokenFileError, match=r"trainannot/A_00030.png: mask of 48x30 for an image of 48x36"):
        read(30, (36, 48))
    with pytest.raises(BrokenFileError, match=r"trainannot/A_00060.png: cut short"):
        read(60, (36, 48))


def test_a_folder_of_something_else_names_what_was_looked_for(tmp_path: Path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.png").touch()
    with pytest.raises(InputError, match=r"holds no CamVid: looked for train/ with trainannot/"):
        opened(tmp_path)


BAD_COLOURS = ["64 0 Car", "64 0 300 Car", "64 0 x Car", "64,0,128 Car"]


@pytest.mark.parametrize("line", BAD_COLOURS)
def test_a_bad_line_of_the_colour_table_is_named(tmp_path: Path, line):
    path = tmp_path / "label_colors.txt"
    path.write_text(f"0 0 0\t\tVoid\n{line}\n")
    with pytest.raises(InputError, match=r"label_colors.txt: line 2 .* is not `R G B Name`"):
        read_colours(path)


def test_a_missing_colour_table_is_told_at_once(tmp_path: Path):
    write_original(tmp_path, ["A_00030"])
    (tmp_path / "label_colors.txt").unlink()
    with pytest.raises(InputError, match=r"label_colors.txt: cannot be read"):
        opened(tmp_path)


@pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is missing: the CamVid sample of the shared data")
def test_the_real_release_is_five_clips_of_four_drives():
    _, clips, strays = opened(DATA)
    assert {clip: len(found.stills) for clip, found in clips.items()} == {
        "0001TP_006690": 124,
        "0006R0_000930": 101,
        "0016E5_000390": 68,
        "0016E5_004350": 237,
        "Seq05VD_000000": 171,
    }
    assert {stray.status for stray in strays.values()} == {"added"}

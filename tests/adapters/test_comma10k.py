"""comma10k: clips from names, boxes from painted masks, and every file settled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dataengine.adapters.base import BrokenFileError
from dataengine.adapters.comma10k.adapter import Comma10k
from dataengine.adapters.comma10k.masks import COLOURS, VOID, class_values
from dataengine.config import Config, DatasetConfig
from dataengine.errors import ConfigError, InputError
from dataengine.ingest import ingest
from tests.adapters.accounts import settled
from tests.adapters.comma_recordings import PAINT, painted, write_pair
from tests.adapters.recordings import street, write_image

A, B = "0085e9e41513078a_2018-08-19--13-26-08", "a23b0de0bc12dcba_2018-06-24--00-29-19"


def adapter_on(root: Path, **settings) -> Comma10k:
    return Comma10k(root, DatasetConfig(name="comma10k", root=str(root), min_box_area=9, **settings))


def test_names_tell_drive_minute_frame_and_camera(tmp_path: Path):
    for name in (f"0000_{A}_11_864.png", f"0001_{A}_11_79.png", f"0002_{A}_12_5.png", f"0003_{B}_2_608.png"):
        write_pair(tmp_path, name)
    write_pair(tmp_path, f"00000_e_{B}_2_608.png", folder="imgs2")
    write_pair(tmp_path, f"00000_f_{B}_2_609.png", folder="imgs2")
    recordings, _ = settled(adapter_on(tmp_path))
    assert {
        clip: (found.drive_id, found.camera, [still.number for still in found.stills])
        for clip, found in recordings.items()
    } == {
        f"{A}--11": (A, "road", [79, 864]),
        f"{A}--12": (A, "road", [5]),
        f"{B}--2": (B, "road", [608, 609]),
        f"{B}--2_wide": (B, "wide", [608]),
    }
    minute = recordings[f"{A}--11"]
    assert (minute.start_time_s, minute.stills[1].time_s, minute.split_hint) == (660, 43.2, "")
    assert minute.files[2:] == (f"imgs/0000_{A}_11_864.png", f"masks/0000_{A}_11_864.png")


def test_boxes_are_the_components_of_what_can_move(tmp_path: Path):
    write_pair(tmp_path, f"0000_{A}_1_4.png", painted((5, 10, 17, 20), (40, 30, 42, 32)))
    adapter = adapter_on(tmp_path)
    recordings, _ = settled(adapter)
    labels = adapter.labels(recordings[f"{A}--1"])(4, (36, 48))
    assert labels.xyxy.tolist() == [[5, 10, 17, 20], [40, 30, 42, 32]]
    assert labels.names == ("movable", "movable") == adapter.class_names() * 2
    assert labels.ignore.tolist() == [False, True]  # 4 square pixels are below 9
    write_pair(tmp_path, f"0000_{A}_1_4.png", painted())
    assert adapter.labels(recordings[f"{A}--1"])(4, (36, 48)).names == ()


# a colour that nobody published, and the class it is read as
NEAR_MISSES = [
    ((0, 255, 102), "movable"),
    ((0, 250, 106), "movable"),  # 5^2 + 4^2 = 41
    ((4, 251, 106), "movable"),  # 48
    ((0, 248, 105), "movable"),  # 58
    ((0, 247, 102), None),  # 64, no nearer than 60
    ((0, 0, 0), None),  # the publisher's former "empty"
    ((255, 255, 255), None),
    ((0, 204, 255), None),  # the driver's camera alone has it
    ((66, 30, 34), "road"),
    ((255, 3, 3), "lane_marking"),
]


@pytest.mark.parametrize(("colour", "name"), NEAR_MISSES)
def test_misdrawn_colours_are_the_nearest_class_or_void(colour, name):
    mask = painted((5, 10, 17, 20), colour=colour)
    values = class_values(mask)
    expected = VOID if name is None else list(COLOURS).index(name)
    assert set(values[10:20, 5:17].ravel().tolist()) == {expected}
    assert values[25, 25] == list(COLOURS).index("road")


def test_a_mask_of_noise_is_void():
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    assert (class_values(noise) == VOID).mean() > 0.99


def test_every_file_is_settled_once(tmp_path: Path):
    good = f"0000_{A}_1_4.png"
    write_pair(tmp_path, good)
    for path in (f"imgs/0001_{A}_1_4.png", f"imgs/0002_{A}_1_8.png", f"masks/0003_{A}_1_9.png"):
        write_image(tmp_path / path, street(1))
    for path in (
        "imgs/00042.png",
        f"masks/0004_{A}_1_5 (2).png",
        "imgsd/00000.png",
        "sample.gif",
        "README.md",
    ):
        write_image(tmp_path / path, street(1))
    write_pair(tmp_path, f"sub/0005_{A}_1_5.png")
    recordings, outcomes = settled(adapter_on(tmp_path))
    # an image without a mask is a frame that nobody labelled
    assert recordings[f"{A}--1"].files == (f"imgs/{good}", f"masks/{good}", f"imgs/0002_{A}_1_8.png")
    misnamed = "its name is not NNNN_<dongle>_<date>_<segment>_<frame>.png"
    assert outcomes == {
        f"imgs/0001_{A}_1_4.png": ("unused", f"the same frame as imgs/{good}"),
        f"imgs/0003_{A}_1_9.png": ("missing", f"masks/0003_{A}_1_9.png is its mask"),
        f"masks/0003_{A}_1_9.png": ("unused", "its image is missing"),
        "imgs/00042.png": ("unused", misnamed),
        f"masks/0004_{A}_1_5 (2).png": ("unused", misnamed),
        f"imgs/sub/0005_{A}_1_5.png": ("unused", misnamed),
        f"masks/sub/0005_{A}_1_5.png": ("unused", misnamed),
        "imgsd/00000.png": ("unused", "the driver's camera, which sees no road"),
        "sample.gif": ("unused", "no part of comma10k's layout"),
        "README.md": ("unused", "no part of comma10k's layout"),
    }


def test_masks_that_are_not_in_the_list_are_unfinished(tmp_path: Path):
    names = [f"000{number}_{A}_1_{number}.png" for number in range(3)]
    for name in names:
        write_pair(tmp_path, name)
    listed = [f"masks/{names[0]}", f"masks/0007_{B}_1_1.png", "masksd/00000.png", "../../etc/passwd"]
    (tmp_path / "files_trainable").write_text("\n".join(listed))
    adapter = adapter_on(tmp_path)
    recordings, outcomes = settled(adapter)
    read = adapter.labels(recordings[f"{A}--1"])
    assert [labels is not None for labels in (read(number, (36, 48)) for number in range(3))] == [
        True,
        False,
        False,
    ]
    assert outcomes == {
        "files_trainable": ("broken", "1 lines (first: 4) name no mask; left out"),
        f"masks/{names[1]}": ("unused", "not in files_trainable: nobody finished this mask"),
        f"masks/{names[2]}": ("unused", "not in files_trainable: nobody finished this mask"),
        f"masks/0007_{B}_1_1.png": ("missing", "listed in files_trainable"),
        f"imgs/0007_{B}_1_1.png": ("missing", f"masks/0007_{B}_1_1.png is its mask"),
    }


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"<html>\n"])
def test_a_list_that_is_none_counts_for_nothing(tmp_path: Path, data):
    write_pair(tmp_path, f"0000_{A}_1_4.png")
    (tmp_path / "files_trainable").write_bytes(data)
    recordings, outcomes = settled(adapter_on(tmp_path))
    assert recordings[f"{A}--1"].stills[0].mask
    assert outcomes == {"files_trainable": ("broken", "names no mask; every mask counts")}


def test_other_cameras_are_left_out(tmp_path: Path):
    write_pair(tmp_path, f"00000_e_{B}_2_608.png", folder="imgs2")
    write_pair(tmp_path, f"00000_f_{B}_2_608.png", folder="imgs2")
    adapter = adapter_on(tmp_path, cameras=["road"])
    recordings, outcomes = settled(adapter)
    assert list(recordings) == [f"{B}--2"]
    assert set(outcomes.values()) == {("unused", "camera wide is not in dataset.cameras")}
    assert adapter.settings() == {"min_box_area": 9, "cameras": ["road"]}


BAD_MASKS = [
    (painted()[:30], "mask of 48x30 for an image of 48x36"),
    (painted()[..., 0], "grey mask; the classes are colours"),
]


@pytest.mark.parametrize(("mask", "reason"), BAD_MASKS)
def test_a_mask_that_is_none_is_broken(tmp_path: Path, mask, reason):
    name = f"0000_{A}_1_4.png"
    write_pair(tmp_path, name, mask)
    adapter = adapter_on(tmp_path)
    recordings, _ = settled(adapter)
    with pytest.raises(BrokenFileError, match=f"masks/{name}: {reason}"):
        adapter.labels(recordings[f"{A}--1"])(4, (36, 48))


@pytest.mark.parametrize("keep", [0, 10, 60])
def test_a_mask_cut_short_is_broken(tmp_path: Path, keep):
    name = f"0000_{A}_1_4.png"
    write_pair(tmp_path, name)
    path = tmp_path / "masks" / name
    path.write_bytes(path.read_bytes()[:keep])
    adapter = adapter_on(tmp_path)
    recordings, _ = settled(adapter)
    with pytest.raises(BrokenFileError, match=f"masks/{name}: (empty file|not a readable image|cut short)"):
        adapter.labels(recordings[f"{A}--1"])(4, (36, 48))


def test_a_camera_that_there_is_not_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"dataset.cameras=.*: comma10k has road and wide"):
        settled(adapter_on(tmp_path, cameras=["driver"]))


def test_a_folder_of_something_else_names_what_was_looked_for(tmp_path: Path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").touch()
    with pytest.raises(InputError, match=r"holds no comma10k: looked for imgs/ with masks/"):
        settled(adapter_on(tmp_path))


def test_labelled_unlabelled_and_broken_frames_end_in_the_lake(tmp_path: Path):
    names = {key: f"000{key}_{A}_1_{key}.png" for key in range(4)}
    for name in names.values():
        write_pair(tmp_path / "data", name)
    (tmp_path / "data/masks" / names[1]).unlink()
    (tmp_path / "data/masks" / names[2]).write_bytes(b"")
    config = Config(dataset=DatasetConfig(name="comma10k", root=str(tmp_path / "data"), min_box_area=9))
    config.compute.workers = 1
    workspace, summary = ingest(config, tmp_path / "work")
    assert (summary.frames, summary.added, summary.broken, summary.unused) == (3, 5, 1, 1)
    truth = {row["frame_id"]: row for row in workspace.lake.read("oracle").to_pylist()}
    assert sorted(truth) == [f"{A}--1/000000", f"{A}--1/000003"]
    assert truth[f"{A}--1/000000"]["xyxy"] == [5, 10, 17, 20]
    assert workspace.card.taxonomy.classes == ("movable",)
    assert PAINT["movable"] == COLOURS["movable"]

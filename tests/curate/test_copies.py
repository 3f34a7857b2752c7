"""The leak test of all pictures: copies are found under any name, plain roads are not copies."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dataengine.config import Config, CurateConfig, DatasetConfig, WorldConfig
from dataengine.curate import copies, curate, embedder
from dataengine.curate.pictures import likeness, same_picture
from dataengine.errors import InputError
from dataengine.ingest import ingest
from dataengine.simulator import render_fleet
from tests.adapters.recordings import camvid_config
from tests.curate.pictures import cropped, painted, store, workspace_of
from tests.curate.timelines import codes, timeline

HINTS = {"learned": "pool", "steered": "val", "judged": "test"}


def three_drives(size: int = 6) -> dict[str, list[np.ndarray]]:
    return {drive: [painted(100 * i + j) for j in range(size)] for i, drive in enumerate(HINTS)}


def reencoded(image: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], cv2.IMREAD_COLOR)


COPIES = {
    "copied": lambda image: image,
    "re-encoded": reencoded,
    "half the size": lambda image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "brighter": lambda image: cv2.convertScaleAbs(image, alpha=1.1, beta=8),
    "cropped by 2%": lambda image: cropped(image, 0.02),
}


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize(("source", "target"), [("learned", "judged"), ("judged", "steered")])
def test_a_planted_copy_fails_the_run(tmp_path: Path, copy, source, target):
    drives = three_drives()
    drives[target][2] = COPIES[copy](drives[source][4])
    workspace = workspace_of(tmp_path, drives, HINTS)
    with pytest.raises(
        InputError, match=rf"the splits leak: .*{source}/000004.* show the same picture"
    ) as told:
        curate(workspace, CurateConfig(), DatasetConfig())
    assert f"{target}/000002 ({HINTS[target]})" in str(told.value)
    assert not workspace.lake.parts("splits"), "nothing is written"


def test_drives_of_other_pictures_do_not_leak(tmp_path: Path, capsys):
    summary = curate(workspace_of(tmp_path, three_drives(), HINTS), CurateConfig(), DatasetConfig())
    assert (summary.copies, summary.across_clips) == (0, 0)
    assert "no leak" in capsys.readouterr().err


def test_a_copy_within_one_split_is_a_duplicate(tmp_path: Path):
    drives = {"a": [painted(1), painted(2)], "b": [painted(3), painted(2)], "c": [painted(4)]}
    workspace = workspace_of(tmp_path, drives, {"a": "pool", "b": "pool", "c": "test"})
    summary = curate(workspace, CurateConfig(), DatasetConfig())
    assert summary.across_clips == 1
    (row,) = workspace.lake.read("duplicates").to_pylist()
    assert {row["frame_id"], row["best_frame_id"]} == {"a/000001", "b/000001"}
    assert row["kind"] == "embedding"


def test_frames_of_no_known_drive_make_room_where_splits_are_drawn(tmp_path: Path, capsys):
    drives = {f"image{number:02d}": [painted(number)] for number in range(30)}
    plain = curate(workspace_of(tmp_path / "plain", drives), CurateConfig(), DatasetConfig())
    assert plain.copies == 0
    everywhere = painted(99)
    for number in (3, 8, 11, 17, 20, 26):
        drives[f"image{number:02d}"] = [everywhere]
    workspace = workspace_of(tmp_path / "copied", drives)
    summary = curate(workspace, CurateConfig(), DatasetConfig())
    assert summary.copies == summary.frames["gap"] > 0
    assert "copies left out" in capsys.readouterr().err
    left = {f"image{n:02d}/000000" for n in (3, 8, 11, 17, 20, 26)} - set(
        workspace.frames("gap")["frame_id"].to_pylist()
    )
    splits = workspace.frames("pool", "val", "test").to_pylist()
    assert len({row["split"] for row in splits if row["frame_id"] in left}) == 1
    again = curate(workspace, CurateConfig(), DatasetConfig())
    assert again == summary


def test_a_drive_that_comes_back_is_cut_without_its_copies(tmp_path: Path):
    """One drive of a hundred seconds, cut in three; its last frames show what its first ones showed."""
    images = [painted(number) for number in range(100)]
    images[95:98] = images[5:8]
    workspace = workspace_of(tmp_path, {"a": images})
    summary = curate(workspace, CurateConfig(), DatasetConfig())
    assert summary.copies == 3
    left = workspace.frames("gap").to_pylist()
    assert {f"a/{number:06d}" for number in (5, 6, 7)} <= {row["frame_id"] for row in left}


def test_a_small_fleet_does_not_leak(tmp_path: Path):
    world = WorldConfig(pool_clips=8, val_clips=4, test_clips=8, balanced_clips=0)
    render_fleet(world, tmp_path / "fleet", workers=1)
    config = Config(dataset=DatasetConfig(root=str(tmp_path / "fleet"), world=world))
    config.compute.workers = 1
    workspace, _ = ingest(config, tmp_path / "ws")
    assert curate(workspace, config.curate, config.dataset).copies == 0


@pytest.mark.slow
def test_camvid_does_not_leak_until_a_frame_is_planted(tmp_path: Path, data_root: Path):
    if not (data_root / "camvid").is_dir():
        pytest.skip(f"no CamVid at {data_root}")
    config = camvid_config(data_root / "camvid", min_box_area=100, workers=0)
    workspace, _ = ingest(config, tmp_path / "ws")
    assert curate(workspace, config.curate, config.dataset).frames["test"] == 233


def test_the_nearest_suspects_are_looked_at_and_the_others_told(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(copies, "MOST", 3)
    images = [store(tmp_path / f"{n}.jpg", painted(n % 2)) for n in range(8)]
    found = copies.find(
        timeline({"a": range(4), "b": range(4)}, phash=[1] * 8),
        codes(*["pool"] * 4, *["val", "val", "test", "test"]),
        embedder.thumbnail().embed(images),
        images,
        distance=0.02,
        bits=4,
    )
    assert (found.looked_at, found.left_out) == (3, 7)  # 2 x 4 with the pool, 2 between val and test
    assert len(found.pairs) == 3


def test_likeness_tells_copies_from_neighbours(tmp_path: Path):
    image = painted(5)
    original = store(tmp_path / "original.png", image)
    for name, change in COPIES.items():
        copy = store(tmp_path / "copy.jpg", change(image), 80)
        assert likeness(original, copy) >= 0.85, name
        assert same_picture(copy, original), name
    assert likeness(original, store(tmp_path / "other.jpg", painted(6))) < 0.3


@pytest.mark.parametrize("level", [0, 128])
def test_blank_pictures_prove_nothing(tmp_path: Path, level):
    blank = [store(tmp_path / f"{n}.png", np.full((96, 160, 3), level, np.uint8)) for n in range(2)]
    assert not same_picture(*blank)

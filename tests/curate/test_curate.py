"""The curate stage: from frames in the lake to the table of splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from dataengine import cards
from dataengine.config import CurateConfig, DatasetConfig
from dataengine.curate import curate
from dataengine.errors import InputError, WorkspaceError
from dataengine.schema import CLIPS, FRAMES
from dataengine.workspace import Workspace


def settings(**values: object) -> CurateConfig:
    """Without embeddings: these frames have no images."""
    return CurateConfig(**{"embed": "none", **values})


def workspace_of(root: Path, drives: dict[str, list[str]]) -> Workspace:
    """Drive -> hints of its frames, one second apart, in one clip that starts at 100 s."""
    workspace = Workspace.create(root, cards.load("simulated"), None, "test")
    rng = np.random.default_rng(0)
    clips, frames = [], []
    for drive, hints in drives.items():
        clips.append({"clip_id": drive, "drive_id": drive, "start_time_s": 100.0})
        for number, hint in enumerate(hints):
            frames.append(
                {
                    "frame_id": f"{drive}/{number:06d}",
                    "clip_id": drive,
                    "drive_id": drive,
                    "time_s": float(number),
                    "phash": int(rng.integers(0, 2**64, dtype=np.uint64)),
                    "sharpness": 50.0,
                    "brightness": 0.5,
                    "split_hint": hint,
                }
            )
    workspace.lake.append("clips", pa.Table.from_pylist(clips, CLIPS))
    workspace.lake.append("frames", pa.Table.from_pylist(frames, FRAMES))
    return workspace


def test_every_frame_has_one_split_and_the_summary_counts_them(tmp_path: Path, capsys):
    drives = {"a": ["pool"] * 5, "b": ["val"] * 2, "c": ["test"] * 3, "d": ["pool"] * 4 + ["test"] * 3}
    workspace = workspace_of(tmp_path, drives)
    summary = curate(workspace, settings(), DatasetConfig())
    assert dict(summary.frames) == {
        "pool": 8,
        "val": 2,
        "test": 6,
        "test_balanced": 0,
        "gap": 1,
        "unlabelled": 0,
    }
    assert summary.drives["test"] == 2
    assert workspace.lake.read("splits").num_rows == 17
    assert workspace.frames("gap")["frame_id"].to_pylist() == ["d/000003"]
    assert "curate: pool 8 frames of 2 drives, val 2 frames of 1 drives" in capsys.readouterr().err


def test_a_second_run_rewrites_nothing(tmp_path: Path):
    workspace = workspace_of(tmp_path, {"a": ["pool"] * 5, "c": ["test"] * 3})
    curate(workspace, settings(), DatasetConfig())
    (part,) = workspace.lake.parts("splits")
    before = part.stat().st_mtime_ns
    curate(workspace, settings(), DatasetConfig())
    assert part.stat().st_mtime_ns == before


def test_without_hints_drives_are_drawn(tmp_path: Path):
    workspace = workspace_of(tmp_path, {f"d{number:02d}": [""] * 5 for number in range(20)})
    summary = curate(workspace, settings(val_share=0.2, test_share=0.2), DatasetConfig())
    assert dict(summary.drives) == {
        "pool": 12,
        "val": 4,
        "test": 4,
        "test_balanced": 0,
        "gap": 0,
        "unlabelled": 0,
    }


def test_other_shares_replace_the_splits_while_nothing_rests_on_them(tmp_path: Path):
    workspace = workspace_of(tmp_path, {f"d{number:02d}": [""] * 5 for number in range(20)})
    curate(workspace, settings(), DatasetConfig())
    summary = curate(workspace, settings(val_share=0.4), DatasetConfig())
    assert workspace.frames("val").num_rows == summary.frames["val"] == 40
    assert workspace.lake.read("splits").num_rows == 100


def test_splits_under_finished_runs_do_not_move(tmp_path: Path):
    workspace = workspace_of(tmp_path, {f"d{number:02d}": [""] * 5 for number in range(20)})
    curate(workspace, settings(), DatasetConfig())
    workspace.run("random-s0-abc").create({"arm": "random", "seed": 0})
    before = workspace.lake.read("splits")
    curate(workspace, settings(), DatasetConfig())
    with pytest.raises(WorkspaceError, match=r"\d+ frames of .* would change splits under 1 runs"):
        curate(workspace, settings(val_share=0.4), DatasetConfig())
    assert workspace.lake.read("splits").equals(before)


def test_an_empty_pool_is_told_with_the_remedy(tmp_path: Path):
    workspace = workspace_of(tmp_path, {"a": ["val"] * 3, "b": ["test"] * 3})
    with pytest.raises(
        InputError, match=r"no frame is left in the pool \(val 3, test 3\); lower curate.val_share"
    ):
        curate(workspace, settings(), DatasetConfig())


def test_empty_val_and_test_are_said(tmp_path: Path, capsys):
    curate(workspace_of(tmp_path, {"a": ["pool"] * 3}), settings(), DatasetConfig())
    said = capsys.readouterr().err
    assert "val is empty" in said
    assert "test is empty" in said


def test_a_workspace_without_frames_is_told(tmp_path: Path):
    with pytest.raises(WorkspaceError, match="holds no frames; run `dataengine ingest` first"):
        curate(workspace_of(tmp_path, {}), settings(), DatasetConfig())

"""The curate stage: from frames in the lake to the table of splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from dataengine import cards
from dataengine.config import CurateConfig, DatasetConfig
from dataengine.curate import CurateSummary, curate
from dataengine.errors import InputError, WorkspaceError
from dataengine.schema import CLIPS, FRAME_BOXES, FRAMES, SPLITS
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
    config = settings(val_share=0, test_share=0)
    curate(workspace_of(tmp_path, {"a": ["pool"] * 3}), config, DatasetConfig())
    said = capsys.readouterr().err
    assert "val is empty" in said
    assert "test is empty" in said


def test_a_workspace_without_frames_is_told(tmp_path: Path):
    with pytest.raises(WorkspaceError, match="holds no frames; run `dataengine ingest` first"):
        curate(workspace_of(tmp_path, {}), settings(), DatasetConfig())


def label(workspace: Workspace, *frame_ids: str) -> None:
    rows = [{"frame_id": frame_id, "class_id": [], "ignore": []} for frame_id in frame_ids]
    workspace.lake.append("oracle", pa.Table.from_pylist(rows, FRAME_BOXES))


def test_frames_without_labels_are_set_apart_where_others_have_them(tmp_path: Path):
    workspace = workspace_of(tmp_path, {"a": ["pool"] * 3, "b": ["test"] * 2})
    plain = curate(workspace, settings(), DatasetConfig())
    assert (plain.frames["pool"], plain.frames["unlabelled"]) == (3, 0)
    label(workspace, "a/000000", "b/000001")
    apart = curate(workspace, settings(), DatasetConfig())
    assert (apart.frames["pool"], apart.frames["test"], apart.frames["unlabelled"]) == (1, 1, 3)
    asked = curate(workspace, settings(), DatasetConfig(), keep_unlabelled=True)
    assert dict(asked.frames) == dict(plain.frames)


def test_flags_and_duplicates_are_written_with_reasons(tmp_path: Path):
    workspace = workspace_of(tmp_path, {"a": ["pool"] * 3, "b": ["test"] * 2})
    (part,) = workspace.lake.parts("frames")
    rows = workspace.lake.read("frames").to_pylist()
    rows[1]["phash"], rows[2]["brightness"] = rows[0]["phash"], 0.01
    workspace.lake.append("frames", pa.Table.from_pylist(rows, FRAMES), name=part.stem[5:])
    summary = curate(workspace, settings(), DatasetConfig())
    assert {name: number for name, number in summary.flags.items() if number} == {"dark": 1, "frozen": 2}
    flags = {(row["frame_id"], row["flag"]) for row in workspace.lake.read("quality").to_pylist()}
    assert flags == {("a/000002", "dark"), ("a/000000", "frozen"), ("a/000001", "frozen")}
    assert all(row["reason"] for row in workspace.lake.read("quality").to_pylist())
    assert workspace.lake.read("duplicates").to_pylist() == [
        {"frame_id": "a/000001", "best_frame_id": "a/000000", "kind": "hash", "distance": 0.0}
    ]
    rows[1]["phash"] ^= 2**64 - 1
    rows[2]["brightness"] = 0.5
    workspace.lake.append("frames", pa.Table.from_pylist(rows, FRAMES), name=part.stem[5:])
    curate(workspace, settings(), DatasetConfig())
    assert workspace.lake.read("quality").num_rows == workspace.lake.read("duplicates").num_rows == 0


def test_a_dead_camera_that_a_cut_would_part_ends_in_one_split(tmp_path: Path):
    workspace = workspace_of(tmp_path, {"a": [""] * 40})
    (part,) = workspace.lake.parts("frames")
    rows = workspace.lake.read("frames").to_pylist()
    for row in rows[20:]:
        row["phash"] = rows[20]["phash"]
    workspace.lake.append("frames", pa.Table.from_pylist(rows, FRAMES), name=part.stem[5:])
    summary = curate(workspace, settings(), DatasetConfig())
    assert (summary.frames["test"], summary.frames["val"], summary.frames["gap"]) == (10, 0, 10)
    assert "cut in time" in summary.unbalanced[0]


def test_what_is_uneven_or_not_looked_at_is_said(tmp_path: Path):
    summary = CurateSummary(
        frames=dict.fromkeys(SPLITS, 1),
        drives=dict.fromkeys(SPLITS, 1),
        identical=0,
        near_duplicates=0,
        across_clips=3,
        embedder="thumbnail",
        looked_at=500,
        left_out=20,
        flags={},
        unbalanced=tuple(f"val holds no {number}" for number in range(7)),
    )
    uneven, unseen = summary.notes()
    assert uneven.endswith("val holds no 4; and 2 more")
    assert unseen.startswith("curate: 20 more pairs")
    assert "3 frames repeat one of another clip (by thumbnail)" in summary.line()

"""CamVid as published: counts of frames and boxes that a change of any stage would move."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dataengine.curate import curate
from dataengine.ingest import ingest
from dataengine.workspace import Workspace
from tests.adapters.recordings import camvid_config


def boxes_per_class(workspace: Workspace, split: str) -> list[int]:
    truth = workspace.lake.truth(workspace.frames(split)["frame_id"].to_pylist())
    return np.bincount(truth.class_id[~truth.ignore], minlength=3).tolist()


@pytest.mark.slow
def test_camvid_in_full(tmp_path: Path, data_root: Path):
    if not (data_root / "camvid").is_dir():
        pytest.skip(f"no CamVid at {data_root / 'camvid'}")
    config = camvid_config(data_root / "camvid", min_box_area=100, workers=0)
    workspace, summary = ingest(config, tmp_path / "ws")
    assert (summary.added, summary.num_files, summary.frames) == (1405, 1405, 701)
    found = curate(workspace, config.curate, config.dataset)
    # the first frame of 0001TP's test part and both ends of 0016E5's val part push pool frames out
    assert dict(found.frames) == {
        "pool": 364,
        "val": 101,
        "test": 233,
        "test_balanced": 0,
        "gap": 3,
        "unlabelled": 0,
    }
    assert boxes_per_class(workspace, "pool") == [1185, 929, 197]
    assert boxes_per_class(workspace, "val") == [163, 183, 201]
    assert boxes_per_class(workspace, "test") == [375, 603, 79]
    dusk = {
        row["drive_id"]
        for row in workspace.frames().select(["drive_id", "conditions"]).to_pylist()
        if dict(row["conditions"])["time_of_day"] == "dusk"
    }
    assert dusk == {"0001TP"}

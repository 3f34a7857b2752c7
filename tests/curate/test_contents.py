"""What drives hold, and a draw that shares it out."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dataengine.config import CurateConfig, DatasetConfig
from dataengine.curate import curate
from dataengine.curate.contents import drive_contents
from dataengine.curate.timeline import Timeline
from dataengine.schema import FRAME_BOXES
from tests.curate.records import write_records


def test_conditions_count_frames_and_classes_count_boxes(tmp_path: Path):
    workspace = write_records(tmp_path, 4000)  # twenty drives of 200 frames, four boxes each
    timeline = Timeline.from_lake(workspace.lake)
    found = drive_contents(workspace, timeline)
    assert found.names[:4] == ("time_of_day=day", "time_of_day=night", "weather=clear", "weather=fog")
    assert found.names[4:] == tuple(f"class {name}" for name in workspace.taxonomy.classes)
    night = found.amounts[:, 1]
    assert night.tolist() == [200.0 if drive % 9 == 0 else 0.0 for drive in range(20)]
    assert found.amounts[:, :2].sum(1).tolist() == [200.0] * 20
    assert found.amounts[:, 4:].sum(1).tolist() == [800.0] * 20


def test_ignored_and_unknown_boxes_count_for_nothing(tmp_path: Path):
    workspace = write_records(tmp_path, 200)
    (part,) = workspace.lake.parts("oracle")
    rows = workspace.lake.read("oracle").to_pylist()
    rows[0] |= {"class_id": [0, -1, 1], "ignore": [True, False, False]}
    rows[1] |= {"class_id": [], "ignore": []}
    workspace.lake.append("oracle", pa.Table.from_pylist(rows[:2], FRAME_BOXES), name=part.stem[5:])
    found = drive_contents(workspace, Timeline.from_lake(workspace.lake))
    boxes = found.amounts[:, -len(workspace.taxonomy.classes) :].sum(0)
    assert boxes.tolist() == [0.0, 1.0] + [0.0] * (len(boxes) - 2)


def night_share(workspace, split: str) -> float:
    conditions = workspace.frames(split)["conditions"].combine_chunks()
    return pc.mean(pc.equal(pc.map_lookup(conditions, "time_of_day", "first"), "night").cast("int8")).as_py()


def test_curate_shares_conditions_out_unless_told_otherwise(tmp_path: Path):
    workspace = write_records(tmp_path, 20_000)
    settings = {"embed": "none", "val_share": 0.2, "test_share": 0.2}
    summary = curate(workspace, CurateConfig(**settings), DatasetConfig())
    assert summary.unbalanced == ()
    for split in ("pool", "val", "test"):
        assert 0.08 <= night_share(workspace, split) <= 0.16  # 12 of 100 drives
    plain = curate(workspace, CurateConfig(**settings, stratify=False), DatasetConfig())
    assert plain.frames["test"] == summary.frames["test"] == 4000

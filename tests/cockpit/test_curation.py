"""Quality, duplicates and telemetry in the dataset."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from dataengine import cockpit
from dataengine.schema import BLURRED, DUPLICATES, QUALITY_FLAGS, TELEMETRY
from dataengine.workspace import Workspace

pytestmark = pytest.mark.mongo


def test_what_curation_says_is_shown_with_its_reason(fo: Any, workspace: Workspace) -> None:
    ids = workspace.frames()["frame_id"].to_pylist()
    flags = [
        {"frame_id": ids[0], "flag": "blurred", "value": 0.1, "reason": "sharpness is 10% of its clip's"},
        {"frame_id": ids[0], "flag": "dark", "value": 0.01, "reason": "mean grey level 0.01"},
    ]
    twin = [{"frame_id": ids[1], "best_frame_id": ids[0], "kind": "hash", "distance": 2.0}]
    blurred = [{"frame_id": ids[2], "rule": "heads", "num_regions": 3, "area_share": 0.05}]
    signals = [
        {"frame_id": ids[0], "signals": [("action", [1.0, 2.0]), ("latitude_deg", [52.5])]},
        {"frame_id": ids[1], "signals": [("latitude_deg", [52.25])]},
    ]
    lake = workspace.lake
    lake.append("quality", pa.Table.from_pylist(flags, QUALITY_FLAGS))
    lake.append("duplicates", pa.Table.from_pylist(twin, DUPLICATES))
    lake.append("blurred", pa.Table.from_pylist(blurred, BLURRED))
    lake.append("telemetry", pa.Table.from_pylist(signals, TELEMETRY))
    dataset = fo.load_dataset(cockpit.sync(workspace, workspace.runs()))
    first, second, third, fourth = dataset.sort_by("frame_id").limit(4)
    assert first.quality.flags == "blurred, dark"
    assert first.quality.reason == "sharpness is 10% of its clip's; mean grey level 0.01"
    assert (second.duplicate.of, second.duplicate.kind, second.quality) == (ids[0], "hash", None)
    assert (third.blurred.num_regions, third.blurred.rule) == (3, "heads")
    assert (first.action, first.latitude_deg, second.latitude_deg) == ([1.0, 2.0], 52.5, 52.25)
    assert (fourth.latitude_deg, fourth.duplicate) == (None, None)
    assert first.licence == "permissive"
    assert dataset.load_saved_view("flagged frames").values("frame_id") == [ids[0]]
    assert dataset.load_saved_view("near-duplicates").values("frame_id") == [ids[1]]


def test_flags_that_are_gone_leave_the_dataset(fo: Any, workspace: Workspace) -> None:
    ids = workspace.frames()["frame_id"].to_pylist()
    flags = [{"frame_id": ids[0], "flag": "dark", "value": 0.0, "reason": "black"}]
    part = workspace.lake.append("quality", pa.Table.from_pylist(flags, QUALITY_FLAGS))
    dataset = fo.load_dataset(cockpit.sync(workspace, workspace.runs()))
    part.unlink()
    cockpit.sync(workspace, workspace.runs())
    dataset.reload()
    assert "quality" not in dataset.get_field_schema()
    assert "flagged frames" not in dataset.list_saved_views()

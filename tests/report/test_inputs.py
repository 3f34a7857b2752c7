"""What the report says of the frames themselves."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from dataengine import report
from dataengine.lake import read_parquet, write_parquet
from dataengine.schema import BLURRED, DUPLICATES, QUALITY_FLAGS
from dataengine.workspace import Workspace
from tests.report.pages import Page


def built(workspace: Workspace) -> Page:
    page = Page(report.build(workspace).read_text(encoding="utf-8"))
    assert page.open_tags == []
    return page


def test_one_dataset_without_flags_takes_no_room(small: Workspace) -> None:
    words = built(small).words
    assert "What curation found" not in words
    assert "by dataset and licence" not in words


def test_what_curation_found_is_counted_with_an_example(small: Workspace) -> None:
    ids = small.frames()["frame_id"].to_pylist()
    flags = [
        {"frame_id": ids[n], "flag": "dark", "value": 0.01, "reason": "mean grey level 0.01"}
        for n in range(3)
    ]
    copies = [{"frame_id": ids[1], "best_frame_id": ids[0], "kind": "embedding", "distance": 0.01}]
    blurred = [{"frame_id": f, "rule": "heads", "num_regions": 2, "area_share": 0.1} for f in ids[:4]]
    small.lake.append("quality", pa.Table.from_pylist(flags, QUALITY_FLAGS))
    small.lake.append("duplicates", pa.Table.from_pylist(copies, DUPLICATES))
    small.lake.append("blurred", pa.Table.from_pylist(blurred, BLURRED))
    words = built(small).words
    assert f"dark 3 {ids[0]}: mean grey level 0.01" in words
    assert f"near-duplicate by embedding 1 {ids[1]} repeats {ids[0]}" in words
    assert "anonymised 4 8 regions made unreadable" in words


def test_the_strictest_licence_of_a_mix_is_named(small: Workspace, tmp_path: Path) -> None:
    (part,) = small.lake.parts("frames")
    frames = read_parquet(part)
    half = frames.num_rows // 2
    for name, one, other in (
        ("dataset", "kitti", "camvid"),
        ("licence", "non_commercial", "research_only"),
    ):
        values = [one] * half + [other] * (frames.num_rows - half)
        frames = frames.set_column(frames.schema.get_field_index(name), name, pa.array(values, pa.string()))
    write_parquet(part, frames)
    words = built(small).words
    assert f"camvid research_only {frames.num_rows - half}" in words
    assert "bound by the strictest licence: research_only" in words

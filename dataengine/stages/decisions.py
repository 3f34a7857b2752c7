"""What people decided in FiftyOne, frozen into the cycle that begins: rejected frames, corrected boxes."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from dataengine import cockpit, files
from dataengine.arm import Arm
from dataengine.frameboxes import FrameBoxes
from dataengine.lake import read_parquet, write_parquet


def freeze(arm: Arm, cycle: int) -> list[Path]:
    """Bring home what people decided in FiftyOne, once, as files of this cycle."""
    folder = arm.run.cycle(cycle)
    written = [folder / "rejected.json", folder / "corrected.parquet"]
    decisions = cockpit.pull_decisions(arm.workspace) if arm.config.loop.fiftyone else cockpit.Decisions()
    files.write_json(written[0], sorted(decisions.rejected))
    write_parquet(written[1], decisions.corrected.to_table())
    return written


def rejected(arm: Arm, cycle: int) -> set[str]:
    """Frames that are not to be bought or learned from."""
    return set(json.loads((arm.run.cycle(cycle) / "rejected.json").read_text(encoding="utf-8")))


def apply(arm: Arm, cycle: int, labels: FrameBoxes) -> FrameBoxes:
    """Labels without the frames that people rejected, and with the boxes that they corrected."""
    corrected = FrameBoxes.from_table(read_parquet(arm.run.cycle(cycle) / "corrected.parquet"))
    known = set(labels.frame_ids) - rejected(arm, cycle)
    replaced = known & set(corrected.frame_ids)
    kept = labels.select([frame_id for frame_id in labels.frame_ids if frame_id in known - replaced])
    return join(kept, corrected.select(sorted(replaced)))


def join(*parts: FrameBoxes) -> FrameBoxes:
    """Several sets of frames as one, by frame id."""
    return FrameBoxes.from_table(pa.concat_tables([part.to_table() for part in parts]).sort_by("frame_id"))

"""The curate stage: the lake's frames into its table of splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine import progress
from dataengine.config import CurateConfig, DatasetConfig
from dataengine.curate import leaks, quality
from dataengine.curate.duplicates import near_duplicates
from dataengine.curate.splits import assign
from dataengine.curate.timeline import Timeline
from dataengine.errors import InputError, WorkspaceError
from dataengine.schema import POOL, SPLIT_TABLE, SPLITS, TEST, VAL
from dataengine.workspace import Workspace

_PART = "current"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurateSummary:
    """What curate found.

    Attributes:
        frames: Split -> frames.
        drives: Split -> drives that it holds frames of.
        identical: Frames of val and test whose perceptual hash occurs in the pool.
        near_duplicates: Frames of the pool that repeat an earlier frame of their clip.
        flags: Quality flag -> frames that have it.
    """

    frames: Mapping[str, int]
    drives: Mapping[str, int]
    identical: int
    near_duplicates: int
    flags: Mapping[str, int]

    def line(self) -> str:
        """One line for the terminal."""
        splits = ", ".join(
            f"{name} {number:,} frames of {self.drives[name]} drives"
            for name, number in self.frames.items()
            if number
        )
        flagged = "".join(f", {number} {name}" for name, number in self.flags.items() if number)
        return (
            f"curate: {splits}; {self.near_duplicates} near-duplicates in the pool, "
            f"{self.identical} frames of val and test with a hash of the pool{flagged}"
        )


def curate(workspace: Workspace, config: CurateConfig, dataset: DatasetConfig) -> CurateSummary:
    """Split the workspace's frames by drive, test the splits for leaks, and write them to the lake.

    The same frames and settings always give the same table, and it is rewritten only where it differs.

    Raises:
        InputError: The pool is empty, or two splits look alike where they meet in one drive.
        WorkspaceError: There are no frames; or frames would change splits under finished runs.
    """
    lake = workspace.lake
    timeline = Timeline.from_tables(lake.read("frames"), lake.read("clips"))
    if not len(timeline.frame_ids):
        raise WorkspaceError(f"{workspace.root} holds no frames; run `dataengine ingest` first")
    splits, reasons = assign(
        timeline, gap_s=dataset.split_gap_s, val_share=config.val_share, test_share=config.test_share
    )
    if POOL not in splits:
        raise InputError(
            f"{workspace.root}: no frame is left in the pool ({_shown(splits)}); lower curate.val_share, "
            "curate.test_share or dataset.split_gap_s, or add drives"
        )
    leaks.check(timeline, splits, gap_s=dataset.split_gap_s, bits=config.duplicate_bits)
    _write(workspace, timeline, splits, reasons)
    summary = _summary(timeline, splits, config.duplicate_bits)
    progress.say(summary.line())
    for split in (VAL, TEST):
        if not summary.frames[split]:
            progress.say(f"curate: {split} is empty: nothing will be measured on it")
    return summary


def _write(
    workspace: Workspace, timeline: Timeline, splits: NDArray[np.object_], reasons: NDArray[np.object_]
) -> None:
    table = pa.Table.from_arrays(
        [pa.array(column, pa.string()) for column in (timeline.frame_ids, splits, reasons)],
        schema=SPLIT_TABLE,
    )
    before = workspace.lake.read("splits")
    if before.equals(table):
        return
    held = dict(zip(before["frame_id"].to_pylist(), before["split"].to_pylist(), strict=True))
    moved = sum(
        held.get(frame, split) != split for frame, split in zip(timeline.frame_ids, splits, strict=True)
    )
    if moved and workspace.runs():
        raise WorkspaceError(
            f"{moved} frames of {workspace.root} would change splits under {len(workspace.runs())} runs; set "
            "curate and dataset.split_gap_s back, or choose another workspace=PATH"
        )
    for path in workspace.lake.parts("splits"):
        if path.name != f"part-{_PART}.parquet":
            path.unlink()
    workspace.lake.append("splits", table, name=_PART)


def _summary(timeline: Timeline, splits: NDArray[np.object_], bits: int) -> CurateSummary:
    repeats = near_duplicates(timeline, bits)
    return CurateSummary(
        frames={name: int((splits == name).sum()) for name in SPLITS},
        drives={name: len(set(timeline.drives[splits == name])) for name in SPLITS},
        identical=leaks.num_identical(timeline, splits),
        near_duplicates=int(((repeats >= 0) & (splits == POOL)).sum()),
        flags={name: int(flagged.sum()) for name, flagged in quality.flags(timeline).items()},
    )


def _shown(splits: NDArray[np.object_]) -> str:
    return ", ".join(f"{name} {int((splits == name).sum())}" for name in SPLITS if name in splits)

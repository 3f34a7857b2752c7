"""The curate stage: the lake's frames into its tables of splits, quality flags and duplicates."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataengine import progress
from dataengine.config import ComputeConfig, CurateConfig, DatasetConfig
from dataengine.curate import across, leaks, quality
from dataengine.curate.contents import drive_contents
from dataengine.curate.hashes import near_duplicates
from dataengine.curate.pinned import explained, pinned
from dataengine.curate.splits import CODE, Assignment, assign, is_published
from dataengine.curate.summary import CurateSummary
from dataengine.curate.timeline import Timeline
from dataengine.errors import InputError, WorkspaceError
from dataengine.schema import POOL, SPLIT_TABLE, SPLITS
from dataengine.workspace import Workspace

_PART = "current"


def curate(
    workspace: Workspace,
    config: CurateConfig,
    dataset: DatasetConfig,
    *,
    compute: ComputeConfig | None = None,
    keep_unlabelled: bool = False,
    refresh: bool = False,
) -> CurateSummary:
    """Flag the workspace's frames, split them by drive, find duplicates, and test the splits for leaks.

    The same frames and settings always give the same tables, and they are rewritten only where they differ.

    Args:
        workspace: Its tables ``splits``, ``quality`` and ``duplicates`` are written.
        config: Thresholds and shares.
        dataset: Its ``split_gap_s`` is read.
        compute: The device that embeds; ``None`` is the default one.
        keep_unlabelled: Frames without labels keep their split, where people will be asked for labels.
        refresh: Judge what rests on embeddings again, by the detector that is the newest now. Without it
            a loop goes on with what it began with.

    Raises:
        InputError: The pool is empty, or two splits hold the same picture or meet in one drive.
        ConfigError: ``curate.embed`` names no embedder.
        ModelError: The embedder's weights cannot be had.
        WorkspaceError: There are no frames; or frames would change splits under finished runs.
    """
    timeline = Timeline.from_lake(workspace.lake)
    if not len(timeline):
        raise WorkspaceError(f"{workspace.root} holds no frames; run `dataengine ingest` first")
    assigned = _assigned(workspace, timeline, config, dataset, keep_unlabelled)
    flags = quality.flags(timeline, config)
    flawed = np.any([flag.flagged for flag in flags], axis=0)
    key = _key(timeline, assigned, config)
    judged, duplicates = across.judge(
        workspace,
        timeline,
        assigned,
        flawed,
        config=config,
        compute=compute or ComputeConfig(),
        key=key,
        refresh=refresh,
    )
    assigned = assigned.without(judged.frames(timeline), "shows the same picture as a frame of another split")
    _write_splits(workspace, timeline, assigned)
    _write(workspace, "quality", quality.table(timeline, flags))
    if duplicates is not None:
        _write(workspace, "duplicates", duplicates.table(timeline))
    across.remember(workspace, judged)
    summary = CurateSummary(
        frames={name: assigned.count(name) for name in SPLITS},
        drives={name: _num_drives(timeline, assigned, name) for name in SPLITS},
        identical=leaks.num_identical(timeline, assigned.splits),
        near_duplicates=_num_repeats(timeline, assigned, config.duplicate_bits),
        across_clips=judged.across_clips,
        embedder=judged.embedder,
        looked_at=judged.looked_at,
        left_out=judged.left_out,
        copies=len(judged.copies),
        flags={flag.name: int(flag.flagged.sum()) for flag in flags},
        unbalanced=assigned.unbalanced,
    )
    progress.say(summary.line())
    for note in summary.notes():
        progress.say(note)
    return summary


def _assigned(
    workspace: Workspace,
    timeline: Timeline,
    config: CurateConfig,
    dataset: DatasetConfig,
    keep_unlabelled: bool,
) -> Assignment:
    timeline = pinned(timeline, dataset.splits)
    drawn = not is_published(timeline, keep_unlabelled)
    assigned = assign(
        timeline,
        gap_s=dataset.split_gap_s,
        val_share=config.val_share,
        test_share=config.test_share,
        contents=drive_contents(workspace, timeline) if drawn and config.stratify else None,
        keep_unlabelled=keep_unlabelled,
    )
    assigned = explained(assigned, timeline, dataset.splits)
    if drawn:
        alike = leaks.lookalikes_at_cuts(timeline, assigned.splits, config.duplicate_bits)
        reason = f"looks like a frame of another split, within {leaks.BOUNDARY_S:g} s in the same drive"
        assigned = assigned.without(alike, reason)
    if not assigned.count(POOL):
        shown = ", ".join(f"{name} {assigned.count(name)}" for name in SPLITS if assigned.count(name))
        raise InputError(
            f"{workspace.root}: no frame is left in the pool ({shown}); lower curate.val_share, "
            "curate.test_share or dataset.split_gap_s, or add drives"
        )
    leaks.check(timeline, assigned.splits, gap_s=dataset.split_gap_s, bits=config.duplicate_bits)
    return assigned


def _key(timeline: Timeline, assigned: Assignment, config: CurateConfig) -> str:
    """Digest of all that decides what embeddings are asked, but the newest detector."""
    digest = hashlib.sha256(
        f"{config.embed} {config.duplicate_bits} {config.duplicate_distance} {len(timeline)}".encode()
    )
    for buffer in timeline.frame_ids.buffers():
        digest.update(buffer or b"")
    for column in (timeline.phash, timeline.sharpness, timeline.labelled, assigned.splits):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def _num_drives(timeline: Timeline, assigned: Assignment, split: str) -> int:
    return len(np.unique(timeline.drives[assigned.splits == CODE[split]]))


def _num_repeats(timeline: Timeline, assigned: Assignment, bits: int) -> int:
    repeats: NDArray[np.int64] = near_duplicates(timeline, bits)
    return int(((repeats >= 0) & (assigned.splits == CODE[POOL])).sum())


def _write_splits(workspace: Workspace, timeline: Timeline, assigned: Assignment) -> None:
    columns = [timeline.frame_ids, assigned.names(), assigned.reason_words()]
    table = pa.Table.from_arrays(columns, schema=SPLIT_TABLE)
    before = workspace.lake.read("splits")
    if before.equals(table):
        return
    if workspace.runs():
        place = pc.index_in(table["frame_id"], before["frame_id"].combine_chunks())
        held = before["split"].combine_chunks().take(place.combine_chunks())
        moved = pc.sum(pc.not_equal(table["split"], held).fill_null(False)).as_py() or 0
        if moved:
            raise WorkspaceError(
                f"{moved} frames of {workspace.root} would change splits under {len(workspace.runs())} runs; "
                "set curate and dataset.split_gap_s back, or choose another workspace=PATH"
            )
    _write(workspace, "splits", table)


def _write(workspace: Workspace, name: str, table: pa.Table) -> None:
    """Make ``table`` the whole of a lake table; the same content leaves the file alone."""
    if workspace.lake.read(name).equals(table):
        return
    for path in workspace.lake.parts(name):
        if path.name != f"part-{_PART}.parquet" or not table.num_rows:
            path.unlink()
    workspace.lake.append(name, table, name=_PART)

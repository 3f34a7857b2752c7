"""The ledger of one ingest: rows on their way into the lake, and what became of every file."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dataengine import files, progress
from dataengine.adapters.base import Recording
from dataengine.errors import InputError
from dataengine.ingest.extract import Extract
from dataengine.ingest.summary import STATUSES, IngestSummary
from dataengine.workspace import Outcome, Workspace, read_jsonl

BATCH_FRAMES = 1000
"""A batch is closed when it holds this many frames: the work that a killed run may lose."""


@dataclass(slots=True)
class Ledger:
    """Rows on their way into the lake, and what became of every file."""

    workspace: Workspace
    known_clips: set[str] = field(init=False)
    known_frames: set[str] = field(init=False)
    seen_clips: set[str] = field(default_factory=set)
    outcomes: list[Outcome] = field(default_factory=list)
    faults: list[Outcome] = field(default_factory=list)
    strays: list[Outcome] = field(default_factory=list)
    pending: dict[str, list[pa.Table]] = field(default_factory=lambda: defaultdict(list))
    num_pending: int = 0
    num_clips: int = 0
    num_frames: int = 0

    def __post_init__(self) -> None:
        known = self.workspace.lake.read("frames", ["frame_id", "clip_id"])
        self.known_frames = set(known["frame_id"].to_pylist())
        self.known_clips = set(pc.unique(known["clip_id"]).to_pylist())

    def without_present(self, recording: Recording) -> Recording | None:
        """The recording without what the lake holds already; ``None`` if that is all of it."""
        if recording.clip_id in self.seen_clips:
            reason = f"another recording has the clip id {recording.clip_id}"
            self.outcomes += [Outcome(path=name, status="unused", reason=reason) for name in recording.files]
            return None
        self.seen_clips.add(recording.clip_id)
        if recording.clip_id not in self.known_clips:
            return recording
        # a video is present as a whole; of a folder of images, those that are
        fresh = [
            s for s in recording.stills if f"{recording.clip_id}/{s.number:06d}" not in self.known_frames
        ]
        fresh_files = {name for still in fresh for name in (still.image, still.mask)}
        files_to_read = tuple(name for name in recording.files if name in fresh_files)
        self.outcomes += [
            Outcome(path=name, status="present") for name in recording.files if name not in fresh_files
        ]
        return replace(recording, files=files_to_read, stills=tuple(fresh)) if fresh else None

    def stray(self, outcome: Outcome) -> None:
        """A file that belongs to no recording."""
        self.strays.append(outcome)

    def take(self, result: Extract) -> None:
        """Note one recording's outcomes, and append a batch when enough rows have gathered."""
        self.outcomes += result.outcomes
        self.faults += result.faults
        for name, table in result.tables.items():
            self.pending[name].append(table)
        self.num_clips += result.num_frames > 0
        self.num_frames += result.num_frames
        self.num_pending += result.num_frames
        if self.num_pending >= BATCH_FRAMES:
            self.commit()

    def commit(self) -> None:
        """Append what has gathered, ``frames`` last; reasons are on disk before the rows they belong to."""
        self._quarantine(self.outcomes)
        tables = {name: pa.concat_tables(parts) for name, parts in self.pending.items()}
        self.pending.clear()
        self.num_pending = 0
        if not tables:
            return
        part = files.digest(tables["frames"]["frame_id"].to_pylist())[:16]
        os.sync()  # stored frames reach the disk before the rows that name them
        for name in ("oracle", "clips", "frames"):
            if name in tables:
                self.workspace.lake.append(name, tables[name], name=part)

    def finish(self, source: Path, seconds: float) -> IngestSummary:
        """Write the quarantine, print the line, and refuse a dataset of which nothing can be used."""
        lists = "added" if self.num_frames else "present"
        strays = [replace(o, status=lists) if o.status == "added" else o for o in self.strays]
        outcomes = [*self.outcomes, *strays]
        bad = self._quarantine(outcomes)
        counts = Counter(outcome.status for outcome in outcomes)
        summary = IngestSummary(
            **{status: counts[status] for status in STATUSES},
            clips=self.num_clips,
            frames=self.num_frames,
            left_out=len(self.faults),
            seconds=seconds,
        )
        progress.say(summary.line())
        if not self.num_frames and not self.known_frames:
            first = bad[0] if bad else Outcome(path="", status="unused", reason="no recording")
            raise InputError(
                f"dataset.root={source}: none of {summary.num_files} files can be used (first: {first.path}: "
                f"{first.reason}); all reasons are in {self.workspace.root}/quarantine.jsonl"
            )
        return summary

    def _quarantine(self, outcomes: list[Outcome]) -> list[Outcome]:
        """Note what was not used, and take out what was mended since and so added now; returns the former."""
        path = self.workspace.root / "quarantine.jsonl"
        added = {outcome.path for outcome in outcomes if outcome.status == "added"}
        before = read_jsonl(path)
        kept = [entry for entry in before if entry["path"].partition("#")[0] not in added]
        if len(kept) < len(before):
            files.write_text(path, "".join(json.dumps(entry) + "\n" for entry in kept))
        bad = [outcome for outcome in (*outcomes, *self.faults) if outcome.status not in ("added", "present")]
        self.workspace.quarantine(bad)
        return bad

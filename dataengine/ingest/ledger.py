"""The ledger of one ingest: rows on their way into the lake, and what became of every file.

Its memory does not grow with the number of frames: files are counted as they are settled, and only the
reasons of those that were not used are kept, on disk.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataengine import files, progress
from dataengine.adapters.base import Recording
from dataengine.errors import InputError
from dataengine.ingest.extract import Extract
from dataengine.ingest.summary import STATUSES, IngestSummary
from dataengine.ingest.video import Clock
from dataengine.quarantine import USED, Outcome, Quarantine
from dataengine.workspace import Workspace

BATCH_FRAMES = 2000
"""A batch is closed when it holds this many frames: the work that a killed run may lose."""

_COMMIT_LAST = "frames"


@dataclass(slots=True)
class Ledger:
    """Rows on their way into the lake, and what became of every file."""

    workspace: Workspace
    quarantine: Quarantine = field(init=False)
    known_clips: set[str] = field(init=False)
    seen_clips: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    strays: list[Outcome] = field(default_factory=list)
    shared: dict[str, Outcome] = field(default_factory=dict)
    pending: dict[str, list[pa.Table]] = field(default_factory=lambda: defaultdict(list))
    first_bad: Outcome | None = None
    clock: Clock = field(default_factory=Clock)
    num_pending: int = 0
    num_clips: int = 0
    num_frames: int = 0
    num_faults: int = 0
    _known_frames: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.quarantine = self.workspace.quarantine()
        clips: set[str] = set()
        frames = [np.zeros(0, np.int64)]
        for part in self.workspace.lake.scan("frames", ["frame_id", "clip_id"]):
            clips.update(pc.unique(part["clip_id"]).to_pylist())
            frames.append(_codes(part["frame_id"].to_pylist()))
        self.known_clips = clips
        self._known_frames = np.sort(np.concatenate(frames))

    def without_present(self, recording: Recording) -> Recording | None:
        """The recording without what the lake holds already; ``None`` if that is all of it."""
        if recording.clip_id in self.seen_clips:
            reason = f"another recording has the clip id {recording.clip_id}"
            self._settle(Outcome(path=name, status="unused", reason=reason) for name in recording.files)
            self._share(Outcome(path=name, status="unused", reason=reason) for name in recording.shared)
            return None
        self.seen_clips.add(recording.clip_id)
        if recording.clip_id not in self.known_clips:
            return recording
        # a video is present as a whole; of a folder of images, those that are
        codes = _codes([f"{recording.clip_id}/{still.number:06d}" for still in recording.stills])
        there = np.isin(codes, self._known_frames, kind="sort")
        fresh = [still for still, known in zip(recording.stills, there, strict=True) if not known]
        to_read = {name for still in fresh for name in (still.image, still.mask, still.labels)}
        self._settle(Outcome(path=name, status="present") for name in recording.files if name not in to_read)
        self._share(Outcome(path=name, status="present") for name in recording.shared)
        own = tuple(name for name in recording.files if name in to_read)
        return replace(recording, files=own, stills=tuple(fresh)) if fresh else None

    def stray(self, outcome: Outcome) -> None:
        """A file that belongs to no recording."""
        if outcome.status == "added":
            self.strays.append(outcome)  # a list or a setting counts as read only if frames come of it
        else:
            self._settle([outcome])

    def take(self, result: Extract) -> None:
        """Note one recording's outcomes, and append a batch when enough rows have gathered."""
        self._settle(result.outcomes)
        self._share(result.shared)
        self.quarantine.settle(result.faults)
        self.num_faults += len(result.faults)
        for name, table in result.tables.items():
            self.pending[name].append(table)
        self.num_clips += result.num_frames > 0
        self.num_frames += result.num_frames
        self.num_pending += result.num_frames
        self.clock.decode_s += result.clock.decode_s
        self.clock.write_s += result.clock.write_s
        if self.num_pending >= BATCH_FRAMES:
            self.commit()

    def commit(self) -> None:
        """Append what has gathered, ``frames`` last; reasons are on disk before the rows they belong to."""
        self.quarantine.flush()
        tables = {name: pa.concat_tables(parts) for name, parts in self.pending.items()}
        self.pending.clear()
        self.num_pending = 0
        if not tables:
            return
        part = files.digest(tables["frames"]["frame_id"].to_pylist())[:16]
        os.sync()  # stored frames reach the disk before the rows that name them
        for name in sorted(tables, key=lambda name: name == _COMMIT_LAST):
            self.workspace.lake.append(name, tables[name], name=part)

    def finish(self, source: Path, seconds: float) -> IngestSummary:
        """Write the quarantine, print the line, and refuse a dataset of which nothing can be used."""
        self._settle(self._lists())
        self._settle(self.shared.values())
        self.quarantine.close()
        summary = IngestSummary(
            **{status: self.counts[status] for status in STATUSES},
            clips=self.num_clips,
            frames=self.num_frames,
            left_out=self.num_faults,
            seconds=seconds,
            decode_s=self.clock.decode_s,
            write_s=self.clock.write_s,
        )
        progress.say(summary.line())
        if not self.num_frames and not self.known_clips:
            first = self.first_bad or Outcome(path="", status="unused", reason="no recording")
            raise InputError(
                f"dataset.root={source}: none of {summary.num_files} files can be used (first: {first.path}: "
                f"{first.reason}); all reasons are in {self.workspace.root}/quarantine.jsonl"
            )
        return summary

    def _lists(self) -> Iterator[Outcome]:
        """Lists and settings that were read: they count for what came of them."""
        for outcome in self.strays:
            if self.num_frames:
                yield outcome
            elif self.known_clips:
                yield replace(outcome, status="present")
            else:
                yield replace(outcome, status="unused", reason="no recording that it belongs to can be used")

    def _settle(self, outcomes: Iterable[Outcome]) -> None:
        """Count files whose fate is known, and keep the reasons of those that were not used."""
        for outcome in outcomes:
            self.counts[outcome.status] += 1
            self.quarantine.settle([outcome])
            if outcome.status not in USED and self.first_bad is None:
                self.first_bad = outcome

    def _share(self, outcomes: Iterable[Outcome]) -> None:
        """A shared file is added if any recording could use it, broken if any found it so."""
        order = ("added", "present", "broken", "missing", "unused")
        for outcome in outcomes:
            held = self.shared.get(outcome.path)
            if held is None or order.index(outcome.status) < order.index(held.status):
                self.shared[outcome.path] = outcome


def _codes(frame_ids: list[str]) -> NDArray[np.int64]:
    """64-bit codes that stand for frame ids in this process: a million take 8 MB, as strings 80."""
    return np.fromiter(map(hash, frame_ids), np.int64, len(frame_ids))

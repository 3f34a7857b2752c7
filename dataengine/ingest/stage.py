"""The ingest stage: an adapter's recordings into the lake of a workspace, in parallel and repeatably.

Frames of about a thousand frames' worth of clips make a batch. A batch is appended as one part of
each table, named by its clips, ``frames`` last: that part is the commit. A run killed at any
instant leaves either the whole batch or parts that the next run removes, and ends in the same lake.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dataengine import cards, files, progress
from dataengine.adapters.base import Adapter, Recording, adapter_for, check_root
from dataengine.cards import Card
from dataengine.config import Config
from dataengine.errors import InputError, WorkspaceError
from dataengine.executor import ordered_map
from dataengine.ingest.extract import Extract, Job, extract
from dataengine.ingest.summary import STATUSES, IngestSummary
from dataengine.workspace import Outcome, Workspace, read_jsonl

BATCH_FRAMES = 1000
"""A batch is closed when it holds this many frames: the work that a killed run may lose."""


def ingest(config: Config, root: Path) -> tuple[Workspace, IngestSummary]:
    """Bring a dataset's recordings into a workspace; what is there already is left alone.

    Args:
        config: Its ``dataset``, ``curate.jpeg_quality`` and ``compute.workers`` are read.
        root: Folder of the workspace; created if need be. The embedded fleet is rendered into its
            ``recordings/`` where ``dataset.root`` is empty.

    Raises:
        InputError: The dataset's folder is missing, empty or of another format, or none of its
            recordings can be used.
        ConfigError: There is no such dataset, or a class name is in no class map.
        WorkspaceError: The workspace holds another dataset or settings, or cannot be written.
    """
    started = time.monotonic()
    card = cards.load(config.dataset.name)
    source = _source(config, card, root)
    adapter = adapter_for(config.dataset, source)
    workspace = _known(root, card, fingerprint(adapter, config, card))
    _render(config, source)
    check_root(source)
    if workspace is None:
        workspace = _created(adapter, config, card, root)
    elif config.dataset.root is not None:
        _follow(workspace, source)
    _remove_leftovers(workspace)
    ledger = _Ledger(workspace)
    for result in _extracts(adapter, config, card, workspace, ledger):
        ledger.take(result)
    ledger.commit()
    return workspace, ledger.finish(source, time.monotonic() - started)


def fingerprint(adapter: Adapter, config: Config, card: Card) -> str:
    """Digest of everything that decides which frames, pixels and labels are ingested."""
    return files.digest(
        {
            "dataset": config.dataset.name,
            "classes": card.taxonomy.classes,
            "jpeg_quality": config.curate.jpeg_quality,
            **adapter.settings(),
        }
    )


def _source(config: Config, card: Card, root: Path) -> Path:
    if config.dataset.root is not None:
        return Path(config.dataset.root)
    if config.dataset.name == "simulated":
        return root / "recordings"
    raise InputError(
        f"dataset={card.name} needs dataset.root=PATH, the folder it was unpacked in. {card.obtain}"
    )


def _known(root: Path, card: Card, expected: str) -> Workspace | None:
    """The workspace in ``root``, if there is one, provided that it holds the same dataset and settings."""
    if not Workspace.exists(root):
        return None
    workspace = Workspace.open(root)
    if workspace.card.name != card.name:
        raise WorkspaceError(
            f"{root} holds the dataset {workspace.card.name}, not {card.name}; choose another workspace=PATH"
        )
    if workspace.fingerprint != expected:
        raise WorkspaceError(
            f"{root} was ingested from {card.name} with other settings (dataset.fps, min_box_area, world, "
            "curate.jpeg_quality or classes); set them back, or choose another workspace=PATH"
        )
    return workspace


def _render(config: Config, source: Path) -> None:
    if config.dataset.name == "simulated" and config.dataset.root is None:
        from dataengine.simulator import render_fleet

        render_fleet(config.dataset.world, source, workers=config.compute.workers)


def _created(adapter: Adapter, config: Config, card: Card, root: Path) -> Workspace:
    # the first recording proves that the folder holds this format, before anything is written
    next(adapter.recordings(), None)
    outside = adapter.root if config.dataset.root is not None else None
    return Workspace.create(root, card, outside, fingerprint(adapter, config, card))


def _follow(workspace: Workspace, source: Path) -> None:
    """Record that the original recordings moved, after a look that these are the same ones."""
    if workspace.source_root is not None and workspace.source_root.resolve() == source.resolve():
        return
    for name in workspace.lake.read("clips", ["source"])["source"].unique().to_pylist():
        if not (source / name).exists():
            raise WorkspaceError(
                f"dataset.root={source} lacks {name}, which {workspace.root} was ingested from "
                f"({workspace.source_root}); give the same recordings, or choose another workspace=PATH"
            )
    workspace.relocate_source(source)


def _remove_leftovers(workspace: Workspace) -> None:
    """Remove what a killed run left half done; the workspace's lock says that it is not at work now."""
    lake = workspace.lake
    committed = {path.name for path in lake.parts("frames")}
    parts = [path for table in ("clips", "oracle") for path in lake.parts(table)]
    half_written = [*lake.root.glob("*/.*.tmp"), *workspace.root.glob(".*.tmp")]
    for path in [*(path for path in parts if path.name not in committed), *half_written]:
        path.unlink()


def _extracts(
    adapter: Adapter, config: Config, card: Card, workspace: Workspace, ledger: _Ledger
) -> Iterator[Extract]:
    """Every new recording, extracted in the adapter's order; the ledger hears of the rest."""

    def jobs() -> Iterator[Job]:
        for found in adapter.recordings():
            if isinstance(found, Outcome):
                ledger.stray(found)
                continue
            fresh = ledger.without_present(found)
            if fresh is not None:
                yield Job(
                    adapter=adapter,
                    recording=fresh,
                    workspace=workspace.root,
                    card=card,
                    fps=config.dataset.fps,
                    jpeg_quality=config.curate.jpeg_quality,
                    known_clip=found.clip_id in ledger.known_clips,
                )

    return progress.track(
        ordered_map(extract, jobs(), workers=config.compute.workers), "ingest", unit="clips"
    )


@dataclass(slots=True)
class _Ledger:
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
        known = [s for s in recording.stills if f"{recording.clip_id}/{s.number:06d}" in self.known_frames]
        held = {name for still in known for name in (still.image, still.mask)} if recording.stills else None
        present = [name for name in recording.files if held is None or name in held]
        self.outcomes += [Outcome(path=name, status="present") for name in present]
        if len(present) == len(recording.files):
            return None
        return replace(
            recording,
            files=tuple(name for name in recording.files if name not in present),
            stills=tuple(still for still in recording.stills if still not in known),
        )

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
        """Append what has gathered, ``frames`` last."""
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
        bad = [outcome for outcome in (*outcomes, *self.faults) if outcome.status not in ("added", "present")]
        self._forgive({outcome.path for outcome in outcomes if outcome.status == "added"})
        self.workspace.quarantine(bad)
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

    def _forgive(self, added: set[str]) -> None:
        """Take files out of the quarantine that were mended since, and so were added now."""
        path = self.workspace.root / "quarantine.jsonl"
        before = read_jsonl(path)
        kept = [entry for entry in before if entry["path"].partition("#")[0] not in added]
        if len(kept) < len(before):
            files.write_text(path, "".join(json.dumps(entry) + "\n" for entry in kept))

"""A workspace: one self-describing, relocatable folder per project; its lock, runs and journals."""

from __future__ import annotations

import fcntl
import json
import math
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataengine import files
from dataengine.cards import Card
from dataengine.errors import WorkspaceError
from dataengine.lake import Lake
from dataengine.quarantine import Outcome, Quarantine
from dataengine.schema import Taxonomy

__all__ = ["FORMAT_VERSION", "Outcome", "Run", "Workspace", "append_jsonl", "lock", "read_jsonl"]

FORMAT_VERSION = 1


class Workspace:
    """One project of one user, on disk.

    Args:
        root: The folder; it must hold a ``workspace.json`` (see ``create`` and ``open``).
    """

    def __init__(self, root: Path, description: dict[str, Any]) -> None:
        self.root = root
        self.description = description
        self.lake = Lake(root / "lake")
        self.card = Card.from_json(description["card"])

    @classmethod
    def exists(cls, root: Path) -> bool:
        """Whether the folder holds a workspace."""
        return (root / "workspace.json").is_file()

    @classmethod
    def create(cls, root: Path, card: Card, source_root: Path | None, fingerprint: str) -> Workspace:
        """Write ``workspace.json`` in a new folder and open it.

        Args:
            root: Folder of the workspace.
            card: The dataset's card; copied in, so that later edits of the card change nothing here.
            source_root: Folder that frames with ``media_root == "source"`` are relative to.
            fingerprint: Digest of what was ingested (the world's config; the dataset's name and layout).
        """
        files.write_json(
            root / "workspace.json",
            {
                "format_version": FORMAT_VERSION,
                "card": card.to_json(),
                "source_root": str(source_root.resolve()) if source_root is not None else None,
                "fingerprint": fingerprint,
            },
        )
        return cls.open(root)

    @classmethod
    def open(cls, root: Path) -> Workspace:
        """Open an existing workspace.

        Raises:
            WorkspaceError: There is none, it is damaged, or its format version is another.
        """
        path = root / "workspace.json"
        if not path.is_file():
            raise WorkspaceError(f"{root} is not a workspace: run `dataengine ingest workspace={root}` first")
        try:
            description = json.loads(path.read_text(encoding="utf-8"))
            version = description["format_version"]
        except (ValueError, KeyError, TypeError) as error:
            raise WorkspaceError(
                f"{path} is damaged ({error}); restore it or choose another workspace=PATH"
            ) from error
        if version != FORMAT_VERSION:
            raise WorkspaceError(
                f"{path} has format version {version}, this dataengine reads {FORMAT_VERSION}; "
                "choose another workspace=PATH or install the matching version"
            )
        return cls(root, description)

    @property
    def taxonomy(self) -> Taxonomy:
        """Classes, class map and declared tail."""
        return self.card.taxonomy

    @property
    def fingerprint(self) -> str:
        """Digest of what was ingested."""
        return str(self.description["fingerprint"])

    @property
    def source_root(self) -> Path | None:
        """Folder of the original recordings, where frames refer to them."""
        value = self.description.get("source_root")
        return Path(value) if value else None

    def relocate_source(self, source_root: Path) -> None:
        """Record that the original recordings moved."""
        self.description["source_root"] = str(source_root.resolve())
        files.write_json(self.root / "workspace.json", self.description)

    def adopt_card(self, card: Card, fingerprint: str) -> None:
        """Take another card: a user named the classes of a dataset that came without any."""
        self.card = card
        self.description |= {"card": card.to_json(), "fingerprint": fingerprint}
        files.write_json(self.root / "workspace.json", self.description)

    def image_path(self, media_root: str, image_path: str) -> Path:
        """Where a frame's image is on this machine."""
        if media_root == "workspace":
            return self.root / image_path
        if self.source_root is None:
            raise WorkspaceError(
                f"{image_path}: {self.root}/workspace.json names no source_root; give dataset.root=PATH"
            )
        return self.source_root / image_path

    def image_paths(self, frames: pa.Table) -> list[Path]:
        """Paths of the images of a frames table, row by row."""
        roots, names = frames["media_root"].to_pylist(), frames["image_path"].to_pylist()
        return [self.image_path(root, name) for root, name in zip(roots, names, strict=True)]

    def frames(self, *splits: str) -> pa.Table:
        """Frames with their ``split``, ordered by frame id; all splits when none is named."""
        joined = self.lake.read("frames")
        assigned = self.lake.read("splits")
        split_of = dict(zip(assigned["frame_id"].to_pylist(), assigned["split"].to_pylist(), strict=True))
        column = [split_of.get(frame_id, "") for frame_id in joined["frame_id"].to_pylist()]
        joined = joined.append_column("split", pa.array(column, pa.string()))
        if splits:
            joined = joined.filter(pc.is_in(joined["split"], pa.array(splits)))
        return joined.take(pc.sort_indices(joined["frame_id"]))

    def quarantine(self) -> Quarantine:
        """Every input file that was not used, and why; close it after settling."""
        return Quarantine(self.root / "quarantine.jsonl")

    def run(self, run_id: str) -> Run:
        """A run by its id, existing or not."""
        return Run(self.root / "runs" / run_id)

    def runs(self) -> list[Run]:
        """Every run on disk, by id."""
        return [Run(path.parent) for path in sorted((self.root / "runs").glob("*/config.yaml"))]

    @property
    def report_path(self) -> Path:
        """The report's page."""
        return self.root / "report" / "index.html"


class Run:
    """One arm with one seed: its settings, its journal and its cycles."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run_id = folder.name

    @property
    def settings(self) -> dict[str, Any]:
        """``config.yaml`` as a dictionary; ``arm`` and ``seed`` are always there."""
        import yaml

        value = yaml.safe_load((self.folder / "config.yaml").read_text(encoding="utf-8"))
        return dict(value)

    @property
    def arm(self) -> str:
        """Name of the mining strategy."""
        return str(self.settings["arm"])

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return int(self.settings["seed"])

    def create(self, settings: dict[str, Any]) -> None:
        """Write ``config.yaml`` unless it is there."""
        import yaml

        path = self.folder / "config.yaml"
        if not path.exists():
            files.write_text(path, yaml.safe_dump(settings, sort_keys=False))

    def cycle(self, number: int) -> Path:
        """Folder of one cycle."""
        return self.folder / "cycles" / str(number)

    def done(self, cycle: int, stage: str) -> bool:
        """Whether a stage is in the journal with every file it wrote still there, unchanged."""
        entry = self.entry(cycle, stage)
        return entry is not None and all(
            (self.folder / name).is_file() and files.sha256(self.folder / name) == value
            for name, value in entry["files"].items()
        )

    def entry(self, cycle: int, stage: str) -> dict[str, Any] | None:
        """The newest journal entry of a stage."""
        found = [
            e for e in read_jsonl(self.folder / "journal.jsonl") if (e["cycle"], e["stage"]) == (cycle, stage)
        ]
        return found[-1] if found else None

    def finish(self, cycle: int, stage: str, written: Sequence[Path], time_s: float) -> None:
        """Append a stage to the journal, with the digest of what it wrote and how long it took.

        The entry is the commit point: a stage without one is run again from its inputs.
        """
        digests = {str(path.relative_to(self.folder)): files.sha256(path) for path in written}
        entry = {"cycle": cycle, "stage": stage, "files": digests, "time_s": round(time_s, 3)}
        append_jsonl(self.folder / "journal.jsonl", entry)

    def completed_cycles(self) -> list[int]:
        """Cycles whose manifest is written, in order."""
        return sorted(int(path.parent.name) for path in self.folder.glob("cycles/*/manifest.json"))

    def metrics(self) -> list[dict[str, Any]]:
        """The rows of ``metrics.jsonl``; a value that does not exist is NaN."""
        rows = read_jsonl(self.folder / "metrics.jsonl")
        return [{**row, "value": math.nan if row["value"] is None else row["value"]} for row in rows]

    def write_metrics(self, cycle: int, rows: Iterable[dict[str, Any]]) -> None:
        """Replace the rows of one cycle; rows stay in the order of cycles, and NaN becomes ``null``."""
        kept = [row for row in self.metrics() if row["cycle"] != cycle]
        ordered = sorted((*kept, *rows), key=lambda row: int(row["cycle"]))
        plain = ({**row, "value": None if math.isnan(row["value"]) else row["value"]} for row in ordered)
        lines = [json.dumps(row, allow_nan=False) + "\n" for row in plain]
        files.write_text(self.folder / "metrics.jsonl", "".join(lines))


@contextmanager
def lock(root: Path) -> Iterator[None]:
    """Hold the one writer's lock of a workspace folder; the kernel frees it when the process dies.

    Raises:
        WorkspaceError: Another process writes here; the message names it.
    """
    path = root / ".lock"
    with files.user_facing_os_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        handle = path.open("a+", encoding="utf-8")
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = handle.read().strip() or "another process"
            raise WorkspaceError(
                f"{root} is in use by {holder}; wait for it, or choose another workspace=PATH"
            ) from None
        handle.truncate(0)
        since = time.strftime("%H:%M:%S")
        handle.write(f"process {os.getpid()} ({' '.join(Path(a).name for a in sys.argv[:2])}, since {since})")
        handle.flush()
        yield


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Rows of a JSON-lines file; a last line cut short by a crash is left out, a missing file is empty."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if not line.endswith("\n"):
            break
        rows.append(json.loads(line))
    return rows


def append_jsonl(path: Path, row: dict[str, Any]) -> None:
    """Append one row and fsync; a torn last line left by a crash is cut off first."""
    with files.user_facing_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as handle:
            handle.seek(0)
            content = handle.read()
            whole = content.rfind(b"\n") + 1
            if whole != len(content):
                handle.truncate(whole)
            handle.write(json.dumps(row).encode() + b"\n")
            handle.flush()
            os.fsync(handle.fileno())

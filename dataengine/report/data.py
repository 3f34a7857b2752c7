"""Gather what a workspace holds about its runs: cycles, costs, metrics and settings, arm by arm."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataengine import files
from dataengine.errors import WorkspaceError
from dataengine.frameboxes import FrameBoxes
from dataengine.lake import read_parquet
from dataengine.schema import Taxonomy
from dataengine.workspace import Run, Workspace, read_jsonl

Key = tuple[int, str, str, str]
"""Cycle, split, slice, metric."""

BASELINE = "random"

INCIDENTAL = (
    *("arm", "seed", "hash", "start", "workspace", "app.", "compute.", "mine.name", "loop."),
    *("licence.", "dataset.root", "dataset.labels", "label.name", "label.partial", "label.judged_frames"),
)
"""Settings that may differ between runs of one comparison without changing what is compared."""

BOX_COLUMNS = ["frame_id", "xyxy", "class_id", "score", "ignore", "visibility", "track_id"]


@dataclass(frozen=True, slots=True)
class Cost:
    """Cumulative cost of a cycle's labels, the seed set counted."""

    frames: float
    boxes: float
    seconds: float


class RunRecord:
    """One run's finished cycles, read once.

    Args:
        run: The run on disk.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.run_id = run.run_id
        self.settings = run.settings
        self.arm = str(self.settings.get("arm", run.run_id))
        self.seed = int(self.settings.get("seed", 0))
        rows = run.metrics()
        judged = {row["cycle"] for row in rows}
        self.cycles = [cycle for cycle in run.completed_cycles() if cycle in judged]
        self.manifests = {cycle: _read_json(run.cycle(cycle) / "manifest.json") for cycle in self.cycles}
        self._rows = [row for row in rows if row["cycle"] in set(self.cycles)]

    @property
    def planned_cycles(self) -> int:
        """How many cycles the settings ask for; what is there, where they do not say."""
        return int((self.settings.get("loop") or {}).get("cycles", len(self.cycles)))

    @property
    def is_exhausted(self) -> bool:
        """Whether it ended early because the pool held nothing more to buy."""
        path = self.run.cycle(self.cycles[-1] + 1 if self.cycles else 0) / "cost.json"
        bought = _read_json(path).get("bought") or {} if path.is_file() else {}
        return bool(self.cycles) and bought.get("frames") == 0

    @cached_property
    def values(self) -> dict[Key, float]:
        """Every figure of the finished cycles."""
        return {
            (row["cycle"], row["split"], row["slice"], row["metric"]): float(row["value"])
            for row in self._rows
        }

    @cached_property
    def costs(self) -> dict[int, Cost]:
        """Cumulative cost of every finished cycle; from its manifest, else from its metrics."""
        found = {row["cycle"]: row for row in self._rows}
        found.update({cycle: m["cost"] for cycle, m in self.manifests.items() if m.get("cost")})
        costs = {}
        for cycle in self.cycles:
            row = found.get(cycle, {})
            frames, boxes, seconds = (float(row.get(n, math.nan)) for n in ("frames", "boxes", "seconds"))
            costs[cycle] = Cost(frames, boxes, seconds)
        return costs

    def bought(self, cycle: int) -> Cost:
        """What one cycle added to the cost."""
        now = self.costs[cycle]
        before = self.costs.get(cycle - 1, Cost(0, 0, 0)) if cycle else Cost(0, 0, 0)
        return Cost(now.frames - before.frames, now.boxes - before.boxes, now.seconds - before.seconds)

    def table(self, cycle: int, name: str, columns: list[str] | None = None) -> pa.Table | None:
        """One Parquet file of a cycle, or ``None`` where it is not there."""
        path = self.run.cycle(cycle) / f"{name}.parquet"
        return read_parquet(path, columns) if path.is_file() else None

    def losses(self, cycle: int) -> list[dict[str, Any]]:
        """Rows of ``losses.jsonl``; empty where it is not there."""
        return read_jsonl(self.run.cycle(cycle) / "losses.jsonl")

    def labels(self, cycle: int) -> FrameBoxes | None:
        """All labels the cycle's model was trained on, or ``None`` where the file is missing."""
        table = self.table(cycle, "labels")
        return None if table is None else FrameBoxes.from_table(table)

    def boxes_of(self, cycle: int, name: str, frame_ids: Sequence[str]) -> FrameBoxes | None:
        """Boxes of the named frames in one of the cycle's tables, without the bulky columns."""
        table = self.table(cycle, name, BOX_COLUMNS)
        if table is None:
            return None
        return FrameBoxes.from_table(
            table.filter(pc.is_in(table["frame_id"], pa.array(frame_ids, pa.string())))
        )


@dataclass(frozen=True, slots=True)
class Arm:
    """One line of every figure: a strategy, its runs (one a seed) and its place in the palette."""

    name: str
    slot: int
    runs: tuple[RunRecord, ...]

    @property
    def is_baseline(self) -> bool:
        """Whether other arms are compared with this one."""
        return self.name == BASELINE

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of its runs, in order."""
        return tuple(record.seed for record in self.runs)


@dataclass(frozen=True)
class Gathered:
    """Everything the page is made from.

    Attributes:
        workspace: Where it comes from.
        arms: Arms with at least one finished cycle, the baseline first.
        waiting: Runs without a finished cycle.
        differing: Settings, other than the arm's own, in which the arms differ.
    """

    workspace: Workspace
    arms: tuple[Arm, ...]
    waiting: tuple[RunRecord, ...] = ()
    differing: tuple[str, ...] = field(default=())

    @property
    def taxonomy(self) -> Taxonomy:
        """Classes and declared tail."""
        return self.workspace.taxonomy

    @cached_property
    def frames(self) -> pa.Table:
        """Every frame with its split."""
        return self.workspace.frames()

    @cached_property
    def frame_rows(self) -> dict[str, int]:
        """Row of each frame id in ``frames``."""
        return {frame_id: row for row, frame_id in enumerate(self.frames["frame_id"].to_pylist())}

    @cached_property
    def conditions(self) -> list[dict[str, str]]:
        """Conditions of every frame, in the order of ``frames``."""
        return [dict(pairs or ()) for pairs in self.frames["conditions"].to_pylist()]

    @property
    def records(self) -> list[RunRecord]:
        """Every run with a finished cycle."""
        return [record for arm in self.arms for record in arm.runs]

    @property
    def quarantine(self) -> list[dict[str, Any]]:
        """Input files that were not used, with the reason."""
        return read_jsonl(self.workspace.root / "quarantine.jsonl")


def gather(workspace: Workspace, runs: Sequence[Run] | None = None) -> Gathered:
    """Read the runs of a workspace and sort them into arms.

    Runs of one strategy whose settings differ (say, other training steps) are not seeds of one
    another: they become arms of their own, named by what differs.

    Args:
        workspace: An ingested workspace.
        runs: The runs to report; every run on disk when not given.
    """
    records = [RunRecord(run) for run in (workspace.runs() if runs is None else runs)]
    ready = [record for record in records if record.cycles]
    arms = _arms(ready)
    return Gathered(
        workspace=workspace,
        arms=arms,
        waiting=tuple(record for record in records if not record.cycles),
        differing=_differing([compared_settings(record) for record in ready]),
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise WorkspaceError(f"{path} is damaged ({error}); delete it and run the cycle again") from error


def flatten(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as dotted names, in their order."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def compared_settings(record: RunRecord) -> dict[str, Any]:
    """The settings that must agree for two runs to be compared."""
    return {k: v for k, v in flatten(record.settings).items() if not k.startswith(INCIDENTAL)}


def _arms(records: Sequence[RunRecord]) -> tuple[Arm, ...]:
    groups: dict[tuple[str, str], list[RunRecord]] = {}
    for record in sorted(records, key=lambda r: (r.arm != BASELINE, r.arm, r.seed, r.run_id)):
        groups.setdefault((record.arm, files.digest(compared_settings(record))), []).append(record)
    names = [arm for arm, _ in groups]
    arms = []
    for slot, ((arm, _), members) in enumerate(groups.items()):
        rivals = [found[0] for (other, _), found in groups.items() if other == arm]
        label = arm if names.count(arm) == 1 else f"{arm} ({_mark(members[0], rivals)})"
        arms.append(Arm(label, slot if names[0] == BASELINE else slot + 1, tuple(members)))
    return tuple(arms)


def _mark(record: RunRecord, rivals: Sequence[RunRecord]) -> str:
    """What sets a run apart from the others of its strategy, e.g. ``train.steps=200``."""
    settings = compared_settings(record)
    keys = _differing([compared_settings(rival) for rival in rivals])
    return ", ".join(f"{key}={settings.get(key)}" for key in keys[:2]) or record.run_id


def _differing(settings: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    keys = dict.fromkeys(key for flat in settings for key in flat)
    return tuple(key for key in keys if len({str(flat.get(key)) for flat in settings}) > 1)


def image_path(gathered: Gathered, row: int) -> Path:
    """Where the image of a row of ``gathered.frames`` is."""
    frames = gathered.frames
    return gathered.workspace.image_path(frames["media_root"][row].as_py(), frames["image_path"][row].as_py())

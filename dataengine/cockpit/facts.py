"""What the lake and the runs say of every frame: all that the FiftyOne dataset is built from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine.frameboxes import FrameBoxes, positions
from dataengine.lake import read_parquet
from dataengine.schema import JUDGED_SPLITS, POOL
from dataengine.workspace import Run, Workspace

SEED = "seed"
LABELLED = "labelled"
REJECT = "reject"
"""Tag by which a person takes a frame out of the loop."""
OUR_TAGS = r"^(pool|val|test|test_balanced|gap|unlabelled|seed|labelled|mined-c\d+)$"
"""Tags that a sync sets and removes; every other tag is a person's and is never touched."""
MAX_CYCLES = 6
"""Cycles of one arm whose predictions are shown: cycle 0 and the newest, so that fields stay few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """The newest run of one mining strategy.

    Attributes:
        name: Name of the strategy.
        key: The same, fit for a field name.
        run: Its newest run.
        picked: Cycles with a selection, in order.
        predicted: Finished cycles whose predictions are shown, in order.
        error_score: Predictions from this score on count as finds and false alarms.
    """

    name: str
    key: str
    run: Run
    picked: tuple[int, ...]
    predicted: tuple[int, ...]
    error_score: float

    def predictions_field(self, cycle: int) -> str:
        """The field that holds what the model of a cycle predicts."""
        return f"predictions_{self.key}_c{cycle}"

    @property
    def pick_field(self) -> str:
        """The field that holds why and when a frame was picked."""
        return f"pick_{self.key}"

    @property
    def errors_field(self) -> str:
        """The field that holds the error counts of the last cycle."""
        return f"errors_{self.key}"

    @property
    def mistake_field(self) -> str:
        """The attribute of a true box that holds what the last cycle's model did wrong there."""
        return f"mistake_{self.key}"

    def table(self, cycle: int, name: str) -> pa.Table:
        """One Parquet file of a cycle."""
        return read_parquet(self.run.cycle(cycle) / f"{name}.parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that is known of a workspace's frames, row by row of ``frames``.

    Attributes:
        workspace: Where it comes from.
        frames: Schema ``FRAMES`` and ``split``, ordered by frame id.
        paths: Absolute path of each image.
        sizes: ``[F, 2]`` float64 width and height in pixels.
        arms: Newest run of each arm, the arm that the user chose last.
        truth: Boxes of val and test, and of every frame whose labels were bought.
        corrected: Frames whose boxes in ``truth`` are a person's, frozen into a run.
        labelled: Frames whose labels were bought.
        rejected: Frames that a person rejected, frozen into a run.
    """

    workspace: Workspace
    frames: pa.Table
    paths: list[str]
    sizes: NDArray[np.float64]
    arms: tuple[Arm, ...]
    truth: FrameBoxes
    corrected: frozenset[str]
    labelled: frozenset[str]
    rejected: frozenset[str]

    @property
    def frame_ids(self) -> list[str]:
        """Ids of all frames, in order."""
        return list(self.frames["frame_id"].to_pylist())

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names of the workspace."""
        return self.workspace.taxonomy.classes

    @property
    def primary(self) -> Arm | None:
        """The arm that layout and map show first."""
        return self.arms[-1] if self.arms else None

    @classmethod
    def gather(cls, workspace: Workspace, runs: Sequence[Run]) -> Facts:
        """Read the lake and the runs; predictions stay on disk until they are written."""
        frames = workspace.frames()
        known = set(frames["frame_id"].to_pylist())
        split = dict(zip(frames["frame_id"].to_pylist(), frames["split"].to_pylist(), strict=True))
        judged = [frame_id for frame_id, name in split.items() if name in JUDGED_SPLITS]
        tables, corrected, rejected = _labels(runs)
        bought = {
            frame_id: table
            for table in tables
            for frame_id in table.frame_ids
            if frame_id in known and split[frame_id] == POOL
        }
        return cls(
            workspace=workspace,
            frames=frames,
            paths=[str(path.resolve()) for path in workspace.image_paths(frames)],
            sizes=np.stack([frames["width"].to_numpy(), frames["height"].to_numpy()], 1).astype(np.float64),
            arms=_arms(runs),
            truth=_join(workspace.lake.truth(judged), bought),
            corrected=frozenset(corrected & known),
            labelled=frozenset(bought),
            rejected=frozenset(rejected & known),
        )

    def tags(self) -> dict[str, list[str]]:
        """The tags that a sync owns, of every frame: split, ``labelled``, ``seed``, ``mined-c<k>``."""
        owned = {
            frame_id: [split] if split else []
            for frame_id, split in zip(self.frame_ids, self.frames["split"].to_pylist(), strict=True)
        }
        for frame_id in self.labelled:
            owned[frame_id].append(LABELLED)
        for arm in self.arms:
            for cycle, picks in self.picks(arm).items():
                tag = f"mined-c{cycle}" if cycle else SEED
                for frame_id in picks:
                    if frame_id in owned and tag not in owned[frame_id]:
                        owned[frame_id].append(tag)
        return owned

    def picks(self, arm: Arm) -> dict[int, dict[str, dict[str, Any]]]:
        """Cycle -> frame id -> row of the selection."""
        return {
            cycle: {row["frame_id"]: row for row in arm.table(cycle, "selection").to_pylist()}
            for cycle in arm.picked
        }

    def status(self) -> dict[str, str]:
        """One word a frame, to colour by: its split, or when the primary arm bought it."""
        ids = self.frame_ids
        words = dict(zip(ids, self.frames["split"].to_pylist(), strict=True))
        for cycle, picks in self.picks(self.primary).items() if self.primary else ():
            words.update({f: f"mined-c{cycle}" if cycle else SEED for f in picks if f in words})
        return words


def _arms(runs: Sequence[Run]) -> tuple[Arm, ...]:
    """The newest run of each arm; the baseline first, then the others by age."""
    newest: dict[str, tuple[float, Run]] = {}
    baseline = set()
    for run in runs:
        cycles = _cycles_with(run, "selection.parquet")
        if not cycles:
            continue
        age = (run.cycle(cycles[-1]) / "selection.parquet").stat().st_mtime
        baseline.add(str((run.settings.get("loop") or {}).get("baseline") or "random"))
        if run.arm not in newest or (age, run.run_id) > (newest[run.arm][0], newest[run.arm][1].run_id):
            newest[run.arm] = (age, run)
    order = sorted(newest, key=lambda arm: (arm not in baseline, newest[arm][0], arm))
    return tuple(_arm(newest[arm][1]) for arm in order)


def _arm(run: Run) -> Arm:
    done = [cycle for cycle in run.completed_cycles() if (run.cycle(cycle) / "predictions.parquet").is_file()]
    shown = done if len(done) <= MAX_CYCLES else [done[0], *done[1 - MAX_CYCLES :]]
    return Arm(
        name=run.arm,
        key="".join(letter if letter.isalnum() else "_" for letter in run.arm.lower()),
        run=run,
        picked=_cycles_with(run, "selection.parquet"),
        predicted=tuple(shown),
        error_score=float((run.settings.get("evaluate") or {}).get("error_score", 0.3)),
    )


def _cycles_with(run: Run, name: str) -> tuple[int, ...]:
    return tuple(sorted(int(path.parent.name) for path in run.folder.glob(f"cycles/*/{name}")))


def _labels(runs: Sequence[Run]) -> tuple[list[FrameBoxes], set[str], set[str]]:
    """The label table of each run, with people's corrections last, so that they win a union."""
    bought, corrections = [], []
    corrected: set[str] = set()
    rejected: set[str] = set()
    for run in runs:
        newest = _newest(run, "labels.parquet")
        if newest is not None:
            bought.append(FrameBoxes.from_table(read_parquet(newest)))
        newest = _newest(run, "corrected.parquet")
        if newest is not None:
            corrections.append(FrameBoxes.from_table(read_parquet(newest)))
            corrected.update(corrections[-1].frame_ids)
        newest = _newest(run, "rejected.json")
        if newest is not None:
            rejected.update(json.loads(newest.read_text(encoding="utf-8")))
    return bought + corrections, corrected, rejected


def _newest(run: Run, name: str) -> Path | None:
    cycles = _cycles_with(run, name)
    return run.cycle(cycles[-1]) / name if cycles else None


def _join(judged: FrameBoxes, bought: Mapping[str, FrameBoxes]) -> FrameBoxes:
    """One table of boxes from the truth of val and test and from the labels of bought frames."""
    parts = [judged.to_table()]
    by_table: dict[int, list[str]] = {}
    tables = {id(table): table for table in bought.values()}
    for frame_id, table in bought.items():
        by_table.setdefault(id(table), []).append(frame_id)
    parts += [tables[key].select(sorted(ids)).to_table() for key, ids in by_table.items()]
    return FrameBoxes.from_table(pa.concat_tables(parts))


def subset(boxes: FrameBoxes, frame_ids: Sequence[str]) -> FrameBoxes:
    """The boxes of those of ``frame_ids`` that the table knows, in that order."""
    have = set(boxes.frame_ids)
    return boxes.take(positions(boxes.frame_ids, [f for f in frame_ids if f in have]))

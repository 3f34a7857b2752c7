"""From finished runs on disk to the tables that a comparison is computed from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from dataengine import mine, progress
from dataengine.arm import checked, identity, run_of
from dataengine.compare import picks as bought
from dataengine.compare.plan import Trial, trial
from dataengine.compare.tables import CELLS, PICKS, REPLICATES
from dataengine.config import Config
from dataengine.errors import ConfigError, WorkspaceError
from dataengine.lake import read_parquet
from dataengine.schema import Taxonomy
from dataengine.workspace import Run, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What the runs of a comparison left on disk.

    Attributes:
        cells: Table of schema ``CELLS``.
        replicates: Table of schema ``REPLICATES``; empty where evaluation wrote none.
        picks: Table of schema ``PICKS``.
        taxonomy: Classes and tail, the same in every trial.
        arms: Names of the arms with a finished cell.
    """

    cells: pa.Table
    replicates: pa.Table
    picks: pa.Table
    taxonomy: Taxonomy
    arms: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Finished:
    """One run of the comparison."""

    trial: Trial
    workspace: Workspace
    run: Run
    arm: str

    @cached_property
    def metrics(self) -> list[dict[str, Any]]:
        """Its figures."""
        return self.run.metrics()

    @property
    def cycles(self) -> list[int]:
        """Cycles that are finished."""
        return sorted({row["cycle"] for row in self.metrics})


def gather(config: Config, folder: Path) -> Gathered:
    """Every finished cell in a comparison's folder that belongs to the settings.

    Runs belong together that share the digest of their settings, whichever command ran them.

    Args:
        config: The settings of the comparison.
        folder: Its folder.

    Raises:
        WorkspaceError: There is no finished cell, a file is damaged, or a run's model knows other classes
            than its workspace.
    """
    finished = [run for run in _runs(config, folder) if run.cycles]
    if not finished:
        raise WorkspaceError(
            f"{folder} holds no finished cell of these settings; run `dataengine compare workspace={folder}`"
        )
    taxonomy = finished[0].workspace.taxonomy
    for run in finished:
        _check_classes(run, taxonomy)
    return Gathered(
        cells=_table(CELLS, (_cells(run) for run in finished)),
        replicates=_table(REPLICATES, (part for run in finished for part in _replicates(run))),
        picks=_table(PICKS, (part for run in finished for part in _picks(run))),
        taxonomy=taxonomy,
        arms=tuple(dict.fromkeys(run.arm for run in finished)),
    )


def _runs(config: Config, folder: Path) -> Iterator[_Finished]:
    """The runs in the folder that were made with the settings."""
    left_out: set[str] = set()
    for root in (folder / "data", *sorted((folder / "worlds").glob("*"))):
        if not Workspace.exists(root):
            continue
        workspace = Workspace.open(root)
        for run in workspace.runs():
            settings = run.settings
            where = trial(config, folder, int(settings["seed"]))
            if where.root != root or settings["hash"] != identity(workspace, where.config)[0]:
                continue
            arm = str(settings["arm"])
            if why := _unusable(arm, where.config):
                if arm not in left_out:
                    progress.say(f"the cells of arm {arm} are left out: {why}")
                left_out.add(arm)
                continue
            if run_of(workspace, where.config, arm).run_id == run.run_id:  # by the rule as it is now
                yield _Finished(trial=where, workspace=workspace, run=run, arm=arm)


def _unusable(arm: str, config: Config) -> str:
    """Why an arm cannot be told apart from a later form of it: its package may be gone. Empty if it can."""
    try:
        if not mine.ArmName.parse(arm).is_ceiling:
            checked(arm, config)
    except ConfigError as error:
        return str(error)
    return ""


def _check_classes(run: _Finished, taxonomy: Taxonomy) -> None:
    for number in run.cycles:
        path = run.run.cycle(number) / "manifest.json"
        classes = tuple(json.loads(path.read_text(encoding="utf-8"))["classes"])
        for other in (taxonomy.classes, run.workspace.taxonomy.classes):
            if classes != other:
                raise WorkspaceError(
                    f"{path}: its model knows {', '.join(classes)}, but the comparison is of "
                    f"{', '.join(other)}; give dataset.classes back, or choose another workspace=PATH"
                )


def _cells(run: _Finished) -> pa.Table:
    rows = [{**row, "trial": run.trial.name} for row in run.metrics]
    return pa.Table.from_pylist(rows, CELLS)


def _replicates(run: _Finished) -> Iterator[pa.Table]:
    for number in run.cycles:
        path = run.run.cycle(number) / "replicates.parquet"
        if path.is_file():
            yield _headed(read_parquet(path), run, number, REPLICATES)


def _picks(run: _Finished) -> Iterator[pa.Table]:
    frames = run.workspace.lake.read("frames", list(bought.COLUMNS))
    for number in run.cycles:
        if number:
            found = bought.describe(
                run.run,
                number,
                frames,
                num_classes=len(run.workspace.taxonomy),
                judging=run.trial.config.evaluate,
            )
            yield _headed(found, run, number, PICKS)


def _headed(table: pa.Table, run: _Finished, number: int, schema: pa.Schema) -> pa.Table:
    """A table of one cell, with the columns that say which, in the order of a schema."""
    head = {"trial": run.trial.name, "arm": run.arm, "seed": run.trial.seed, "cycle": number}
    for name, value in head.items():
        kind = schema.field(name).type
        column = pa.repeat(pa.scalar(value, kind), table.num_rows)
        table = table.drop_columns([name]) if name in table.column_names else table
        table = table.append_column(pa.field(name, kind), column)
    return table.select(schema.names).cast(schema)


def _table(schema: pa.Schema, parts: Sequence[pa.Table] | Iterator[pa.Table]) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *parts])

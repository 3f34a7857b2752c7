"""A comparison on disk: Parquet for programs, CSV for eyes, and a page of Markdown to commit as evidence."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from dataengine import files
from dataengine.compare.evidence import evidence
from dataengine.compare.grid import PRECISIONS, Figure
from dataengine.compare.savings import SLICES
from dataengine.compare.tables import SCHEMAS, Comparison
from dataengine.errors import InputError
from dataengine.lake import read_parquet, write_parquet
from dataengine.schema import TEST_SPLITS

FOLDER = "tables"
"""Where the files stand, inside the folder of a comparison."""

DECIMALS = 4
"""Places that a CSV keeps."""

CSV_LINES = {
    "curves": "mean over seeds of a figure at each cycle, with its mean costs",
    "differences": "arm minus baseline, paired by seed; cycle -1 is the area under the budget curve; "
    "noise is the floor of the mean, noise_per_seed that of one seed",
    "savings": "share of the baseline's cost saved at a level; an empty cost or value is 'not reached'",
    "shares": "share of the oracle's gain over the baseline",
    "rivals": "the main arm minus each other one, paired by seed; cycle -1 is the area under the curve",
    "trainers": "what a miner and a trainer gain, alone and together; cycle -1 is the area under the curve",
    "purchases": "mean over seeds of what a cycle bought",
    "overlaps": "mean Jaccard overlap of what two arms bought in a cycle",
    "forecasts": "what was forecast after a cycle for the next one, and what came",
}
"""What the first line of each CSV says; the meaning of every column is in ``dataengine.compare.tables``."""

_FACTS = (
    "name",
    "baseline",
    "arms",
    "trials",
    "classes",
    "tail",
    "confidence",
    "headline",
    "notes",
    "settings",
)


def write(comparison: Comparison, folder: Path, *, command: str | None = None) -> list[Path]:
    """Write ``<name>.parquet``, ``<name>.csv``, ``comparison.json`` and ``evidence.md`` into ``tables``.

    Args:
        comparison: What was found.
        folder: Where ``tables`` is made.
        command: The command line that made it, for the evidence.

    Returns:
        The files.
    """
    target = folder / FOLDER
    written = []
    for name, table in comparison.tables.items():
        write_parquet(target / f"{name}.parquet", table)
        written.append(target / f"{name}.parquet")
    for name, line in CSV_LINES.items():
        table = comparison.table(name)
        if table.num_rows:
            head = f"{comparison.name}: {line}; intervals of {comparison.confidence:.0%}"
            files.write_text(target / f"{name}.csv", to_csv(_small(table), head))
            written.append(target / f"{name}.csv")
    facts = {name: getattr(comparison, name) for name in _FACTS}
    files.write_json(target / "comparison.json", facts)
    files.write_text(target / "evidence.md", evidence(comparison, command))
    return [*written, target / "comparison.json", target / "evidence.md"]


def read(folder: Path) -> Comparison:
    """A comparison as ``write`` left it.

    Raises:
        InputError: There is none in the folder.
    """
    target = folder / FOLDER
    try:
        facts: dict[str, Any] = json.loads((target / "comparison.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{target}: no comparison is here; make one with `dataengine compare`") from error
    tables = {
        name: read_parquet(target / f"{name}.parquet").cast(schema)
        for name, schema in SCHEMAS.items()
        if (target / f"{name}.parquet").is_file()
    }
    lists = {name: tuple(facts[name]) for name in ("arms", "trials", "classes", "tail", "notes")}
    return Comparison(**{**facts, **lists}, tables=tables)


def _small(table: pa.Table) -> pa.Table:
    """Without val, conditions and errors per frame: what claims are made of."""
    if "split" not in table.column_names:
        return table
    columns = (table[name].to_pylist() for name in Figure._fields)
    kept = [
        split in TEST_SPLITS and part.startswith(SLICES) and metric.startswith(PRECISIONS)
        for split, part, metric in zip(*columns, strict=True)
    ]
    return table.filter(pa.array(kept, pa.bool_()))


def to_csv(table: pa.Table, line: str) -> str:
    """A table as CSV below a comment line; numbers are rounded, an unknown one is an empty field."""
    text = io.StringIO()
    text.write(f"# {line}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(
        _shown(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)
    )
    return text.getvalue()


def _shown(row: Sequence[Any]) -> list[Any]:
    return [
        ("" if math.isnan(value) else f"{value:.{DECIMALS}f}".rstrip("0").rstrip("."))
        if isinstance(value, float)
        else value
        for value in row
    ]

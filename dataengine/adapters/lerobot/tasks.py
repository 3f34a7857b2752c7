"""What robots were told to do: ``meta/tasks.jsonl`` of version 2, ``meta/tasks.parquet`` of version 3.

Episodes name their tasks themselves; these tables translate the numbers in their rows where no list of
episodes can be read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from dataengine.adapters.lerobot.documents import json_lines
from dataengine.adapters.lerobot.tables import read_rows
from dataengine.errors import InputError
from dataengine.workspace import Outcome

TASKS = ("meta/tasks.jsonl", "meta/tasks.parquet")
_LONGEST = 500


def read_tasks(root: Path, files: Collection[str], outcomes: dict[str, Outcome]) -> dict[int, str]:
    """The text of each task by its number; what became of the tables is added to ``outcomes``."""
    found: dict[int, str] = {}
    for name in TASKS:
        if name in files:
            tasks, fault = _read(root / name)
            found |= tasks
            outcomes[name] = Outcome(path=name, status="broken" if fault else "added", reason=fault)
    return found


def one_line(tasks: Any) -> str:
    """One task or several as one line of text; empty for anything else."""
    lines = [tasks] if isinstance(tasks, str) else tasks if isinstance(tasks, list) else []
    joined = "; ".join(" ".join(line.split()) for line in lines if isinstance(line, str))
    return joined[:_LONGEST]


def _read(path: Path) -> tuple[dict[int, str], str]:
    """The tasks, and what is wrong with the table; empty if nothing is."""
    try:
        rows = list(_rows(path))
    except InputError as error:
        return {}, str(error)
    good = [row for row in rows if row is not None and _is_task(row)]
    fault = ""
    if not rows:
        fault = "empty file"
    elif len(good) < len(rows):
        fault = f"{len(rows) - len(good)} of {len(rows)} rows name no task"
    return {row["task_index"]: one_line(row["task"]) for row in good}, fault


def _rows(path: Path) -> Iterator[Mapping[str, Any] | None]:
    if path.suffix == ".jsonl":
        yield from (row for _, row in json_lines(path))
        return
    # pandas keeps the text as an index, which becomes a column with a name of its own
    for row in read_rows(path, ["task_index", "task", "__index_level_0__"]):
        yield {"task": row.get("__index_level_0__"), **row}


def _is_task(row: Mapping[str, Any]) -> bool:
    return type(row.get("task_index")) is int and isinstance(row.get("task"), str)

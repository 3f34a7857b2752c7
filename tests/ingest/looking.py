"""What an ingest left, in a form that tests compare."""

from __future__ import annotations

import json
from pathlib import Path

from dataengine.ingest import IngestSummary
from dataengine.workspace import Workspace


def statuses(workspace: Workspace) -> dict[str, tuple[str, str]]:
    lines = (workspace.root / "quarantine.jsonl").read_text().splitlines()
    return {row["path"]: (row["status"], row["reason"]) for row in map(json.loads, lines)}


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def counts(summary: IngestSummary) -> tuple[int, ...]:
    return (summary.added, summary.present, summary.missing, summary.broken, summary.unused)

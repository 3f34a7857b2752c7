"""What every ingest owes its user, however damaged the input: checked from outside of it.

* It ends, with a summary or with a user's error in one line; never with another exception.
* Every file below the root is in the listing exactly once, and is counted exactly once in the outcome:
  added, or in ``quarantine.jsonl`` with a reason.
* Nothing is written but the workspace.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dataengine.adapters.base import Recording, adapter_for, files_under
from dataengine.config import Config
from dataengine.errors import UserError
from dataengine.ingest import IngestSummary, ingest
from dataengine.ingest.names import shown

NOT_USED = {"missing", "broken", "unused"}
Listing = dict[str, tuple[int, int, int]]


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How an ingest ended.

    Attributes:
        summary: Its counts; ``None`` where it raised.
        error: The message of the error that it raised; empty where it did not.
        reasons: Path -> (status, reason) of each file in ``quarantine.jsonl``.
        faults: The same of parts of files: ``path#part``.
    """

    summary: IngestSummary | None
    error: str
    reasons: dict[str, tuple[str, str]]
    faults: dict[str, tuple[str, str]]


def ingested(config: Config, folder: Path, *, one_line: bool = True) -> Ended:
    """Ingest ``config.dataset.root`` into ``folder/ws`` and check all of the above.

    Args:
        config: One worker is faster than starting processes, and hides nothing.
        folder: An empty folder of the test's own.
        one_line: An error is one line; false where the root's own name has several.
    """
    assert config.dataset.root is not None
    root = Path(config.dataset.root)
    config.compute.workers = 1
    before = listing(root)
    summary, error = None, ""
    try:
        summary = ingest(config, folder / "ws")[1]
    except UserError as caught:
        error = str(caught)
    assert listing(root) == before, "the source was written to"
    assert {path.name for path in folder.iterdir()} <= {"ws"}, "something outside the workspace was written"
    assert "\n" not in error or not one_line, error
    rows = _quarantined(folder / "ws" / "quarantine.jsonl")
    if summary is not None or "files can be used (first: " in error:
        _check_each_file_once(config, root, rows, summary)
    expected = _listed(config, root) if summary is not None else set(rows)
    return Ended(
        summary=summary,
        error=error,
        reasons={path: row for path, row in rows.items() if path in expected},
        faults={path: row for path, row in rows.items() if path not in expected},
    )


def listing(root: Path) -> Listing:
    """Size, time of change and inode of everything below a folder, hidden files too; links not followed."""
    found = {}
    for folder, folders, names in root.walk() if hasattr(root, "walk") else _walk(root):
        for name in (*folders, *names):
            status = (folder / name).lstat()
            found[str((folder / name).relative_to(root))] = (
                status.st_size,
                status.st_mtime_ns,
                status.st_ino,
            )
    return found


def _walk(root: Path):  # Path.walk came with Python 3.12
    import os

    for folder, folders, names in os.walk(root):
        yield Path(folder), folders, names


def _quarantined(path: Path) -> dict[str, tuple[str, str]]:
    if not path.is_file():
        return {}
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    twice = [name for name, number in Counter(row["path"] for row in rows).items() if number > 1]
    assert not twice, f"quarantined twice: {twice}"
    for row in rows:
        assert row["status"] in NOT_USED, row
        assert row["reason"], row
        assert "Traceback" not in row["reason"], row
    return {row["path"]: (row["status"], row["reason"]) for row in rows}


def _listed(config: Config, root: Path) -> set[str]:
    """Every path of the adapter's listing; each may be there only once, and every listing is the same."""
    own: Counter[str] = Counter()
    shared: set[str] = set()
    adapter = adapter_for(config.dataset, root)
    next(adapter.recordings(), None)  # what was listed before must not show
    for item in adapter.recordings():
        if isinstance(item, Recording):
            own.update(item.files)
            shared.update(item.shared)
        else:
            own[item.path] += 1
    twice = sorted(name for name, number in own.items() if number > 1)
    assert not twice, f"listed twice: {twice[:5]}"
    both = sorted(shared & set(own))
    assert not both, f"shared, and somebody's own: {both[:5]}"
    return {shown(name) for name in (*own, *shared)}


def _files(config: Config, root: Path) -> Iterator[str]:
    """Every file of the dataset: what lies beside the parts of a mix is none of it."""
    for part in [Path(part.root) for part in config.dataset.parts] or [root]:
        for name in files_under(part):
            yield (part / name).relative_to(root).as_posix()


def _check_each_file_once(
    config: Config, root: Path, rows: dict[str, tuple[str, str]], summary: IngestSummary | None
) -> None:
    there = {shown(name) for name in _files(config, root)}
    listed = _listed(config, root)
    assert not there - listed, f"not accounted for: {sorted(there - listed)[:5]}"
    unused = {path for path in rows if path in listed}
    extra = sorted(path for path in listed - there if rows.get(path, ("",))[0] != "missing")
    assert not extra, f"neither there nor told as missing: {extra[:5]}"
    if summary is None:
        return
    assert summary.num_files == len(listed)
    assert summary.missing + summary.broken + summary.unused == len(unused)
    assert summary.added + summary.present == len(listed - unused)
    counts = Counter(rows[path][0] for path in unused)
    assert (summary.missing, summary.broken, summary.unused) == tuple(
        counts[status] for status in ("missing", "broken", "unused")
    )

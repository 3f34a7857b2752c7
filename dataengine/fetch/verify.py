"""Is a dataset whole? By recorded checksums where it was fetched by us, else as its adapter sees it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from dataengine import files
from dataengine.adapters import base
from dataengine.cards import Card
from dataengine.config import DatasetConfig
from dataengine.errors import InputError
from dataengine.fetch.store import Record, Store
from dataengine.progress import say, track

_SHOWN = 3


class _Problems:
    """Problems by class, with the first few of each."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self._first: dict[str, list[str]] = {}

    def add(self, kind: str, example: str) -> None:
        self.count[kind] += 1
        first = self._first.setdefault(kind, [])
        if len(first) < _SHOWN:
            first.append(example)

    def lines(self) -> list[str]:
        return [
            f"{number:,} {kind}: {', '.join(self._first[kind])}" + (", ..." if number > _SHOWN else "")
            for kind, number in sorted(self.count.items())
        ]


def verify(card: Card, root: Path) -> str:
    """Say what of a dataset is missing or altered.

    Args:
        card: The dataset's card.
        root: The dataset's folder.

    Returns:
        One line that says what was found whole, and how it was judged.

    Raises:
        InputError: Something is missing, altered or broken; one line for each kind was printed before.
    """
    base.check_root(root)
    problems = _Problems()
    records = Store(root).records()
    judged = _by_checksums(card, root, records, problems) if records else _by_structure(card, root, problems)
    for line in problems.lines():
        say(f"{card.name}: {line}")
    if total := problems.count.total():
        command = f"`dataengine datasets download={card.name}`"
        remedy = f"remove what is altered; {command} fetches it" if records else f"see {command}"
        found = f"{total:,} {'problem' if total == 1 else 'problems'} in {card.name}"
        raise InputError(f"{root}: {found} ({judged}); {remedy}")
    return f"{card.name}: nothing missing, nothing altered in {root} ({judged})"


def _by_checksums(card: Card, root: Path, records: dict[str, Record], problems: _Problems) -> str:
    stored = [item for record in records.values() for item in record.files]
    for item in track(stored, "verifying", len(stored), "files"):
        path = root / item.path
        try:
            if path.stat().st_size != item.num_bytes:
                problems.add("altered (another size)", item.path)
            elif files.sha256(path) != item.sha256:
                problems.add("altered (another SHA-256)", item.path)
        except FileNotFoundError:
            problems.add("missing", item.path)
        except OSError as error:
            problems.add(f"unreadable ({error.strerror})", item.path)
    for download in card.downloads:
        if download.needed and download.url not in records:
            problems.add("not downloaded", download.url)
    return f"{len(stored):,} files against their recorded SHA-256"


def _by_structure(card: Card, root: Path, problems: _Problems) -> str:
    """No checksums were recorded: count recordings, and what the adapter finds wrong."""
    found: Counter[str] = Counter()
    adapter = base.adapter_for(DatasetConfig(name=card.name, root=str(root)), root)
    for item in adapter.recordings():
        if isinstance(item, base.Recording):
            found["recordings"] += 1
            for name in (*item.files, *item.shared):
                found["files"] += 1
                _look(root, name, problems)
        else:
            found[item.status] += 1
            if item.status in {"missing", "broken"}:
                problems.add(item.status, f"{item.path} ({item.reason})")
    if not found["recordings"]:
        problems.add("dataset without a recording", f"nothing of {card.name} can be ingested")
    unused = f", {found['unused']:,} unused" if found["unused"] else ""
    return (
        f"{found['recordings']:,} recordings with {found['files']:,} files{unused}; no checksums are recorded"
    )


def _look(root: Path, name: str, problems: _Problems) -> None:
    try:
        if (root / name).stat().st_size == 0:
            problems.add("empty", name)
    except OSError:
        problems.add("missing", name)

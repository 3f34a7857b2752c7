"""The quarantine: every input file that was not used, and why, in ``quarantine.jsonl``."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from dataengine import files
from dataengine.errors import WorkspaceError

USED = ("added", "present")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one input file.

    Attributes:
        path: Relative to the dataset's root.
        status: ``added``, ``present`` (already in the lake), ``missing``, ``broken`` or ``unused``.
        reason: Why it was not used; empty for ``added`` and ``present``.
    """

    path: str
    status: str
    reason: str = ""


class Quarantine:
    """The files that were not used, one line each; what was mended since is taken out.

    Its memory grows with the number of such files, not with that of all files.

    Args:
        path: Of ``quarantine.jsonl``; read if it is there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[str, Outcome] = {}
        self._parts: defaultdict[str, set[str]] = defaultdict(set)
        self._stale = not path.exists()
        self._fresh: list[Outcome] = []
        self._new: set[str] = set()
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
                if line.endswith("\n"):
                    self._enter(_outcome(path, line))
                else:
                    self._stale = True  # torn by a crash

    def settle(self, outcomes: Iterable[Outcome]) -> None:
        """Take in what became of some files: reasons for the unused, a way out for those now added.

        A fault within a file is noted as ``path#frame``; an earlier one leaves once its file is added
        again, one of this time stays.
        """
        for outcome in outcomes:
            if outcome.status == "added":
                self._release(outcome.path)
            elif outcome.status not in USED:
                self._new.add(outcome.path)
                if self._entries.get(outcome.path) != outcome:
                    self._stale |= outcome.path in self._entries
                    self._enter(outcome)
                    self._fresh.append(outcome)

    def flush(self) -> None:
        """Bring the file up to date: by appending while only new reasons came, else by writing it anew."""
        if not self._stale and not self._fresh:
            return
        if self._stale:
            ordered = sorted(self._entries.values(), key=lambda outcome: outcome.path)
            files.write_text(self._path, "".join(map(_line, ordered)))
        else:
            with files.user_facing_os_errors(self._path), self._path.open("a", encoding="utf-8") as handle:
                handle.writelines(map(_line, self._fresh))
        self._stale = False
        self._fresh.clear()

    def close(self) -> None:
        """Write the file ordered by path, one line each."""
        self._stale |= bool(self._fresh)
        self.flush()
        text = "".join(map(_line, sorted(self._entries.values(), key=lambda outcome: outcome.path)))
        if self._path.read_text(encoding="utf-8") != text:
            files.write_text(self._path, text)

    def _enter(self, outcome: Outcome) -> None:
        self._entries[outcome.path] = outcome
        self._parts[outcome.path.partition("#")[0]].add(outcome.path)

    def _release(self, path: str) -> None:
        file = path.partition("#")[0]
        for part in self._parts.get(file, set()) - self._new:
            del self._entries[part]
            self._parts[file].discard(part)
            self._stale = True


def _line(outcome: Outcome) -> str:
    return json.dumps(asdict(outcome)) + "\n"


def _outcome(path: Path, line: str) -> Outcome:
    try:
        return Outcome(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise WorkspaceError(f"{path} is damaged ({error}); delete it and run again") from error

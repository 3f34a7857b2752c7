"""The quarantine: one line for each unused file, and a way out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataengine.errors import WorkspaceError
from dataengine.quarantine import Outcome, Quarantine


def outcome(path: str, status: str = "broken", reason: str = "why") -> Outcome:
    return Outcome(path=path, status=status, reason=reason if status != "added" else "")


def lines(path: Path) -> list[tuple[str, str]]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [(row["path"], row["reason"]) for row in rows]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "quarantine.jsonl"


def settle(path: Path, *outcomes: Outcome) -> None:
    quarantine = Quarantine(path)
    quarantine.settle(outcomes)
    quarantine.close()


def test_an_ingest_without_a_fault_leaves_an_empty_file(path: Path) -> None:
    settle(path, outcome("a.png", "added"))
    assert path.read_text() == ""


def test_reasons_are_ordered_and_the_newest_counts(path: Path) -> None:
    settle(path, outcome("b"), outcome("a"))
    settle(path, outcome("b", reason="newer"), outcome("c"))
    assert lines(path) == [("a", "why"), ("b", "newer"), ("c", "why")]


def test_a_file_that_was_mended_leaves_with_all_its_frames(path: Path) -> None:
    settle(path, outcome("a.mp4#000003"), outcome("a.mp4"), outcome("b.mp4#000001"))
    settle(path, outcome("a.mp4", "added"))
    assert lines(path) == [("b.mp4#000001", "why")]


def test_a_file_that_is_present_keeps_the_faults_within_it(path: Path) -> None:
    settle(path, outcome("a.mp4#000003"))
    settle(path, outcome("a.mp4", "present"))
    assert lines(path) == [("a.mp4#000003", "why")]


def test_a_flush_appends_and_a_torn_line_is_dropped(path: Path) -> None:
    quarantine = Quarantine(path)
    quarantine.settle([outcome("b")])
    quarantine.flush()
    quarantine.settle([outcome("a")])
    quarantine.flush()
    assert [name for name, _ in lines(path)] == ["b", "a"]  # as they came
    with path.open("a") as handle:
        handle.write('{"path": "c", "sta')
    settle(path)
    assert [name for name, _ in lines(path)] == ["a", "b"]


def test_the_same_outcomes_again_change_no_byte(path: Path) -> None:
    settle(path, outcome("a"), outcome("b"))
    before = path.stat().st_mtime_ns
    settle(path, outcome("b"), outcome("a"))
    assert path.stat().st_mtime_ns == before


def test_names_that_are_no_ascii_come_back(path: Path) -> None:
    settle(path, outcome("a\nb.png"), outcome("ü#000001"))
    settle(path, outcome("ü", "added"))
    assert lines(path) == [("a\nb.png", "why")]


@pytest.mark.parametrize("line", ["{}", "[]", "nonsense"])
def test_a_damaged_file_is_one_line(path: Path, line: str) -> None:
    path.write_text(line + "\n")
    with pytest.raises(WorkspaceError, match=r"quarantine.jsonl is damaged"):
        Quarantine(path)

"""The workspace: lock, journal, metrics, and what a crash may leave behind."""

from __future__ import annotations

import errno
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dataengine import cards, files
from dataengine.errors import WorkspaceError
from dataengine.workspace import Outcome, Run, Workspace, append_jsonl, lock, read_jsonl

ROW = {"arm": "random", "seed": 0, "frames": 1, "boxes": 2, "seconds": 3.0, "split": "test", "slice": "all"}


def new_workspace(root: Path) -> Workspace:
    return Workspace.create(root, cards.load("simulated"), None, "fingerprint")


def test_open_gives_back_what_create_wrote(tmp_path: Path) -> None:
    created = new_workspace(tmp_path / "w")
    again = Workspace.open(tmp_path / "w")
    assert again.card == created.card
    assert again.fingerprint == "fingerprint"


def test_a_workspace_can_be_moved(tmp_path: Path) -> None:
    new_workspace(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    assert Workspace.open(tmp_path / "b").image_path("workspace", "media/x.jpg") == tmp_path / "b/media/x.jpg"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"format_version": 99, "card": {}}', "format version 99"),
        ("{", "damaged"),
        ("[]", "damaged"),
        ("{}", "damaged"),
    ],
)
def test_a_foreign_or_damaged_workspace_is_one_clear_line(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "workspace.json").write_text(content)
    with pytest.raises(WorkspaceError, match=said) as caught:
        Workspace.open(tmp_path)
    assert "workspace.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_workspace_names_the_verb_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="dataengine ingest"):
        Workspace.open(tmp_path)


def test_the_lock_names_its_holder_and_is_free_after_a_kill(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from dataengine.workspace import lock\n"
        "with lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(WorkspaceError, match=f"process {holder.pid}"), lock(tmp_path):
            pass
        holder.kill()
        holder.wait()
    with lock(tmp_path):
        assert str(os.getpid()) in (tmp_path / ".lock").read_text()


def test_a_stage_is_done_only_while_its_files_are_as_written(tmp_path: Path) -> None:
    run = Run(tmp_path)
    written = run.cycle(0) / "labels.parquet"
    files.write_text(written, "labels")
    assert not run.done(0, "label")
    run.finish(0, "label", [written], 0.5)
    assert run.done(0, "label")
    assert not run.done(1, "label")
    written.write_text("tampered")
    assert not run.done(0, "label")
    written.unlink()
    assert not run.done(0, "label")


def test_a_torn_last_line_is_left_out_and_then_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    append_jsonl(path, {"n": 1})
    with path.open("a") as handle:
        handle.write('{"n": 2')
    assert read_jsonl(path) == [{"n": 1}]
    append_jsonl(path, {"n": 3})
    assert read_jsonl(path) == [{"n": 1}, {"n": 3}]


def test_metrics_of_a_cycle_are_replaced_in_order_and_nan_is_null(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.write_metrics(1, [{**ROW, "cycle": 1, "metric": "ap50", "value": 0.5}])
    run.write_metrics(0, [{**ROW, "cycle": 0, "metric": "ap50", "value": math.nan}])
    run.write_metrics(1, [{**ROW, "cycle": 1, "metric": "ap50", "value": 0.7}])
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [(line["cycle"], line["value"]) for line in lines] == [(0, None), (1, 0.7)]
    assert math.isnan(run.metrics()[0]["value"])


def test_the_quarantine_holds_one_line_for_each_path(tmp_path: Path) -> None:
    workspace = new_workspace(tmp_path)
    for outcome in (
        Outcome(path="b.png", status="broken", reason="truncated"),
        Outcome(path="a.png", status="missing", reason="listed, not there"),
        Outcome(path="b.png", status="broken", reason="truncated after 12 bytes"),
    ):
        quarantine = workspace.quarantine()
        quarantine.settle([outcome])
        quarantine.close()
    rows = read_jsonl(tmp_path / "quarantine.jsonl")
    assert [(row["path"], row["reason"]) for row in rows] == [
        ("a.png", "listed, not there"),
        ("b.png", "truncated after 12 bytes"),
    ]


def test_a_read_only_folder_is_the_users_to_mend(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(WorkspaceError, match="no permission"):
        new_workspace(tmp_path / "w")


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "no permission"), (errno.EACCES, "workspace=PATH")],
)
def test_a_failed_write_leaves_the_old_file_whole(tmp_path: Path, number: int, said: str) -> None:
    path = tmp_path / "table.json"
    files.write_json(path, {"old": True})

    def fail(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError(number, os.strerror(number))

    with pytest.raises(WorkspaceError, match=said):
        files.atomic(path, fail)
    assert json.loads(path.read_text()) == {"old": True}
    assert [entry.name for entry in tmp_path.iterdir()] == ["table.json"]

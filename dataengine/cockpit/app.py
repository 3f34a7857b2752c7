"""Open the FiftyOne App on a workspace and keep it open until somebody stops it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO
from urllib.parse import quote

from dataengine.cockpit import build, connection, layout, record, service, views
from dataengine.config import AppConfig
from dataengine.errors import ServiceError
from dataengine.progress import say
from dataengine.workspace import Workspace

_START_TIMEOUT_S = 90.0
_STOP_TIMEOUT_S = 8.0
_POLL_S = 0.2


def launch(workspace: Workspace, app: AppConfig) -> None:
    """Serve the App until Ctrl-C, SIGTERM or the server's end; builds the dataset where there is none.

    The server is always one of our own, on ``app.port`` or the next free port: FiftyOne would join
    whatever answers there, even another version with another database.

    Raises:
        ServiceError: MongoDB or the server does not start, or no port is free.
    """
    fo = connection.connect()
    name = record.recorded(workspace.root)
    with connection.service_errors():
        if name is None or not fo.dataset_exists(name):
            name = build.sync(workspace, workspace.runs())
        dataset = fo.load_dataset(name)
        shown = views.highlights(dataset)
    port = service.free_port(app.address, app.port)
    with _stop_signals() as stop, serving(app.address, port) as server:
        address = page(app.address, port, name)
        say(f"FiftyOne App: {address} (Ctrl-C stops it)")
        if shown:
            say("saved views worth opening: " + ", ".join(shown))
        if app.browser:
            webbrowser.open(address, new=2)
        while not stop.wait(_POLL_S):
            if server.poll() is not None:
                raise ServiceError("the FiftyOne server ended by itself; see the lines above, and run again")
    say("FiftyOne App stopped")


def page(address: str, port: int, name: str) -> str:
    """Address of a dataset in the App, with the saved workspace open."""
    host = f"[{address}]" if ":" in address else address
    return f"http://{host}:{port}/datasets/{quote(name)}?workspace={quote(layout.WORKSPACE)}"


@contextmanager
def serving(address: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the App's server while the block runs.

    Raises:
        ServiceError: It does not answer in time.
    """
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dataengine.cockpit.server", str(port), address],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "FIFTYONE_DO_NOT_TRACK": "true"},
            # Ctrl-C reaches this process alone, which then stops the server in order.
            start_new_session=True,
        )
        try:
            _wait_until_it_answers(process, address, port, log)
            yield process
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _wait_until_it_answers(process: subprocess.Popen[bytes], address: str, port: int, log: IO[bytes]) -> None:
    host = "127.0.0.1" if address == "0.0.0.0" else address
    url = f"http://[{host}]:{port}/fiftyone" if ":" in host else f"http://{host}:{port}/fiftyone"
    end = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(_POLL_S)
    log.seek(0)
    said = log.read().decode(errors="replace").strip().splitlines() or ["it said nothing"]
    raise ServiceError(
        f"the FiftyOne server does not start on port {port}: {said[-1]}; give another app.port"
    )


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set while the block runs; a thread leaves signals as they are."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

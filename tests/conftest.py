"""Fixtures for every test: real data where it is there, a MongoDB of our own, the ``--slow`` switch."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")

REPOSITORY = Path(__file__).resolve().parent.parent
BENCHMARKS = Path(__file__).parent / "benchmarks"
NO_SERVER = "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=500"
"""Where no MongoDB answers: tests that use one without the fixture ``mongo`` fail there."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--slow", action="store_true", help="run benchmarks and the tests that take minutes, too"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Whatever imports FiftyOne before a test asks for ``mongo`` must not find the user's database."""
    os.environ["FIFTYONE_DATABASE_URI"] = NO_SERVER
    # A shell's background jobs start with Ctrl-C ignored, and so would the processes that tests interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="a benchmark, or takes minutes: run with --slow on a quiet machine")
    for item in items:
        if "slow" in item.keywords or BENCHMARKS in item.path.parents:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder of the public datasets' samples: DATAENGINE_DATA, or ``../shared/data``."""
    folder = Path(os.environ.get("DATAENGINE_DATA", REPOSITORY / "../shared/data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set DATAENGINE_DATA")
    return folder


@pytest.fixture(scope="session")
def mongo() -> Iterator[str]:
    """URI of a MongoDB of this session's own; FiftyOne uses it, and never a server that the user runs.

    ``import fiftyone`` joins any ``mongod`` of the same user, whatever its database folder, so the URI
    is set before the first use.
    """
    from dataengine.cockpit import service
    from dataengine.errors import ServiceError

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="dataengine-mongo-"))
        try:
            uri = stack.enter_context(service.private_server(Path(folder)))
        except ServiceError as error:
            pytest.skip(str(error))
        settings = pytest.MonkeyPatch()
        stack.callback(settings.undo)
        settings.setenv("FIFTYONE_DATABASE_URI", uri)
        settings.setenv("FIFTYONE_DATABASE_NAME", f"dataengine-tests-{os.getpid()}")
        settings.setenv("FIFTYONE_DO_NOT_TRACK", "true")
        settings.setenv("FIFTYONE_LOGGING_LEVEL", "ERROR")
        loaded = sys.modules.get("fiftyone")
        if loaded is not None:  # its settings were read before there was a server
            settings.setattr(loaded.config, "database_uri", uri)
            settings.setattr(loaded.config, "database_name", os.environ["FIFTYONE_DATABASE_NAME"])
        yield uri
        _disconnect()


def _disconnect() -> None:
    """Close FiftyOne's connections, or its clean-up at exit waits for the server that is gone."""
    database = sys.modules.get("fiftyone.core.odm.database")
    if database is not None:
        database._disconnect()

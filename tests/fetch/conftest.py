"""A misbehaving web server, and patience that suits a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dataengine.fetch.transfer import Patience
from tests.fetch.server import Site, serving


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as site:
        yield site


@pytest.fixture
def patience() -> Patience:
    return Patience(attempts=3, wait_s=0.01, longest_wait_s=0.05, timeout_s=0.5)

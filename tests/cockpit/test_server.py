"""The page that our server hands out, by hand: an application that answers one request."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from dataengine.cockpit import server

PAGE = b"<html><head><title>FiftyOne</title></head><body></body></html>"


def answer(content_type: bytes, parts: list[bytes], scope_type: str = "http") -> list[Any]:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"Content-Type", content_type), (b"content-length", str(len(b"".join(parts))).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number, part in enumerate(parts):
            more = number + 1 < len(parts)
            await send({"type": "http.response.body", "body": part, "more_body": more})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {}

    asyncio.run(server.with_defaults(application)({"type": scope_type}, receive, send))
    return sent


@pytest.mark.parametrize("cut", [0, 20, len(PAGE)])
def test_a_page_gets_its_defaults_and_the_right_length(cut: int) -> None:
    start, body = answer(b"text/html; charset=utf-8", [PAGE[:cut], PAGE[cut:]])
    assert body["body"].count(b"fiftyone-enterprise-tooltip-seen") == 1
    assert body["body"].endswith(b"</head><body></body></html>")
    assert dict(start["headers"])[b"content-length"] == str(len(body["body"])).encode()


@pytest.mark.parametrize(("kind", "scope"), [(b"application/json", "http"), (b"text/html", "lifespan")])
def test_everything_else_passes_unchanged(kind: bytes, scope: str) -> None:
    messages = answer(kind, [PAGE[:9], PAGE[9:]], scope)
    assert b"".join(m.get("body", b"") for m in messages) == PAGE
    assert len(messages) == 3

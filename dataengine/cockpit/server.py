"""FiftyOne's own web server, run as ``python -m dataengine.cockpit.server PORT ADDRESS``.

It serves FiftyOne's App unchanged, but for two lines in the head of the page, for what FiftyOne has no
setting for. The pop-up that advertises the paid edition and the cookie notice are marked as seen, the
advertisement inside the Embeddings panel is hidden, and groups of frames open as video until a person
chooses otherwise. The process ends when its parent does: it watches its standard input.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

STORED = {
    "fiftyone-enterprise-tooltip-seen": "true",
    "fiftyone-do-not-track": "true",
    "dynamicGroupsViewMode-true": "video",
    "dynamicGroupsViewMode-false": "video",
}
"""What the App finds in the browser's storage when it starts for the first time."""
ADVERTISEMENTS = ".emb-callout"
HEAD = (
    f"<script>for(const [k,v] of Object.entries({json.dumps(STORED)}))"
    "if(localStorage.getItem(k)===null)localStorage.setItem(k,v)</script>"
    f"<style>{ADVERTISEMENTS}{{display:none!important}}</style></head>"
).encode()


def with_defaults(application: Application) -> Application:
    """Wrap an ASGI application so that its HTML pages carry ``HEAD`` at the end of their head."""

    async def wrapped(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        start: list[Message] = []
        body: list[bytes] = []

        async def send_page(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                start.append(message)
            elif message["type"] == "http.response.body" and start:
                body.append(message.get("body", b""))
                if not message.get("more_body"):
                    page = b"".join(body).replace(b"</head>", HEAD, 1)
                    await send({**start[0], "headers": _with_length(start[0]["headers"], len(page))})
                    await send({"type": "http.response.body", "body": page})
            else:
                await send(message)

        await application(scope, receive, send_page)

    return wrapped


def _is_page(message: Message) -> bool:
    headers = {key.lower(): value for key, value in message["headers"]}
    return headers.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in headers


def _with_length(headers: list[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    kept = [(key, value) for key, value in headers if key.lower() != b"content-length"]
    return [*kept, (b"content-length", str(length).encode())]


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Serve until the parent process ends or asks this one to."""
    port, address = int(sys.argv[1]), sys.argv[2]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import fiftyone.server.main as server

    server.app = with_defaults(server.app)
    server.start_server(port=port, address=address)


if __name__ == "__main__":
    main()

"""A web server on 127.0.0.1 that misbehaves on demand."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Page:
    """One file of the server.

    Attributes:
        data: Its bytes.
        etag: Name of its version; empty for none.
        script: What to do with the first requests, one word each; then ``always``:

            ``serve``       as a good server does, ranges too
            ``cut N``       close the connection after N bytes
            ``stall N``     fall silent after N bytes
            ``drip N``      send, but wait a moment after every N bytes
            ``long N``      promise N bytes more than there are
            ``short N``     promise N bytes fewer
            ``shifted N``   answer a range with one that starts N bytes later
            ``unranged``    ignore the range
            ``unmeasured``  give no length (chunked)
            ``unranged_cut N``  both
            ``status N``    answer with that status
            ``busy N``      answer 503, try again after N seconds
            ``to URL``      redirect
    """

    data: bytes
    etag: str = '"one"'
    script: list[str] = field(default_factory=list)
    always: str = "serve"


class Site:
    """The pages by path, and the requests that came: ``(path, Range, If-Range)``."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.pages: dict[str, Page] = {}
        self.requests: list[tuple[str, str, str]] = []
        self.closing = threading.Event()
        self.root = f"http://127.0.0.1:{server.server_address[1]}"

    def add(self, path: str, page: Page) -> str:
        """Serve a page; returns its address."""
        self.pages[path] = page
        return self.root + path


@contextmanager
def serving() -> Iterator[Site]:
    """A site of one's own, gone afterwards."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.block_on_close = False
    site = server.site = Site(server)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.closing.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        site: Site = self.server.site  # type: ignore[attr-defined]
        site.requests.append((self.path, self.headers.get("Range", ""), self.headers.get("If-Range", "")))
        page = site.pages.get(self.path)
        if page is None:
            self._status(404)
            return
        word, _, argument = (page.script.pop(0) if page.script else page.always).partition(" ")
        if word == "status":
            self._status(int(argument))
        elif word == "busy":
            self._status(503, **{"Retry-After": argument})
        elif word == "to":
            self._status(302, Location=argument)
        else:
            self._serve(page, word, int(argument or 0), site)

    def _serve(self, page: Page, word: str, number: int, site: Site) -> None:
        start, headers = 0, {"ETag": page.etag} if page.etag else {}
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if_range = self.headers.get("If-Range")
        size = len(page.data)
        if asked and not word.startswith("unranged") and if_range in {None, page.etag}:
            start = int(asked[1])
            if start >= size:
                self._status(416, **{"Content-Range": f"bytes */{size}"})
                return
            start += number if word == "shifted" else 0
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        body = page.data[start:]
        self.send_response(206 if "Content-Range" in headers else 200)
        if word == "unmeasured":
            headers["Transfer-Encoding"] = "chunked"
            body = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
        else:
            headers["Content-Length"] = str(len(body) + {"long": number, "short": -number}.get(word, 0))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self._send(body, word, number, site)

    def _send(self, body: bytes, word: str, number: int, site: Site) -> None:
        try:
            if word == "drip":
                for first in range(0, len(body), number):
                    self.wfile.write(body[first : first + number])
                    if site.closing.wait(0.02):
                        return
                return
            self.wfile.write(body[:number] if word in {"cut", "stall", "unranged_cut"} else body)
            self.wfile.flush()
            if word == "stall":
                site.closing.wait(10)
        except OSError:
            pass  # the client went away, as some tests want

    def _status(self, code: int, **headers: str) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

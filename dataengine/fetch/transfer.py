"""Fetch one file over HTTP: ranges, changed files, stalls and servers that contradict themselves."""

from __future__ import annotations

import http.client
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from typing import IO
from urllib.parse import urlsplit

from dataengine import __version__
from dataengine.errors import InputError
from dataengine.fetch.partial import PartialFile, Version
from dataengine.fetch.store import check_room, file_name
from dataengine.progress import bar, say

_CHUNK = 1 << 18
_PASSING = {408, 425, 429, 500, 502, 503, 504}
"""HTTP answers that another attempt may better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """When to try again and when to give up.

    Attributes:
        attempts: Attempts in a row that bring nothing new before giving up.
        wait_s: Pause after the first of them; it doubles with each.
        longest_wait_s: No pause is longer, whatever the server asks for.
        timeout_s: Silence of a connection, in seconds, after which it counts as stalled.
    """

    attempts: int = 6
    wait_s: float = 1.0
    longest_wait_s: float = 60.0
    timeout_s: float = 30.0


class _AgainError(Exception):
    """This attempt failed, another may not."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


def fetch(partial: PartialFile, num_bytes: int, patience: Patience) -> bool:
    """Fetch until the file is whole; continues what an earlier call or process left.

    Args:
        partial: Where the bytes go.
        num_bytes: Size that the file must have; 0 where unknown.
        patience: When to give up.

    Returns:
        Whether all bytes came in one answer (False: they were joined from several).

    Raises:
        InputError: The address is wrong, the file is another one than expected, or the server gave up.
    """
    url = partial.version.url
    if urlsplit(url).scheme not in {"http", "https"}:
        raise InputError(f"{url}: only http and https addresses are fetched; mend the card")
    if partial.size:
        say(f"continuing {file_name(url)} after {partial.size:,} bytes")
    joined, failures, restarts = partial.size > 0, 0, 0
    while not _is_whole(partial, num_bytes):
        most, version = partial.most, partial.version
        try:
            _attempt(partial, num_bytes, patience.timeout_s)
            break
        except _AgainError as error:
            restarts += partial.version != version and version != Version(url=url)
            failures = 0 if partial.most > most else failures + 1
            if (vain := max(failures, restarts)) >= patience.attempts:
                raise InputError(
                    f"{url}: gave up after {vain} attempts without progress ({error}); "
                    "run the same command later, it continues"
                ) from error
            joined = partial.size > 0
            pause = max(error.wait_s, patience.wait_s * 2 ** max(failures - 1, 0))
            time.sleep(min(pause, patience.longest_wait_s))
    return not joined


def _is_whole(partial: PartialFile, num_bytes: int) -> bool:
    expected = num_bytes or partial.version.num_bytes
    return 0 < expected == partial.size


def _attempt(partial: PartialFile, num_bytes: int, timeout_s: float) -> None:
    """One request: append what comes; returns when the file is whole."""
    version = partial.version
    if partial.size and not version.validator and not (version.num_bytes or num_bytes):
        partial.restart(version)  # nothing would tell whether the rest belongs to the same file
    headers = {"User-Agent": f"dataengine/{__version__}", "Accept-Encoding": "identity"}
    if partial.size:
        headers["Range"] = f"bytes={partial.size}-"
        if version.validator:
            headers["If-Range"] = version.validator
    request = urllib.request.Request(version.url, headers=headers)
    try:
        with _opener().open(request, timeout=timeout_s) as response:
            expected = _agree(partial, response.status, response.headers, num_bytes)
            _receive(partial, response.read1, expected)
    except urllib.error.HTTPError as error:
        with error:
            _refused(partial, error, num_bytes)
    except (OSError, http.client.HTTPException) as error:
        raise _connection_failed(version.url, error) from error


def _agree(partial: PartialFile, status: int, headers: Message, num_bytes: int) -> int:
    """Check that the answer continues what is here, or begin again; returns the file's size, 0 if unknown."""
    url, old = partial.version.url, partial.version
    span = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", headers.get("Content-Range", "").strip())
    length = _number(headers.get("Content-Length"))
    total = _number(span[3]) if span else length
    new = Version(
        url=url, etag=headers.get("ETag", ""), modified=headers.get("Last-Modified", ""), num_bytes=total
    )
    if status == 206:
        same = (new.etag, new.num_bytes) == (old.etag, old.num_bytes or new.num_bytes)
        if span is None or int(span[1]) != partial.size or not same:
            partial.restart(Version(url=url))
            raise _AgainError(f"it answered with {headers.get('Content-Range') or 'an unnamed range'}")
        return total or num_bytes
    if num_bytes and total not in {0, num_bytes}:
        raise InputError(
            f"{url}: holds {total:,} bytes where {num_bytes:,} are expected; the publisher changed it, or "
            "something on the way answers in its place: open the address in a browser"
        )
    if partial.size:
        say(f"{file_name(url)}: {_why_anew(old, new)}; it is fetched from its beginning")
    partial.restart(new)
    check_room(partial.path.parent, num_bytes or total)
    return total or num_bytes


def _why_anew(old: Version, new: Version) -> str:
    return "the server does not continue files" if old.etag == new.etag else "the file changed on the server"


def _receive(partial: PartialFile, read: Callable[[int], bytes], total: int) -> None:
    size = partial.size
    label = file_name(partial.version.url)
    with bar(label, total or None, "bytes", done=size) as advance, partial.appending() as append:
        while not total or size < total:
            data = read(min(_CHUNK, total - size) if total else _CHUNK)
            if not data:
                break
            size = append(data)
            advance(len(data))
    if size < max(total, 1):
        raise _AgainError(f"cut after {size:,} of {f'{total:,}' if total else 'unknown'} bytes")


def _refused(partial: PartialFile, error: urllib.error.HTTPError, num_bytes: int) -> None:
    """Sort an HTTP error: whole already, try again, or give up."""
    status = f"HTTP {error.code} {http.client.responses.get(error.code, '')}".strip()
    if error.code == 416:
        total = re.fullmatch(r"bytes \*/(\d+)", error.headers.get("Content-Range", "").strip())
        expected = num_bytes or partial.version.num_bytes
        if total and int(total[1]) == partial.size and expected in {0, partial.size}:
            return
        reason = f"it promised {expected:,} bytes and has {total[1] if total else 'an unknown number'}"
        partial.restart(Version(url=partial.version.url))
        raise _AgainError(reason)
    if error.code in _PASSING:
        raise _AgainError(status, _number(error.headers.get("Retry-After"))) from error
    raise InputError(
        f"{partial.version.url}: {status}; the publisher moved or closed it: see the "
        "card's source for where it is now"
    ) from error


def _connection_failed(url: str, error: Exception) -> Exception:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return InputError(
            f"{url}: its certificate is not trusted ({reason.verify_message}); nothing was fetched: check "
            "the clock and the network, or fetch the file by hand"
        )
    if isinstance(reason, TimeoutError):
        return _AgainError("the connection stalled")
    return _AgainError(f"{type(reason).__name__}: {reason}")


def _number(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"\d{1,18}", text.strip()) else 0


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects to http and https alone, and never from https back to http."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        scheme = urlsplit(newurl).scheme
        if scheme != "https" and (scheme != "http" or urlsplit(req.full_url).scheme == "https"):
            fp.close()
            raise InputError(f"{req.full_url}: redirects to {newurl}, which is not followed; mend the card")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Redirects)

"""One file over HTTP, from servers that do everything wrong."""

from __future__ import annotations

import json
import random
import shutil
import ssl
import subprocess
import threading
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace

import pytest

from dataengine.errors import InputError
from dataengine.fetch import transfer
from dataengine.fetch.partial import PartialFile
from dataengine.fetch.transfer import Patience, fetch
from tests.fetch.server import Page, Site

DATA = random.Random(0).randbytes(50_000)
OTHER = random.Random(1).randbytes(50_000)


def get(path: Path, url: str, patience: Patience, num_bytes: int = 0) -> bytes:
    partial = PartialFile(path, url)
    fetch(partial, num_bytes, patience)
    partial.finish()
    assert sorted(item.name for item in path.parent.iterdir()) == [path.name]
    return path.read_bytes()


@pytest.mark.parametrize(
    ("script", "requests"),
    [
        ([], 1),
        (["cut 20000"], 2),
        (["cut 20000", "cut 10", "cut 0", "cut 5"], 5),  # every byte more is progress
        (["stall 30000"], 2),
        (["stall 0", "stall 0"], 3),
        (["status 503", "status 500"], 3),
        (["status 429", "cut 1", "status 503"], 4),
        (["cut 20000", "unranged"], 2),  # begins again
        (["cut 20000", "shifted 7"], 3),  # a range that was not asked for is thrown away
        (["long 1000"], 2),  # promises more than it has, then tells the truth
        (["unmeasured"], 1),
        (["cut 49999"], 2),
        (["to /elsewhere/file.bin"], 2),
    ],
)
def test_the_file_arrives_whole(tmp_path: Path, site: Site, patience: Patience, script, requests):
    site.add("/elsewhere/file.bin", Page(DATA))
    url = site.add("/file.bin", Page(DATA, script=list(script)))
    assert get(tmp_path / "file.bin", url, patience) == DATA
    assert len(site.requests) == requests + (script == ["long 1000"])


def test_it_asks_for_the_rest_and_only_of_the_same_version(tmp_path: Path, site: Site, patience: Patience):
    url = site.add("/file.bin", Page(DATA, script=["cut 20000"]))
    get(tmp_path / "file.bin", url, patience)
    assert site.requests == [("/file.bin", "", ""), ("/file.bin", "bytes=20000-", '"one"')]


def test_a_range_survives_a_redirect(tmp_path: Path, site: Site, patience: Patience):
    site.add("/there.bin", Page(DATA, script=["cut 20000"]))
    url = site.add("/here.bin", Page(b"", always="to /there.bin"))
    assert get(tmp_path / "file.bin", url, patience) == DATA
    assert site.requests[-1] == ("/there.bin", "bytes=20000-", '"one"')


def test_a_file_that_changes_between_attempts_is_fetched_from_its_beginning(
    tmp_path: Path, site: Site, patience: Patience, capsys
):
    page = Page(DATA, script=["cut 20000", "cut 0"])
    url = site.add("/file.bin", page)
    partial = PartialFile(tmp_path / "file.bin", url)
    with pytest.raises(InputError, match="gave up"):
        fetch(partial, 0, Patience(attempts=1, wait_s=0, timeout_s=0.3))
    page.data, page.etag = OTHER, '"two"'
    assert get(tmp_path / "file.bin", url, patience) == OTHER
    assert "the file changed on the server; it is fetched from its beginning" in capsys.readouterr().err


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_without_a_strong_validator_the_size_must_agree(tmp_path: Path, site: Site, patience, etag):
    url = site.add("/file.bin", Page(DATA, etag=etag, script=["cut 20000"]))
    assert get(tmp_path / "file.bin", url, patience) == DATA
    assert site.requests[1] == ("/file.bin", "bytes=20000-", "")


def test_a_file_that_grows_between_attempts_is_not_joined(tmp_path: Path, site: Site, patience: Patience):
    page = Page(DATA, etag="", script=["cut 20000", "cut 0"])
    url = site.add("/file.bin", page)
    partial = PartialFile(tmp_path / "file.bin", url)
    with pytest.raises(InputError, match="gave up"):
        fetch(partial, 0, Patience(attempts=1, wait_s=0, timeout_s=0.3))
    page.data = OTHER + DATA
    assert get(tmp_path / "file.bin", url, patience) == OTHER + DATA


@pytest.mark.parametrize(
    ("always", "message"),
    [
        ("cut 0", r"gave up after 3 attempts without progress \(cut after 0 of 50,000 bytes\)"),
        ("stall 0", "gave up after 3 attempts without progress .the connection stalled"),
        ("status 503", "gave up after 3 attempts .*HTTP 503 Service Unavailable"),
        ("status 404", "HTTP 404 Not Found; the publisher moved or closed it"),
        ("status 403", "HTTP 403 Forbidden"),
        ("long 1000", "gave up after .*promised 51,000 bytes and has 50000"),
        ("unranged", None),
        ("to ftp://127.0.0.1/file.bin", "redirects to ftp://127.0.0.1/file.bin, which is not followed"),
        ("to file:///etc/passwd", "HTTP 302 Found"),
        ("to /file.bin", "HTTP 302"),  # round and round
    ],
)
def test_it_gives_up_with_one_line(tmp_path: Path, site: Site, patience: Patience, always, message):
    url = site.add("/file.bin", Page(DATA, always=always))
    if message is None:
        assert get(tmp_path / "file.bin", url, patience) == DATA
        return
    with pytest.raises(InputError, match=message) as raised:
        get(tmp_path / "file.bin", url, patience)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "file.bin").exists()
    assert len(site.requests) <= 12


def test_a_server_that_ignores_ranges_and_always_cuts_is_given_up(tmp_path: Path, site: Site, patience):
    url = site.add("/file.bin", Page(DATA, always="unranged_cut 20000"))
    with pytest.raises(InputError, match=r"gave up after 3 attempts .*cut after 20,000 of 50,000"):
        get(tmp_path / "file.bin", url, patience)
    assert len(site.requests) == 4


def test_a_size_that_is_not_the_expected_one_stops_at_once(tmp_path: Path, site: Site, patience: Patience):
    url = site.add("/file.bin", Page(b"<html>please log in</html>"))
    with pytest.raises(InputError, match="holds 26 bytes where 50,000 are expected"):
        get(tmp_path / "file.bin", url, patience, num_bytes=50_000)
    assert len(site.requests) == 1


def test_an_expected_size_without_a_length_is_kept_to(tmp_path: Path, site: Site, patience: Patience):
    url = site.add("/file.bin", Page(DATA, always="unmeasured"))
    assert get(tmp_path / "file.bin", url, patience, num_bytes=50_000) == DATA
    with pytest.raises(InputError, match="gave up after 3 attempts"):
        get(tmp_path / "more" / "file.bin", url, patience, num_bytes=60_000)


def test_retry_after_is_honoured_up_to_a_bound(tmp_path: Path, site: Site, patience: Patience, monkeypatch):
    pauses: list[float] = []
    # not time.sleep itself: threads of other packages sleep too
    monkeypatch.setattr(transfer, "time", SimpleNamespace(sleep=pauses.append))
    url = site.add("/file.bin", Page(DATA, script=["status 503", "busy 3600"]))
    get(tmp_path / "file.bin", url, patience)
    assert pauses == [0.01, 0.05]


def test_a_refused_connection_is_one_line(tmp_path: Path, patience: Patience):
    with pytest.raises(InputError, match=r"gave up after 3 attempts .*Connection refused"):
        get(tmp_path / "file.bin", "http://127.0.0.1:9/file.bin", patience)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "/etc/passwd"])
def test_only_web_addresses_are_opened(tmp_path: Path, patience: Patience, url):
    with pytest.raises(InputError, match="only http and https"):
        get(tmp_path / "file.bin", url, patience)


@pytest.mark.parametrize(
    "description",
    ["", "{", "[]", "null", '{"url": 3}', '{"url": "http://other/", "num_bytes": 50000}', '{"etag": []}'],
)
def test_a_part_that_is_not_described_is_thrown_away(tmp_path: Path, site: Site, patience, description):
    url = site.add("/file.bin", Page(DATA))
    (tmp_path / "file.bin.part").write_bytes(b"x" * 100)
    (tmp_path / "file.bin.part.json").write_text(description)
    assert get(tmp_path / "file.bin", url, patience) == DATA
    assert site.requests == [("/file.bin", "", "")]


def test_a_part_that_is_whole_already_asks_nothing(tmp_path: Path, site: Site, patience: Patience):
    url = site.add("/file.bin", Page(DATA))
    (tmp_path / "file.bin.part").write_bytes(DATA)
    (tmp_path / "file.bin.part.json").write_text(
        json.dumps({"url": url, "etag": '"one"', "modified": "", "num_bytes": len(DATA)})
    )
    assert get(tmp_path / "file.bin", url, patience) == DATA
    assert site.requests == []


def test_an_untrusted_certificate_is_refused(tmp_path: Path, patience: Patience):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    made = subprocess.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 1 -subj /CN=127.0.0.1",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server = HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        with pytest.raises(InputError, match="certificate is not trusted"):
            get(tmp_path / "x" / "f", f"https://127.0.0.1:{server.server_address[1]}/f", patience)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

"""Whole downloads: checked, unpacked, put in place once, remembered; killed at any point and continued."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dataengine.cards import Card, Download
from dataengine.errors import ConfigError, InputError
from dataengine.fetch import store
from dataengine.fetch.download import download
from dataengine.fetch.store import Store
from dataengine.schema import Taxonomy
from tests.fetch.archives import tar_of, zip_of
from tests.fetch.server import Page, Site

IMAGES = {f"training/image_2/{number:06d}.png": random.Random(number).randbytes(9_000) for number in range(8)}
LABELS = {f"training/label_2/{number:06d}.txt": b"Car 0 0 0 1 2 3 4\n" for number in range(8)}


def card(*downloads: Download) -> Card:
    taxonomy = Taxonomy(classes=("car",), class_map={}, tail_classes=(), tail_conditions={})
    return Card(
        name="kitti", title="t", licence="l", source="s", obtain="o", taxonomy=taxonomy, downloads=downloads
    )


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def content(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and store.FOLDER not in path.parts
    }


@pytest.fixture
def kitti(site: Site) -> Card:
    images, labels = zip_of(IMAGES), tar_of(LABELS)
    return card(
        Download(url=site.add("/images.zip", Page(images)), sha256=digest(images), num_bytes=len(images)),
        Download(url=site.add("/labels.tar.gz", Page(labels))),
        Download(url=site.add("/colours.txt", Page(b"0 0 0 Void\n")), into="extra", needed=False),
    )


def test_a_dataset_is_fetched_once(tmp_path: Path, site: Site, kitti: Card, patience):
    root = tmp_path / "data" / "kitti"
    assert download(kitti, root, patience=patience) == 2
    assert content(root) == {**IMAGES, **LABELS}
    assert sorted(path.name for path in (root / ".fetch").iterdir()) == ["checksums.json", "lock"]
    asked = len(site.requests)
    assert download(kitti, root, patience=patience) == 0
    assert len(site.requests) == asked
    assert download(kitti, root, everything=True, patience=patience) == 1
    assert content(root)["extra/colours.txt"] == b"0 0 0 Void\n"


def test_checksums_are_recorded_on_first_use_and_kept_to(tmp_path: Path, site: Site, kitti: Card, patience):
    download(kitti, tmp_path, patience=patience)
    url = kitti.downloads[1].url
    record = Store(tmp_path).records()[url]
    assert record.sha256 == digest(site.pages["/labels.tar.gz"].data)
    assert {item.path: item.sha256 for item in record.files} == {k: digest(v) for k, v in LABELS.items()}
    (tmp_path / "training/label_2/000003.txt").unlink()
    site.pages["/labels.tar.gz"].data = tar_of({**LABELS, "training/label_2/000003.txt": b"Van\n"})
    with pytest.raises(InputError, match=r"are expected|the first download had"):
        download(kitti, tmp_path, patience=patience)
    assert "training/label_2/000003.txt" not in content(tmp_path)


def test_a_file_that_went_missing_is_fetched_again(tmp_path: Path, kitti: Card, patience):
    download(kitti, tmp_path, patience=patience)
    (tmp_path / "training/label_2/000003.txt").unlink()
    assert download(kitti, tmp_path, patience=patience) == 1
    assert content(tmp_path) == {**IMAGES, **LABELS}


def test_the_wrong_file_is_thrown_away(tmp_path: Path, site: Site, patience):
    right, wrong = zip_of(IMAGES), zip_of({"x": b"1"})
    wrong += bytes(len(right) - len(wrong))
    item = Download(url=site.add("/i.zip", Page(wrong)), sha256=digest(right), num_bytes=len(right))
    with pytest.raises(InputError, match=f"has SHA-256 {digest(wrong)}, the card says {digest(right)}"):
        download(card(item), tmp_path, patience=patience)
    assert content(tmp_path) == {}
    assert [path.name for path in (tmp_path / ".fetch").iterdir()] == ["lock"]
    assert len(site.requests) == 1


def test_wrong_bytes_from_joining_are_fetched_once_more(tmp_path: Path, site: Site, patience, capsys):
    """The server's file changed without a word about versions: only the digest tells."""
    data = zip_of(IMAGES)
    page = Page(data, etag="", script=["cut 3000"])
    item = Download(url=site.add("/i.zip", page), sha256=digest(data))
    archive = Store(tmp_path).archive(item.url)
    archive.parent.mkdir(parents=True)
    archive.with_name(archive.name + ".part").write_bytes(b"old" * 500)
    description = {"url": item.url, "num_bytes": len(data)}
    archive.with_name(archive.name + ".part.json").write_text(json.dumps(description))
    assert download(card(item), tmp_path, patience=patience) == 1
    assert content(tmp_path) == IMAGES
    assert "wrong SHA-256 after it was joined from parts" in capsys.readouterr().err


@pytest.mark.parametrize("always", ["short 500", "serve"])
def test_a_bad_archive_leaves_nothing_and_is_fetched_anew(tmp_path: Path, site: Site, patience, always):
    good = zip_of(IMAGES)
    page = Page(good if always != "serve" else b"<html>log in</html>", always=always)
    item = Download(url=site.add("/i.zip", page))
    with pytest.raises(InputError, match=r"i\.zip: .*(damaged|a web page)"):
        download(card(item), tmp_path, patience=patience)
    assert content(tmp_path) == {}
    page.data, page.always = good, "serve"
    assert download(card(item), tmp_path, patience=patience) == 1
    assert content(tmp_path) == IMAGES


def test_folders_are_placed_as_the_card_says(tmp_path: Path, site: Site, patience):
    flat = Download(url=site.add("/flat.zip", Page(zip_of({"x_L.png": b"1"}))), into="LabeledApproved_full")
    nested = Download(url=site.add("/nested.zip", Page(zip_of({"stills/x.png": b"2"}))), into="stills")
    github = Download(url=site.add("/master.zip", Page(zip_of({"c-master/imgs/a.png": b"3"}))), strip=1)
    download(card(flat, nested, github), tmp_path, patience=patience)
    assert content(tmp_path) == {
        "LabeledApproved_full/x_L.png": b"1",
        "stills/x.png": b"2",  # not stills/stills
        "imgs/a.png": b"3",
    }


@pytest.mark.parametrize("into", ["/etc", "../x", "a/../../x"])
def test_a_card_cannot_lead_out_of_the_root(into):
    with pytest.raises(ConfigError, match="leads out of the dataset's folder"):
        Download(url="https://example.org/x", into=into)


def test_a_users_own_file_is_never_overwritten(tmp_path: Path, site: Site, kitti: Card, patience):
    mine = tmp_path / "training/label_2/000003.txt"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"corrected by hand\n")
    equal = tmp_path / "training/label_2/000004.txt"
    equal.write_bytes(LABELS["training/label_2/000004.txt"])
    with pytest.raises(InputError, match=r"000003\.txt is there already and differs"):
        download(kitti, tmp_path, patience=patience)
    assert content(tmp_path) == {
        **IMAGES,
        "training/label_2/000003.txt": b"corrected by hand\n",
        "training/label_2/000004.txt": equal.read_bytes(),
    }
    mine.unlink()
    asked = len(site.requests)
    download(kitti, tmp_path, patience=patience)
    assert content(tmp_path) == {**IMAGES, **LABELS}
    assert len(site.requests) == asked  # what was fetched waited


def test_one_download_at_a_time(tmp_path: Path, kitti: Card):
    with Store(tmp_path).locked(), pytest.raises(InputError, match="another download is at work here"):
        download(kitti, tmp_path)


def test_no_room_is_told_before_the_first_byte(tmp_path: Path, site: Site, kitti: Card, monkeypatch):
    monkeypatch.setattr(store.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(store.DiskError, match="to spare are needed"):
        download(kitti, tmp_path)
    assert site.requests == []


def test_a_full_disk_keeps_what_was_fetched(tmp_path: Path, site: Site, kitti: Card, monkeypatch, patience):
    def full(*_: object) -> None:
        raise store.DiskError("full")

    with monkeypatch.context() as patch:
        patch.setattr("dataengine.fetch.unpack.check_room", full)
        with pytest.raises(store.DiskError):
            download(kitti, tmp_path, patience=patience)
    asked = len(site.requests)
    download(kitti, tmp_path, patience=patience)
    assert content(tmp_path) == {**IMAGES, **LABELS}
    assert len(site.requests) == asked + 1  # the labels alone


def test_a_root_that_is_a_file_or_cannot_be_written_is_one_line(tmp_path: Path, kitti: Card):
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere")):
        with pytest.raises(InputError, match="choose another root=PATH"):
            download(kitti, root)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format_version": 9}', "[" * 10_000, '{"downloads": 3}'])
def test_damaged_records_are_one_line(tmp_path: Path, kitti: Card, text):
    (tmp_path / ".fetch").mkdir()
    (tmp_path / ".fetch/checksums.json").write_text(text)
    with pytest.raises(InputError, match=r"checksums\.json is damaged"):
        download(kitti, tmp_path)


CHILD = """
import os, signal, sys
from pathlib import Path
from dataengine.cards import Download
from dataengine.fetch import names, place, store
from dataengine.fetch.download import download
from tests.fetch.test_download import card
urls, root, point = sys.argv[1].split(), Path(sys.argv[2]), sys.argv[3]
def dying(holder, name, after):
    original, calls = getattr(holder, name), []
    def call(*args, **kwargs):
        calls.append(1)
        if len(calls) == after:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **kwargs)
    setattr(holder, name, call)
if point == "unpacking": dying(names.Names, "place", 5)
if point == "unpacked": dying(place.Staging, "complete", 1)
if point == "moving": dying(place, "_merge", 1)
if point == "between two moves":
    original = Path.replace
    def replace(self, target):
        if self.name == "000005.txt":
            os.kill(os.getpid(), signal.SIGKILL)
        return original(self, target)
    Path.replace = replace
if point == "moved": dying(store.Store, "remember", 1)
if point == "remembered": dying(place.Staging, "discard", 2)
download(card(*(Download(url=url) for url in urls)), root)
"""


def start(card_: Card, root: Path, point: str) -> subprocess.Popen[bytes]:
    urls = " ".join(item.url for item in card_.downloads if item.needed)
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, urls, str(root), point],
        cwd=Path(__file__).parents[2],
        stderr=subprocess.PIPE,
    )


POINTS = ["unpacking", "unpacked", "moving", "between two moves", "moved", "remembered"]


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_leaves_no_half_dataset_and_the_next_command_finishes(
    tmp_path: Path, kitti: Card, patience, point
):
    if point == "between two moves":  # a folder that is there already is filled file by file
        (tmp_path / "training/label_2").mkdir(parents=True)
    child = start(kitti, tmp_path, point)
    said = child.communicate(timeout=30)[1]
    assert child.returncode == -signal.SIGKILL, said
    if point in {"unpacking", "unpacked", "moving"}:
        assert content(tmp_path) == {}
    download(kitti, tmp_path, patience=patience)
    assert content(tmp_path) == {**IMAGES, **LABELS}
    assert sorted(path.name for path in (tmp_path / ".fetch").iterdir()) == ["checksums.json", "lock"]
    assert download(kitti, tmp_path, patience=patience) == 0


def test_a_kill_while_bytes_arrive_is_continued_from_there(tmp_path: Path, site: Site, kitti: Card, patience):
    page = site.pages["/images.zip"]
    page.always = "drip 2000"
    part = Store(tmp_path).archive(kitti.downloads[0].url)
    part = part.with_name(part.name + ".part")
    child = start(kitti, tmp_path, "never")
    deadline = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size > 10_000) and time.monotonic() < deadline:
        time.sleep(0.01)
    child.kill()
    child.communicate(timeout=10)
    assert content(tmp_path) == {}
    kept = part.stat().st_size
    assert 10_000 < kept < len(page.data)
    page.always = "serve"
    download(kitti, tmp_path, patience=patience)
    assert content(tmp_path) == {**IMAGES, **LABELS}
    assert ("/images.zip", f"bytes={kept}-", '"one"') in site.requests

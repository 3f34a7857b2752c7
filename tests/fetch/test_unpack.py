"""Archives: what is unpacked, and everything that is refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import random
import stat
import struct
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine.errors import InputError
from dataengine.fetch import store, unpack
from dataengine.fetch.names import Names, RefusedError
from dataengine.fetch.store import StoredFile
from dataengine.fetch.unpack import Limits
from tests.fetch.archives import tar_entry, tar_of, tar_with, zip_of, zip_with, zip_with_link

FILES = {
    "training/": b"",
    "training/a.png": b"picture" * 300,
    "training/deep/b.txt": b"",
    "läs mig.txt": b"hej",
}
NOISE = random.Random(3).randbytes(5_000)


def unpacked(tmp_path: Path, data: bytes, **options) -> list[StoredFile]:
    """Unpack into ``out``, with a watched folder around it."""
    outside = tmp_path / "around"
    (outside / "out").mkdir(parents=True, exist_ok=True)
    archive = tmp_path / "archive"
    archive.write_bytes(data)
    try:
        return unpack.unpack(archive, outside / "out", **options)
    finally:
        assert [item.name for item in outside.iterdir()] == ["out"]
        assert not any(item.is_symlink() for item in outside.rglob("*"))


@pytest.mark.parametrize(
    "data",
    [zip_of(FILES), zip_of(FILES, zipfile.ZIP_STORED), tar_of(FILES), tar_of(FILES, "w")],
    ids=["zip", "stored zip", "tar.gz", "tar"],
)
def test_every_file_arrives_with_its_digest(tmp_path: Path, data):
    stored = unpacked(tmp_path, data)
    expected = {name: content for name, content in FILES.items() if not name.endswith("/")}
    assert {item.path for item in stored} == expected.keys()
    for item in stored:
        content = (tmp_path / "around/out" / item.path).read_bytes()
        assert content == expected[item.path]
        assert (item.num_bytes, item.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_leading_folders_are_left_out(tmp_path: Path):
    data = zip_of(
        {"comma10k-master/": b"", "comma10k-master/imgs/a.png": b"1", "comma10k-master/b.txt": b"2"}
    )
    assert [item.path for item in unpacked(tmp_path, data, strip=1)] == ["imgs/a.png", "b.txt"]
    with pytest.raises(InputError, match=r"'b.txt' lies above the 1 folders that are left out"):
        unpacked(tmp_path / "more", zip_of({"b.txt": b"2"}), strip=1)


def test_a_file_loses_its_right_to_be_executed(tmp_path: Path):
    info = tarfile.TarInfo("run.sh")
    info.mode, info.size = 0o4777, 2
    unpacked(tmp_path, tar_with([(info, b"ls")]))
    assert not (tmp_path / "around/out/run.sh").stat().st_mode & (stat.S_IXUSR | stat.S_ISUID | stat.S_IWOTH)


REG = stat.S_IFREG | 0o644
REFUSED = [
    # name for the test, archive, what the message says
    ("absolute", zip_with(("/etc/x", b"", REG)), "'/etc/x' is an absolute path"),
    ("absolute tar", tar_of({"/etc/x": b""}), "'/etc/x' is an absolute path"),
    ("drive letter", zip_with(("C:/x", b"", REG)), "'C:/x' is an absolute path"),
    ("climbing", zip_with(("a/../../x", b"", REG)), "'a/../../x' climbs out"),
    ("climbing tar", tar_of({"../x": b""}), r"'\.\./x' climbs out"),
    ("climbing back inside", zip_with(("a/../x", b"", REG)), "climbs out"),
    ("backslash", zip_with(("..\\x", b"", REG)), "a NUL or a backslash"),
    ("link", zip_with_link("x", "/etc/passwd"), "'x' is a link or a device"),
    ("fifo in zip", zip_with(("x", b"", stat.S_IFIFO)), "is a link or a device"),
    ("link in tar", tar_entry("x", tarfile.SYMTYPE, "/etc"), "'x' is a link, a device or a sparse"),
    ("hard link", tar_entry("x", tarfile.LNKTYPE, "/etc/passwd"), "is a link, a device or a sparse"),
    ("device", tar_entry("x", tarfile.CHRTYPE), "is a link, a device or a sparse"),
    ("fifo", tar_entry("x", tarfile.FIFOTYPE), "is a link, a device or a sparse"),
    ("twice", tar_with([(tarfile.TarInfo("x"), b""), (tarfile.TarInfo("x"), b"")]), "'x' stands there twice"),
    ("twice otherwise spelled", tar_of({"a/x": b"", "a//./x": b""}), "stands there twice"),
    ("case", zip_of({"a/X": b"", "a/x": b""}), "'a/x' stands there twice .or differs in upper"),
    ("case of a folder", zip_of({"A/x": b"", "a/y": b""}), "differs from the folder 'A' in upper"),
    ("case by unicode", zip_of({"é": b"", "e\u0301": b""}), "stands there twice"),
    ("file as folder", zip_of({"a": b"", "a/x": b""}), "'a/x' lies below 'a', which is a file"),
    ("folder as file", zip_of({"a/x": b"", "a": b""}), "'a' stands there twice"),
    ("our own books", zip_of({".fetch/checksums.json": b"{}"}), r"lies in \.fetch"),
    ("our own books in capitals", zip_of({".FETCH/lock": b"{}"}), r"lies in \.fetch"),
    ("nothing", zip_of({}), "holds no files"),
    ("folders alone", tar_of({"a/": b""}), "holds no files"),
    ("a web page", b"\n<!DOCTYPE html><html>Log in</html>", "no zip or tar, but a web page"),
    ("something else", NOISE, "no zip or tar, it begins with"),
    ("an empty file", b"", "no zip or tar, it begins with b''"),
    ("too long a name", zip_of({"x" * 300: b""}), "cannot be written .File name too long"),
]


@pytest.mark.parametrize(
    ("data", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_may_not_be_unpacked_is_one_line(tmp_path: Path, data, message):
    with pytest.raises(InputError, match=message) as raised:
        unpacked(tmp_path, data)
    assert "\n" not in str(raised.value)


def encrypted_zip() -> bytes:
    """The encryption flag set in both headers of a plain zip."""
    data = bytearray(zip_of({"x": b"1"}, zipfile.ZIP_STORED))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def test_an_encrypted_zip_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="'x' is encrypted"):
        unpacked(tmp_path, encrypted_zip())


def test_a_name_with_a_nul_is_refused(tmp_path: Path):
    data = zip_of({"aXb.txt": b"1"}, zipfile.ZIP_STORED).replace(b"aXb.txt", b"a\0b.txt")
    with pytest.raises(InputError, match="NUL"):
        unpacked(tmp_path, data)


class TestBombs:
    LIMITS = Limits(entries=10, num_bytes=1_000_000, ratio=50, free_bytes=10_000)

    @pytest.mark.parametrize("make", [zip_of, tar_of])
    def test_a_ratio_no_data_has(self, tmp_path: Path, make):
        data = make({"zeros": bytes(900_000)})
        assert len(data) < 900_000 / 50
        with pytest.raises(InputError, match=r"'zeros' brings the total to 900\.0 kB, over the limit of"):
            unpacked(tmp_path, data, limits=self.LIMITS)
        assert not (tmp_path / "around/out/zeros").exists()

    @pytest.mark.parametrize("make", [zip_of, tar_of])
    def test_small_things_may_shrink_as_they_like(self, tmp_path: Path, make):
        assert unpacked(tmp_path, make({"zeros": bytes(9_000)}), limits=self.LIMITS)

    def test_many_files_that_are_too_much_together(self, tmp_path: Path):
        data = tar_of({f"{number}": NOISE * 30 for number in range(8)}, "w")
        with pytest.raises(InputError, match=r"'6' brings the total to 1\.1 MB, over the limit of 1\.0 MB"):
            unpacked(tmp_path, data, limits=self.LIMITS)

    @pytest.mark.parametrize("make", [zip_of, tar_of])
    def test_too_many_entries(self, tmp_path: Path, make):
        with pytest.raises(InputError, match="'10' is entry number 11: too many"):
            unpacked(tmp_path, make({f"{number}": b"" for number in range(12)}), limits=self.LIMITS)

    def test_a_full_disk_is_seen_before(self, tmp_path: Path, monkeypatch):
        monkeypatch.setattr(store.shutil, "disk_usage", lambda _: _Usage())
        with pytest.raises(
            store.DiskError, match=r"5\.0 kB and 268\.4 MB to spare are needed, 268\.4 MB are free"
        ):
            unpacked(tmp_path, zip_of({"a": NOISE}))

    def test_a_zip_whose_header_lies_about_the_size(self, tmp_path: Path):
        data = bytearray(zip_of({"a": NOISE}))
        directory = data.index(b"PK\x01\x02")
        struct.pack_into("<I", data, directory + 24, 100)
        with pytest.raises(InputError, match=r"damaged|holds more than"):
            unpacked(tmp_path, bytes(data))

    def test_a_tar_header_that_claims_gigabytes(self, tmp_path: Path):
        info = tarfile.TarInfo("x")
        info.type, info.size = tarfile.GNUTYPE_LONGNAME, 10 * 2**30
        data = info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)
        with pytest.raises(InputError, match="a header claims 10,737"):
            unpacked(tmp_path, data)

    def test_padding_without_end(self, tmp_path: Path):
        data = gzip.compress(tar_of({"x": b"1"}, "w") + bytes(70 << 20), compresslevel=1)
        with pytest.raises(InputError, match="its padding does not end"):
            unpacked(tmp_path, data)


class _Usage:
    free = (256 << 20) + 1_000  # bytes, less than the spare ones and the file


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("mode", ["zip", "w:gz", "w"])
def test_a_truncated_archive_is_damaged(tmp_path: Path, mode, kept):
    files = {f"{number}.png": random.Random(number).randbytes(3_000) for number in range(5)}
    data = zip_of(files) if mode == "zip" else tar_of(files, mode)
    data = data[: int(len(data) * kept)] if mode != "w" else data[: int((len(data) - 9_000) * kept)]
    with pytest.raises(InputError, match=r"damaged|is cut after|no zip or tar"):
        unpacked(tmp_path, data)


def test_a_tar_that_was_cut_between_two_files_is_damaged(tmp_path: Path):
    whole = tar_of({"a": NOISE[:512], "b": NOISE[:512]}, "w")
    with pytest.raises(InputError, match="ends without an end mark"):
        unpacked(tmp_path, whole[:1024])


@given(seed=st.integers(0, 2**32), kind=st.sampled_from(["zip", "w:gz", "w"]))
@settings(max_examples=60, deadline=None)
def test_flipped_bits_are_one_line_or_do_no_harm(tmp_path_factory, seed, kind):
    files = {f"folder/{number}.png": random.Random(number).randbytes(700) for number in range(3)}
    data = bytearray(zip_of(files) if kind == "zip" else tar_of(files, kind))
    dice = random.Random(seed)
    for _ in range(dice.randint(1, 8)):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    with suppress(InputError):
        unpacked(tmp_path_factory.mktemp("flipped"), bytes(data))


@given(st.text(alphabet="a./\\:é\0 ", max_size=12), st.booleans())
def test_no_name_leads_out_of_the_folder(name, is_folder):
    try:
        path = Names().place(name, is_folder=is_folder)
    except RefusedError:
        return
    if path is not None:
        inside = Path("/folder") / path
        assert os.path.normpath(inside).startswith("/folder/")
        assert inside != Path("/folder")


def test_a_gzip_that_is_no_tar_is_damaged(tmp_path: Path):
    with pytest.raises(InputError, match="damaged"):
        unpacked(tmp_path, gzip.compress(b"just text"))


def test_a_tar_written_by_pax_with_long_names(tmp_path: Path):
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("/".join(["part" * 20] * 3) + "/ä.txt")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))
    assert unpacked(tmp_path, memory.getvalue())[0].path.endswith("/ä.txt")

"""Verifying: by recorded checksums, or as the adapter sees the folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dataengine import cards
from dataengine.cards import Download
from dataengine.errors import InputError
from dataengine.fetch.download import download
from dataengine.fetch.verify import verify
from tests.fetch.archives import zip_of
from tests.fetch.server import Page, Site
from tests.fetch.test_download import IMAGES, LABELS, card


@pytest.fixture
def fetched(tmp_path: Path, site: Site, patience):
    kitti = card(Download(url=site.add("/kitti.zip", Page(zip_of({**IMAGES, **LABELS})))))
    download(kitti, tmp_path, patience=patience)
    return kitti


def test_a_whole_dataset_is_one_line(tmp_path: Path, fetched):
    line = verify(fetched, tmp_path)
    assert line == (
        f"kitti: nothing missing, nothing altered in {tmp_path} (16 files against their recorded SHA-256)"
    )


def test_each_kind_of_damage_is_one_line_with_the_first_few(tmp_path: Path, fetched, capsys):
    for number in range(5):
        (tmp_path / f"training/label_2/{number:06d}.txt").unlink()
    altered = tmp_path / "training/image_2/000002.png"
    altered.write_bytes(altered.read_bytes()[:-1] + b"!")
    (tmp_path / "training/image_2/000003.png").write_bytes(b"")
    with pytest.raises(
        InputError, match=r"7 problems in kitti .*remove what is altered; `dataengine datasets"
    ):
        verify(fetched, tmp_path)
    said = capsys.readouterr().err.splitlines()[-3:]
    listed = ", ".join(f"training/label_2/{number:06d}.txt" for number in range(3))
    assert said == [
        "kitti: 1 altered (another SHA-256): training/image_2/000002.png",
        "kitti: 1 altered (another size): training/image_2/000003.png",
        f"kitti: 5 missing: {listed}, ...",
    ]


def test_a_download_that_was_not_finished_is_missing(tmp_path: Path, fetched, capsys):
    more = card(*fetched.downloads, Download(url="http://127.0.0.1/labels.zip"))
    with pytest.raises(InputError, match="1 problem in"):
        verify(more, tmp_path)
    assert "1 not downloaded: http://127.0.0.1/labels.zip" in capsys.readouterr().err


def test_a_folder_that_does_not_exist_or_is_empty_is_one_line(tmp_path: Path):
    for root in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match=r"holds no files|does not exist"):
            verify(cards.load("camvid"), root)


@pytest.fixture
def camvid(tmp_path: Path, data_root: Path) -> Path:
    """Twelve real frames in the layout of the SegNet release."""
    if not (data_root / "camvid").is_dir():
        pytest.skip("no real CamVid")
    for folder in ("val", "valannot"):
        (tmp_path / folder).mkdir()
        for path in sorted((data_root / "camvid" / folder).iterdir())[:12]:
            shutil.copy(path, tmp_path / folder)
    return tmp_path


def test_without_checksums_the_adapter_judges(camvid: Path, capsys):
    assert "no checksums are recorded" in verify(cards.load("camvid"), camvid)
    masks = sorted((camvid / "valannot").iterdir())
    masks[0].unlink()
    masks[1].write_bytes(b"")
    with pytest.raises(InputError, match=r"2 problems in camvid .*no checksums are recorded"):
        verify(cards.load("camvid"), camvid)
    said = capsys.readouterr().err
    assert f"camvid: 1 missing: valannot/{masks[0].name}" in said
    assert f"camvid: 1 empty: valannot/{masks[1].name}" in said


def test_the_whole_of_real_camvid_is_whole(data_root: Path):
    if not (data_root / "camvid").is_dir():
        pytest.skip("no real CamVid")
    line = verify(cards.load("camvid"), data_root / "camvid")
    assert "nothing missing" in line
    assert "1,402 files" in line  # 701 images and their masks


def test_a_folder_without_a_usable_recording_is_a_problem(tmp_path: Path, camvid: Path, capsys):
    for path in (camvid / "val").iterdir():
        path.unlink()
    with pytest.raises(InputError, match=r"problems? in camvid|holds"):
        verify(cards.load("camvid"), camvid)

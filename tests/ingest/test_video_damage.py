"""Damaged videos: frames before the damage are kept, the rest is told in one line, nothing else escapes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from dataengine.errors import InputError
from dataengine.ingest.video import Picture, sample
from tests.ingest.films import number_of, write_film

KINDS = {
    "a.mp4": {"bframes": 2, "container_options": {"movflags": "faststart"}},
    "a.mkv": {"bframes": 2},
    "a.ts": {"bframes": 2},
    "a.avi": {},
    "b.mp4": {"codec": "libx265", "bframes": 2, "container_options": {"movflags": "faststart"}},
    "c.mp4": {"codec": "libsvtav1", "container_options": {"movflags": "faststart"}},
    "a.webm": {"codec": "libvpx-vp9"},
    "d.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
}


def kept(path: Path, fps: float | None) -> tuple[list[Picture], str]:
    """What a file gives before an error, and what the error says."""
    pictures: list[Picture] = []
    try:
        for picture in sample(path, fps):
            pictures.append(picture)
    except InputError as error:
        return pictures, str(error)
    return pictures, ""


@pytest.fixture(scope="module", params=list(KINDS))
def film(request, tmp_path_factory) -> Path:
    return write_film(tmp_path_factory.mktemp("film") / request.param, **KINDS[request.param])


def test_cut_anywhere_keeps_whole_frames_in_their_places(tmp_path: Path, film: Path):
    data = film.read_bytes()
    whole = {round(picture.time_s, 3): picture.bgr for picture in sample(film, None)}
    path = tmp_path / film.name
    counts = []
    for part in range(20):
        path.write_bytes(data[: len(data) * part // 20])
        for fps in (None, 3.0):
            pictures, message = kept(path, fps)
            for picture in pictures:
                np.testing.assert_array_equal(picture.bgr, whole[round(picture.time_s, 3)])
            assert "\n" not in message
            if film.name not in ("a.ts", "d.mp4"):  # these do not know how long they are
                assert message
        counts.append(len(kept(path, None)[0]))
    assert counts[0] == 0
    assert 0 < counts[-1] < 60
    openable = [count for count in counts if count]  # FFmpeg opens no file that ends in a fragment's header
    assert openable == sorted(openable)
    assert film.name == "d.mp4" or counts == sorted(counts)


@pytest.mark.parametrize("seed", range(3))
def test_flipped_and_blanked_bytes_never_escape_as_anything_else(tmp_path: Path, film: Path, seed):
    rng = np.random.default_rng(seed)
    original = film.read_bytes()
    path = tmp_path / film.name
    for damage in ("flip", "blank", "behead"):
        for _ in range(6):
            data = bytearray(original)
            at = int(rng.integers(len(data)))
            if damage == "flip":
                data[at] ^= 1 << int(rng.integers(8))
            elif damage == "blank":
                data[at : at + 150] = bytes(len(data[at : at + 150]))
            else:
                del data[: at // 2]
            path.write_bytes(data)
            for fps in (None, 2.0):
                pictures, message = kept(path, fps)
                numbers = [picture.number for picture in pictures]
                assert numbers == sorted(set(numbers))
                assert pictures or message
                assert "\n" not in message


def test_damage_between_wanted_frames_is_not_met_and_damage_before_them_is(tmp_path: Path):
    path = write_film(tmp_path / "a.mp4", 60, gop=30)
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + 4 + (data.index(b"moov") - data.index(b"mdat")) // 4  # first group
    data[middle : middle + 60] = b"\xff" * 60
    path.write_bytes(data)
    assert [number_of(picture.bgr) for picture in kept(path, 1.0)[0]] == [0, 30]
    pictures, message = kept(path, None)
    assert 0 < len(pictures) < 30
    assert message.startswith(f"damaged after {len(pictures)} frames of 60")


NOT_VIDEOS = [
    (b"", "not a readable video"),
    (b"RIFF", "not a readable video"),
    (b"\x00" * 4096, "not a readable video"),
    (b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "not a readable video"),
    ("#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\nfile:///etc/passwd\n", "not a readable video"),
    ("ffconcat version 1.0\nfile other.mp4\n", "not a readable video"),
    ("text, not a video\n" * 50, "not a readable video"),
]


@pytest.mark.parametrize(("content", "message"), NOT_VIDEOS)
def test_what_is_no_video_is_one_line(tmp_path: Path, content, message):
    path = tmp_path / "a.mp4"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputError, match=message) as caught:
        list(sample(path, 2.0))
    assert "\n" not in str(caught.value)


def test_a_header_that_claims_gigabytes_is_refused(tmp_path: Path):
    data = write_film(tmp_path / "a.avi", 3, codec="mjpeg").read_bytes()
    size_field = bytes.fromhex("0040 0060")  # 64 by 96, in every JPEG's frame header
    assert data.count(size_field) >= 3
    (tmp_path / "a.avi").write_bytes(data.replace(size_field, bytes.fromhex("f000 f000")))
    pictures, message = kept(tmp_path / "a.avi", None)
    assert not pictures
    assert message.startswith(("damaged after 0 frames", "holds no frame"))


def test_a_pipe_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(InputError, match="not a regular file"):
        list(sample(tmp_path / "a.mp4", None))


def test_a_folder_a_missing_file_and_a_broken_link_are_one_line(tmp_path: Path):
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "link.mp4").symlink_to(tmp_path / "nowhere")
    for name in ("folder.mp4", "link.mp4", "absent.mp4"):
        with pytest.raises(InputError, match="not a readable video"):
            list(sample(tmp_path / name, 2.0))


@pytest.mark.parametrize(
    "name", ["two words.mp4", "new\nline.mp4", "Straße-東京.mp4", "100%d.mp4", "a:b.mp4", "x.dat"]
)
def test_names_are_only_names(tmp_path: Path, monkeypatch, name):
    """Spaces, line ends, patterns and colons mean something to FFmpeg; a wrong suffix must not."""
    shutil.copy(write_film(tmp_path / "source.mp4", 12), tmp_path / name)
    assert len(list(sample(tmp_path / name, None))) == 12
    monkeypatch.chdir(tmp_path)
    assert len(list(sample(Path(name), None))) == 12

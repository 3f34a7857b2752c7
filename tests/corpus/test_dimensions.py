"""Headers that promise more pixels than the file can hold: refused before they are paid for."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from dataengine.errors import InputError
from dataengine.images import MAX_PIXELS, decode_image, read_image, read_mask
from dataengine.ingest.video import sample
from tests.adapters.recordings import write_video
from tests.corpus import damage

# (width, height): what anybody refuses, what OpenCV would pay 5 GB for, and a strip
CLAIMS = [(60_000, 60_000), (30_000, 30_000), (2**20 - 1, 600)]


def jpeg(width: int, height: int, *, progressive: bool = False) -> bytes:
    """A JPEG of 64x64 that claims another size."""
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = bytearray(
        cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)])[1].tobytes()
    )
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    data[at + 5 : at + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(data)


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("kind", ["png", "jpeg", "progressive"])
def test_a_claimed_size_is_refused_in_a_line(tmp_path: Path, claim: tuple[int, int], kind: str):
    claim = claim if kind == "png" else (min(claim[0], 65_000), max(claim[1], 5_000))
    data = damage.png(4, 4, claim=claim) if kind == "png" else jpeg(*claim, progressive=kind != "jpeg")
    path = tmp_path / "image"
    path.write_bytes(data)
    for read in (read_image, read_mask):
        with pytest.raises(InputError, match=rf"claims {claim[0] * claim[1]:,} pixels, at most") as caught:
            read(path)
        assert str(path) in str(caught.value)


def test_true_sizes_are_read(tmp_path: Path):
    assert decode_image(damage.png(5, 3), "x").shape == (3, 5, 3)
    assert decode_image(jpeg(64, 64), "x").shape == (64, 64, 3)
    assert decode_image(jpeg(64, 64, progressive=True), "x").shape == (64, 64, 3)
    assert MAX_PIXELS >= 16_384 * 16_384  # what a panorama may have


MEASURE = """
import re, sys
from pathlib import Path
from dataengine.errors import InputError
from dataengine.images import read_image
from dataengine.ingest.video import sample
for name in sys.argv[1:]:
    try:
        read_image(Path(name)) if not name.endswith(".mp4") else list(sample(Path(name), 2.0))
    except InputError as error:
        print(error)
# getrusage() would answer with the peak of the process that started this one
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="tells a peak of memory on Linux alone")
def test_no_header_costs_gigabytes(tmp_path: Path):
    files = {"a.png": damage.png(4, 4, claim=(60_000, 60_000)), "a.jpg": jpeg(60_000, 60_000)}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    write_video(tmp_path / "a.mp4", 8)
    before = (tmp_path / "a.mp4").read_bytes()
    damage.huge_size(tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").read_bytes() != before
    names = [str(tmp_path / name) for name in (*files, "a.mp4")]
    done = subprocess.run([sys.executable, "-c", MEASURE, *names], capture_output=True, text=True, check=True)
    assert int(done.stdout.splitlines()[-1]) < 700, done.stdout  # MB


def test_the_size_in_a_video_s_container_does_not_decide(tmp_path: Path):
    path = tmp_path / "a.mp4"
    write_video(path, 8)
    damage.huge_size(path)
    shapes = set()
    with contextlib.suppress(InputError):
        shapes = {picture.bgr.shape for picture in sample(path, 2.0)}
    assert shapes <= {(48, 64, 3)}

"""10,000 empty files: listed, opened and told one by one, in seconds."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.corpus.outcomes import ingested
from tests.corpus.specimens import SPECIMENS

MANY = 10_000

# format -> where they lie, as media of the format or as strays
PLACES = {
    "camvid": "train/0016E5_{:05d}.png",
    "dashcam": "2024-05-02/{:06d}.mp4",
    "kitti": "training/image_2/{:06d}.png",
    "simulated": "strays/{:06d}.bin",
    "voc": "JPEGImages/x{:06d}.jpg",
    "comma2k19": "Chunk_1/{:06d}.npy",
}


QUICK = {"dashcam", "simulated"}
"""As media that are opened, and as strays; the others are marked ``slow``."""


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in PLACES]
)
def test_ten_thousand_empty_files(
    name: str, whole: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    root = Path(shutil.copytree(whole(name), tmp_path / "data"))
    made = {PLACES[name].format(number + 100) for number in range(MANY)}
    (root / min(made)).parent.mkdir(exist_ok=True)
    for path in made:
        (root / path).touch()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    began = time.monotonic()
    ended = ingested(SPECIMENS[name].config(name, root), tmp_path / "here")
    assert time.monotonic() - began < 60
    assert ended.error == ""
    assert made <= ended.reasons.keys()

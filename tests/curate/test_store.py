"""Embeddings on disk: nothing is embedded twice, whatever it is called."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from dataengine.curate import store as store_module
from dataengine.curate.embedder import Embedder
from dataengine.curate.store import Store
from dataengine.errors import InputError


class Counting:
    """Embeds a file by its size, and remembers which it was given."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, paths: Sequence[Path]) -> np.ndarray:
        self.seen.extend(path.name for path in paths)
        return np.array([[path.stat().st_size, 1.0] for path in paths], np.float32)

    def embedder(self, key: str = "counting", batch: int = 2) -> Embedder:
        return Embedder(name="counting", key=key, embed=self, batch=batch)


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "images" / f"{number}.jpg" for number in range(5)]
    for number, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * (number + 1))
    return paths


def test_each_content_is_embedded_once(tmp_path: Path, images):
    counting, store = Counting(), Store(tmp_path / "embeddings")
    twin = shutil.copy(images[1], images[0].with_name("twin.jpg"))
    done: list[int] = []
    found = store.embed([*images, twin], counting.embedder(), done.append)
    assert found.tolist() == [[1, 1], [2, 1], [3, 1], [4, 1], [5, 1], [2, 1]]
    assert sorted(counting.seen) == [path.name for path in images]
    assert sum(done) == 6
    again = Store(tmp_path / "embeddings").embed([twin, *images], counting.embedder())
    assert again.tolist() == [[2, 1], [1, 1], [2, 1], [3, 1], [4, 1], [5, 1]]
    assert len(counting.seen) == 5


def test_new_content_and_another_model_are_embedded(tmp_path: Path, images):
    counting, store = Counting(), Store(tmp_path / "embeddings")
    store.embed(images, counting.embedder())
    images[2].write_bytes(b"y" * 10)
    assert store.embed(images, counting.embedder())[2].tolist() == [10, 1]
    assert counting.seen[5:] == ["2.jpg"]
    store.embed(images, counting.embedder(key="other"))
    assert len(counting.seen) == 11
    assert {path.name for path in (tmp_path / "embeddings").iterdir()} == {
        "contents.parquet",
        "counting",
        "other",
    }


def test_unchanged_files_are_not_read_again(tmp_path: Path, images, monkeypatch):
    counting, store = Counting(), Store(tmp_path / "embeddings")
    store.embed(images, counting.embedder())
    read: list[Path] = []
    content = store_module._content
    monkeypatch.setattr(store_module, "_content", lambda path: read.append(path) or content(path))
    os.utime(images[3], ns=(1, 1))
    store.embed(images, counting.embedder())
    assert read == [images[3]]  # touched: read, found to be the same, not embedded
    assert len(counting.seen) == 5


def test_a_killed_run_loses_a_part_at_most(tmp_path: Path, images, monkeypatch):
    monkeypatch.setattr(store_module, "PART", 2)
    counting, store = Counting(), Store(tmp_path / "embeddings")

    def killed(paths: Sequence[Path]) -> np.ndarray:
        if len(counting.seen) >= 4:
            raise KeyboardInterrupt
        return counting(paths)

    with pytest.raises(KeyboardInterrupt):
        store.embed(images, Embedder(name="", key="counting", embed=killed, batch=2))
    found = store.embed(images, counting.embedder())
    assert counting.seen == ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg"]
    assert found[:, 0].tolist() == [1, 2, 3, 4, 5]


def test_a_missing_image_is_one_line(tmp_path: Path, images):
    images[1].unlink()
    with pytest.raises(InputError, match=r"1\.jpg: the image is gone .*; restore it, or ingest again"):
        Store(tmp_path / "embeddings").embed(images, Counting().embedder())

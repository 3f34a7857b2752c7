from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from dataengine.config import ModelConfig
from dataengine.errors import ModelError, WorkspaceError
from dataengine.files import sha256
from dataengine.learn import checkpoint
from dataengine.schema import Taxonomy

CARS = Taxonomy(classes=("car", "truck"))
TENSORS = {"b": torch.arange(6.0).reshape(2, 3), "a": torch.tensor(3)}
WRITE = """
import sys, torch
from pathlib import Path
from tests.learn.test_checkpoint import CARS, TENSORS
from dataengine.config import ModelConfig
from dataengine.learn import checkpoint
checkpoint.write_model(Path(sys.argv[1]), TENSORS, CARS, ModelConfig())
"""


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "m.safetensors"
    checkpoint.write_model(path, TENSORS, CARS, ModelConfig())
    tensors = checkpoint.read_model(path, CARS, ModelConfig())
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)


def test_the_same_content_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    digests = set()
    for number in range(2):
        path = tmp_path / f"{number}.safetensors"
        subprocess.run([sys.executable, "-c", WRITE, str(path)], check=True)
        digests.add(sha256(path))
    checkpoint.write_model(tmp_path / "own.safetensors", TENSORS, CARS, ModelConfig())
    assert digests == {sha256(tmp_path / "own.safetensors")}


def test_a_full_disk_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WorkspaceError, match="the disk is full"):
        checkpoint.write_model(tmp_path / "m.safetensors", TENSORS, CARS, ModelConfig())
    assert list(tmp_path.iterdir()) == []


def test_another_taxonomy_names_both(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    checkpoint.write_model(path, TENSORS, CARS, ModelConfig())
    with pytest.raises(ModelError, match=r"knows the classes car, truck; this workspace has cat, dog"):
        checkpoint.read_model(path, Taxonomy(classes=("cat", "dog")), ModelConfig())
    with pytest.raises(ModelError, match="car, truck; this workspace has truck, car"):
        checkpoint.read_model(path, Taxonomy(classes=("truck", "car")), ModelConfig())


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (ModelConfig(name="fcos"), "model.name=centre_fpn, not fcos"),
        (ModelConfig(width=64), "model.width=32, not 64"),
    ],
)
def test_another_architecture_says_what_to_set(tmp_path: Path, model: ModelConfig, message: str) -> None:
    path = tmp_path / "m.safetensors"
    checkpoint.write_model(path, TENSORS, CARS, ModelConfig(width=32))
    with pytest.raises(ModelError, match=message):
        checkpoint.read_model(path, CARS, model)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".PTH", ".ckpt", ".pkl", ".bin"])
def test_pickles_are_never_opened(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"m{suffix}"
    torch.save({"a": 1}, path)
    with pytest.raises(ModelError, match=r"may be a pickle.*safetensors"):
        checkpoint.read_model(path, CARS, ModelConfig())


def foreign(path: Path) -> None:
    save_file(TENSORS, path)


def other_format(path: Path) -> None:
    checkpoint.write(path, TENSORS, {"format_version": 99, "classes": ["car", "truck"]})


def unfinished(path: Path) -> None:
    checkpoint.write(path, TENSORS, {"step": 3})


def cut_short(path: Path) -> None:
    checkpoint.write_model(path, TENSORS, CARS, ModelConfig())
    path.write_bytes(path.read_bytes()[:-5])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.write_bytes(b""), "is damaged"),
        (lambda path: path.write_bytes(b"\x00" * 64), "is damaged"),
        (cut_short, "is damaged"),
        (foreign, "was not written by dataengine"),
        (other_format, "format version 99"),
        (unfinished, "no finished model"),
    ],
)
def test_unusable_files_are_one_clear_line(tmp_path: Path, make: object, message: str) -> None:
    path = tmp_path / "m.safetensors"
    make(path)  # type: ignore[operator]
    with pytest.raises(ModelError, match=message) as caught:
        checkpoint.read_model(path, CARS, ModelConfig())
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)

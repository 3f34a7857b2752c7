"""What an embedder is, and the one that needs no weights: a colour thumbnail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from dataengine.errors import InputError
from dataengine.executor import num_cores

R = TypeVar("R")

LUMA, CHROMA = (16, 12), (6, 4)
"""Width and height of a thumbnail's brightness and colour."""
_REDUCED = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}
_CHROMA_WEIGHT = 2.0
"""A cell of colour stands for eight of brightness."""


Embed = Callable[[Sequence[Path]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedder:
    """A model that embeds.

    Attributes:
        name: What it is, in words.
        key: Digest of its weights and of how images are prepared: another key, another embedding.
        embed: Image files to ``[B, D]`` float32.
        batch: Files handed over at once.
    """

    name: str
    key: str
    embed: Embed
    batch: int = 256


def thumbnail() -> Embedder:
    """A coarse picture in brightness and coarser in colour: no weights, and as fast as reading the files."""
    return Embedder(
        name="thumbnail",
        key=f"thumbnail-{LUMA[0]}x{LUMA[1]}-{CHROMA[0]}x{CHROMA[1]}",
        embed=lambda paths: np.stack(on_threads(_thumbnail, paths)),
    )


def decode(path: Path, least_side: int) -> NDArray[np.uint8]:
    """``[H, W, 3]`` BGR, decoded at an eighth to all of its size: both sides of ``least_side`` or more.

    Raises:
        InputError: The bytes are no image.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); restore it") from error
    shorter = min(_jpeg_size(data))
    flag = next(
        (flag for share, flag in _REDUCED.items() if shorter // share >= least_side), cv2.IMREAD_COLOR
    )
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flag) if data else None
    if decoded is None:
        raise InputError(f"{path}: not a readable image any more; restore it, or ingest again")
    return decoded  # type: ignore[return-value]


def on_threads(work: Callable[[Path], R], paths: Sequence[Path]) -> list[R]:
    """Work on files side by side; results in their order."""
    with ThreadPoolExecutor(num_cores()) as pool:  # decoding lets go of the interpreter's lock
        return list(pool.map(work, paths, chunksize=16))


def _thumbnail(path: Path) -> NDArray[np.float32]:
    small = cv2.resize(decode(path, 2 * LUMA[0]), (2 * LUMA[0], 2 * LUMA[1]), interpolation=cv2.INTER_AREA)
    colour = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_BGR2YCrCb)
    luma = cv2.resize(colour[..., 0], LUMA, interpolation=cv2.INTER_AREA)
    chroma = cv2.resize(colour[..., 1:], CHROMA, interpolation=cv2.INTER_AREA) - 0.5
    shapes = luma - luma.mean()  # what exposure adds everywhere would make all bright pictures alike
    return np.concatenate([shapes.ravel(), _CHROMA_WEIGHT * chroma.ravel()]).astype(np.float32)


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Height and width in the header of a JPEG; (0, 0) for anything else."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            return int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
        at += 2 + max(length, 2)
    return 0, 0

"""The perceptual hash beside its peer: the ``imagehash`` package, on one core, with equal bits."""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from dataengine.images import grey_levels
from dataengine.phash import perceptual_hash

imagehash = pytest.importorskip("imagehash", reason="pip install imagehash: the peer to compare with")

SHAPES = [(192, 320), (360, 480), (375, 1242), (720, 1280), (1080, 1920)]


@pytest.fixture(autouse=True)
def one_core():
    """BLAS is held to one thread by OMP_NUM_THREADS=1 outside; OpenCV here."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


def scene(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Smooth shapes with noise on top, ``[H, W, 3]`` RGB."""
    height, width = shape
    rng = np.random.default_rng(seed)
    rough = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    smooth = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.add(smooth, rng.integers(0, 9, smooth.shape, dtype=np.uint8))


def fastest(work: Callable[[], object], repeats: int = 60) -> float:
    """Seconds of the fastest of many runs: the one that nothing else disturbed."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def bits_of_imagehash(image: object) -> int:
    return int(str(imagehash.phash(image)), 16)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_hash_is_several_times_faster_than_imagehash(shape, record_property):
    """Both from grey levels, which ingest has already for sharpness; from RGB it is recorded alone."""
    from PIL import Image

    rgb = scene(shape)
    grey, picture = grey_levels(rgb), Image.fromarray(rgb)
    grey_picture = picture.convert("L")
    ours, theirs = fastest(lambda: perceptual_hash(grey)), fastest(lambda: imagehash.phash(grey_picture))
    ours_rgb = fastest(lambda: perceptual_hash(grey_levels(rgb)))
    theirs_rgb = fastest(lambda: imagehash.phash(picture))
    assert perceptual_hash(grey) == bits_of_imagehash(picture) == bits_of_imagehash(grey_picture)
    figures = {
        "ours_us": round(ours * 1e6),
        "imagehash_us": round(theirs * 1e6),
        "times": round(theirs / ours, 1),
        "times_from_rgb": round(theirs_rgb / ours_rgb, 1),
    }
    for name, value in figures.items():
        record_property(name, value)
    print(shape, figures)
    assert theirs / ours >= (4 if shape[0] >= 720 else 1.5), figures


def test_the_bits_are_those_of_imagehash_on_many_images():
    from PIL import Image

    rng = np.random.default_rng(1)
    for seed in range(300):
        # Pillow 13 reduces columns first where an image is tall or tiny: leave those out
        width = int(rng.integers(64, 700))
        rgb = scene((int(width * rng.uniform(0.3, 1.4)), width), seed)
        if seed % 3 == 0:
            rgb = rng.integers(0, 256, rgb.shape, dtype=np.uint8)
        assert perceptual_hash(grey_levels(rgb)) == bits_of_imagehash(Image.fromarray(rgb)), rgb.shape

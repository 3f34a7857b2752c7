"""Painted frames for the tests of learning: bright shapes on a noisy ground, one colour a class."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from dataengine.frameboxes import FrameBoxes
from dataengine.schema import Taxonomy

TAXONOMY = Taxonomy(classes=("red", "blue"))
COLOURS = ((220, 40, 40), (40, 60, 230))


def paint(
    folder: Path, number: int, *, seed: int = 0, width: int = 96, height: int = 64
) -> tuple[list[Path], FrameBoxes]:
    """Write ``number`` PNGs with 0 to 3 rectangles each and return their paths and labels."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    paths, counts, boxes, classes = [], [], [], []
    for frame in range(number):
        image = rng.integers(90, 130, (height, width, 3), dtype=np.uint8)
        count = int(rng.integers(0, 4))
        for _ in range(count):
            w, h = rng.integers(10, 26, 2)
            x, y = rng.integers(0, width - w), rng.integers(0, height - h)
            kind = int(rng.integers(0, 2))
            image[y : y + h, x : x + w] = COLOURS[kind]
            boxes.append((x, y, x + w, y + h))
            classes.append(kind)
        counts.append(count)
        path = folder / f"{frame:04d}.png"
        cv2.imwrite(str(path), image[:, :, ::-1])
        paths.append(path)
    ids = [f"clip/{frame:06d}" for frame in range(number)]
    return paths, FrameBoxes.build(ids, counts, boxes, classes)

"""Pictures on disk, and workspaces of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa

from dataengine import cards
from dataengine.images import measure
from dataengine.schema import CLIPS, FRAMES
from dataengine.workspace import Workspace

WIDTH, HEIGHT = 320, 192


def painted(seed: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A picture of its own: ``[H, W, 3]`` uint8, broad shapes, a few hundred small ones, and some noise."""
    rng = np.random.default_rng(seed)
    broad = cv2.resize(rng.integers(40, 200, (4, 5, 3)).astype(np.uint8), (width, height))
    for _ in range(250):
        at = (int(rng.integers(width)), int(rng.integers(height)))
        colour = tuple(int(value) for value in rng.integers(0, 255, 3))
        cv2.circle(broad, at, int(rng.integers(2, 12)), colour, -1)
    return np.clip(broad + rng.normal(0, 3, broad.shape), 0, 255).astype(np.uint8)


def store(path: Path, image: np.ndarray, quality: int = 92) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return path


def cropped(image: np.ndarray, share: float) -> np.ndarray:
    """Without a share of each border, back at the old size."""
    height, width = image.shape[:2]
    y, x = round(height * share), round(width * share)
    return cv2.resize(image[y : height - y, x : width - x], (width, height))


def workspace_of(
    root: Path, drives: Mapping[str, Sequence[np.ndarray]], hints: Mapping[str, str] | None = None
) -> Workspace:
    """Drive -> its pictures, one second apart, in one clip."""
    workspace = Workspace.create(root, cards.load("simulated"), None, "test")
    clips, frames = [], []
    for drive, images in drives.items():
        clips.append({"clip_id": drive, "drive_id": drive, "start_time_s": 0.0})
        for number, image in enumerate(images):
            name = f"media/{drive}/{number:06d}.jpg"
            store(root / name, image)
            measures = measure(np.ascontiguousarray(image[..., ::-1]))
            frames.append(
                {
                    "frame_id": f"{drive}/{number:06d}",
                    "clip_id": drive,
                    "drive_id": drive,
                    "time_s": float(number),
                    "media_root": "workspace",
                    "image_path": name,
                    "phash": measures.phash,
                    "sharpness": measures.sharpness,
                    "brightness": measures.brightness,
                    "plain_share": measures.plain_share,
                    "split_hint": (hints or {}).get(drive, ""),
                }
            )
    workspace.lake.append("clips", pa.Table.from_pylist(clips, CLIPS))
    workspace.lake.append("frames", pa.Table.from_pylist(frames, FRAMES))
    return workspace

"""Cityscapes written out: images of 64x48 with a car, a person behind it and a group of bicycles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dataengine.adapters.base import Recording
from dataengine.adapters.cityscapes.adapter import Cityscapes
from dataengine.adapters.labels import FrameLabels
from dataengine.config import DatasetConfig
from tests.adapters.accounts import settled
from tests.adapters.recordings import street, write_image

HEIGHT, WIDTH = 48, 64
OBJECTS: list[dict[str, Any]] = [
    {"label": "road", "polygon": [[0, 30], [63, 30], [63, 47], [0, 47]]},
    {"label": "person", "polygon": [[20, 10], [25, 10], [25, 40], [20, 40]]},
    {"label": "car", "polygon": [[10, 20], [29, 20], [29, 35], [10, 35]]},
    {"label": "license plate", "polygon": [[18, 30], [22, 30], [22, 32], [18, 32]]},
    {"label": "bicyclegroup", "polygon": [[50, 25], [59, 25], [59, 34], [50, 34]]},
    {"label": "car", "polygon": [[40, 5], [43, 5], [43, 8], [40, 8]], "deleted": 1},
    {"label": "car", "polygon": [[2, 2], [4, 2], [4, 4], [2, 4]]},
]
"""Later ones lie over earlier ones: of the person only its head, rows 10 to 19, and its feet, 36 to 40."""

BOXES = {
    "person": [20, 10, 26, 41],
    "car": [10, 20, 30, 36],
    "car 2": [2, 2, 5, 5],
    "bicycle": [50, 25, 60, 35],
}
"""What is visible: pixels at both ends of an outline belong to it, and the far edges are exclusive."""


def instance_ids() -> np.ndarray:
    """The instance image that belongs to ``OBJECTS``, filled in by hand."""
    ids = np.full((HEIGHT, WIDTH), 11, np.uint16)
    ids[30:48] = 7
    ids[10:41, 20:26] = 24000
    ids[20:36, 10:30] = 26000
    ids[25:35, 50:60] = 33
    ids[2:5, 2:5] = 26001
    return ids


def stem(sequence: int, frame: int, city: str = "aachen", split: str = "train") -> str:
    """Path below the type's folder, without what the type adds."""
    return f"{split}/{city}/{city}_{sequence:06d}_{frame:06d}"


def add_image(root: Path, where: str, kind: str = "leftImg8bit") -> Path:
    path = root / kind / f"{where}_leftImg8bit.png"
    write_image(path, street(int(where[-6:]) + int(where[-13:-7]), HEIGHT, WIDTH))
    return path


def add_ids(root: Path, where: str, ids: np.ndarray | None = None) -> Path:
    path = root / "gtFine" / f"{where}_gtFine_instanceIds.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    ids = instance_ids() if ids is None else ids
    path.write_bytes(cv2.imencode(".png", ids)[1].tobytes())
    labels = np.where(ids >= 1000, ids // 1000, ids).astype(np.uint8)
    write_image(path.with_name(path.name.replace("instanceIds", "labelIds")), labels)
    return path


def add_polygons(root: Path, where: str, **changes: Any) -> Path:
    path = root / "gtFine" / f"{where}_gtFine_polygons.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"imgHeight": HEIGHT, "imgWidth": WIDTH, "objects": OBJECTS} | changes))
    return path


def add_vehicle(root: Path, where: str, kind: str = "vehicle", **changes: Any) -> Path:
    path = root / kind / f"{where}_vehicle.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    value = {
        "gpsHeading": 281.0,
        "gpsLatitude": 50.78,
        "gpsLongitude": 6.07,
        "outsideTemperature": 17.5,
        "speed": 10.0,
        "yawRate": 0.02,
    }
    path.write_text(json.dumps(value | changes))
    return path


def write_frame(root: Path, where: str) -> None:
    """An image with instance ids."""
    add_image(root, where)
    add_ids(root, where)


SIZE = (HEIGHT, WIDTH)
ONE = stem(0, 19)
CLIP = "aachen_000000_000000"
"""The clip that frame 19 is of: it begins at frame 0, there or not."""

Outcomes = dict[str, tuple[str, str]]


def opened(root: Path, **settings: Any) -> tuple[Cityscapes, dict[str, Recording], Outcomes]:
    """The adapter, its clips and its outcomes, after a look that each file appears once."""
    adapter = Cityscapes(root, DatasetConfig(name="cityscapes", **settings))
    return adapter, *settled(adapter)


def read_one(root: Path, **settings: Any) -> FrameLabels:
    """The labels of frame 19."""
    adapter, clips, _ = opened(root, **settings)
    reader = adapter.labels(clips[CLIP])
    assert reader is not None
    labels = reader(19, SIZE)
    assert labels is not None
    return labels

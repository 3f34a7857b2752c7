"""Objects of Cityscapes' fine annotations: from instance ids, or from the polygons these are drawn from.

An instance image holds the label's id, or, for one object of a class that has objects, 1000 times that
id plus a number. A group that nobody could tell apart keeps the plain id. (mcordts/cityscapesScripts:
helpers/labels.py, preparation/json2instanceImg.py.)
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dataengine.adapters.base import BrokenFileError
from dataengine.adapters.labels import FrameLabels
from dataengine.adapters.masks import components

_THINGS = ("person", "rider", "car", "truck", "bus", "caravan", "trailer", "train", "motorcycle", "bicycle")
THINGS = dict(enumerate(_THINGS, 24))
"""Ids of the classes whose objects are told apart."""

_SCENERY = (
    *("unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic", "ground"),
    *("road", "sidewalk", "parking", "rail track", "building", "wall", "fence", "guard rail", "bridge"),
    *("tunnel", "pole", "polegroup", "traffic light", "traffic sign", "vegetation", "terrain", "sky"),
)
_IDS = {name: number for number, name in enumerate((*_SCENERY, *_THINGS))}
_NOT_PAINTED = "license plate"
"""Outlined on top of a car, and part of it: instance images do not show it either."""
_PER_CLASS = 1000

Instances = NDArray[np.int32]


def read_instance_ids(root: Path, name: str, size: tuple[int, int]) -> Instances:
    """``[H, W]`` of an ``_instanceIds.png``.

    Args:
        root: The dataset's root.
        name: The file's path below it.
        size: Height and width of the image that it labels.

    Raises:
        BrokenFileError: The file cannot be read, is cut short, of another size, or no grey PNG of 16 bits.
    """
    data = _read(root, name)
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or len(data) < 26:
        raise BrokenFileError(name, f"{'no PNG' if data else 'empty file'}; fetch it again")
    # decided by the header, before anything of the size that it claims is allocated
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    if data[24:26] != b"\x10\x00":
        raise BrokenFileError(
            name, "instance ids are a grey PNG of 16 bits, and this is none; fetch it again"
        )
    if (height, width) != size:
        sizes = f"{width}x{height} for an image of {size[1]}x{size[0]}"
        raise BrokenFileError(name, f"instance ids of {sizes}")
    if data.rfind(b"IEND") < len(data) // 2:
        raise BrokenFileError(name, f"cut short after {len(data)} bytes; fetch it again")
    try:
        ids = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise BrokenFileError(name, f"not a readable image ({error.err}); fetch it again") from error
    if ids is None or ids.dtype != np.uint16 or ids.shape != size:
        raise BrokenFileError(name, "not a readable image; fetch it again")
    return ids.astype(np.int32)


def paint_polygons(root: Path, name: str, size: tuple[int, int]) -> Instances:
    """``[H, W]`` instance ids drawn from a ``_gtFine_polygons.json``; later polygons lie over earlier ones.

    OpenCV draws the outlines, where the publisher's script has Pillow draw them: a box may differ by a pixel.

    Raises:
        BrokenFileError: The file cannot be read, is for an image of another size, or names an unknown label.
    """
    try:
        value = json.loads(_read(root, name).decode("utf-8"))
        listed = (int(value["imgHeight"]), int(value["imgWidth"]))
        shapes = [_shape(item, size) for item in value["objects"] if not item.get("deleted")]
    except RecursionError as error:
        raise BrokenFileError(name, "nested too deeply; fetch it again") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, IndexError) as error:
        raise BrokenFileError(name, f"not readable polygons ({error!r}); fetch it again") from error
    if listed != size:
        raise BrokenFileError(name, f"polygons for {listed[1]}x{listed[0]}, the image is {size[1]}x{size[0]}")
    ids = np.zeros(size, np.int32)
    seen: Counter[int] = Counter()
    for label, is_group, outline in shapes:
        number = label
        if label in THINGS and not is_group:
            number = label * _PER_CLASS + seen[label]
            seen[label] += 1
        if len(outline):
            cv2.fillPoly(ids, [outline], number)
    return ids


def objects(ids: Instances, name: str, min_box_area: float) -> FrameLabels:
    """A box that tightly holds the visible pixels of each object, and an ignore region for each group.

    Args:
        ids: ``[H, W]`` instance ids.
        name: Their file, for messages.
        min_box_area: Boxes smaller than this many square pixels become ignore regions.

    Raises:
        BrokenFileError: An id is of no class that has objects.
    """
    rows, columns = np.nonzero(ids >= _PER_CLASS)
    values = ids[rows, columns]
    order = np.argsort(values, kind="stable")
    rows, columns, values = rows[order], columns[order], values[order]
    starts = np.flatnonzero(np.diff(values, prepend=-1))
    found = values[starts]
    unknown = [value for value in found.tolist() if value // _PER_CLASS not in THINGS]
    if unknown:
        raise BrokenFileError(
            name, f"instance id {unknown[0]} is of no class that has objects; fetch it again"
        )
    left, top = (np.minimum.reduceat(line, starts) for line in (columns, rows))
    right, bottom = (np.maximum.reduceat(line, starts) + 1 for line in (columns, rows))
    xyxy = np.stack([left, top, right, bottom], 1)
    groups = components(np.where(ids < 256, ids, 0).astype(np.uint8), THINGS, np.inf)
    area = (xyxy[:, 2:] - xyxy[:, :2]).prod(1)
    number = len(xyxy) + len(groups.names)
    return FrameLabels(
        xyxy=np.concatenate([xyxy.astype(np.float32), groups.xyxy]),
        names=(*(THINGS[value // _PER_CLASS] for value in found.tolist()), *groups.names),
        ignore=np.concatenate([area < min_box_area, groups.ignore]),
        visibility=np.full(number, np.nan, np.float32),
        track_id=np.full(number, -1, np.int32),
    )


def _read(root: Path, name: str) -> bytes:
    try:
        return (root / name).read_bytes()
    except OSError as error:
        raise BrokenFileError(name, f"cannot be read ({error.strerror})") from error


def _shape(item: dict[str, Any], size: tuple[int, int]) -> tuple[int, bool, NDArray[np.int32]]:
    """Label id, whether it is a group, and the outline ``[N, 2]`` of one polygon."""
    label = item["label"]
    points = np.array(item["polygon"], np.float64).reshape(-1, 2)
    if not np.isfinite(points).all():
        raise ValueError("a corner that is not a number")
    if label == _NOT_PAINTED:
        return 0, True, np.zeros((0, 2), np.int32)
    is_group = label not in _IDS
    number = _IDS[label.removesuffix("group") if is_group else label]
    bounds = np.array([size[1], size[0]], np.float64)
    return number, is_group, np.clip(np.round(points), -bounds, 2 * bounds).astype(np.int32)

"""Labels of one frame as a dataset wrote them, checked and translated into the workspace's classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataengine.errors import ConfigError, InputError
from dataengine.schema import IGNORE, Taxonomy


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameLabels:
    """The boxes of one frame in the dataset's own class names.

    Attributes:
        xyxy: ``[B, 4]`` float32, pixels of the stored image.
        names: ``B`` class names.
        ignore: ``[B]`` bool, true for regions that are neither object nor background.
        visibility: ``[B]`` float32 in 0..1, NaN where unknown.
        track_id: ``[B]`` int32, -1 where there is no track.
    """

    xyxy: NDArray[np.float32]
    names: tuple[str, ...]
    ignore: NDArray[np.bool_]
    visibility: NDArray[np.float32]
    track_id: NDArray[np.int32]


def check(labels: FrameLabels, size: tuple[int, int]) -> FrameLabels:
    """The labels with boxes cut to the image; one impossible box condemns the frame.

    A frame with one box too few would teach that the object is background, so the whole frame is
    refused rather than the box.

    Args:
        labels: As read.
        size: Height and width of the image in pixels.

    Raises:
        InputError: A coordinate is NaN or infinite, a box is inverted, empty or outside of the image.
    """
    height, width = size
    for number, box in enumerate(labels.xyxy):
        shown = f"box {number} ({labels.names[number]}) [{', '.join(f'{value:g}' for value in box)}]"
        if not np.isfinite(box).all():
            raise InputError(f"{shown} has a coordinate that is not a number")
        x1, y1, x2, y2 = box
        if x2 <= x1 or y2 <= y1:
            raise InputError(f"{shown} is inverted or empty: x2 > x1 and y2 > y1 are needed")
        if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
            raise InputError(f"{shown} lies outside of the image of {width}x{height}")
    bounds = np.array([width, height, width, height], np.float32)
    return FrameLabels(
        xyxy=np.clip(labels.xyxy, 0, bounds).astype(np.float32),
        names=labels.names,
        ignore=labels.ignore,
        visibility=labels.visibility,
        track_id=labels.track_id,
    )


def class_ids(
    labels: FrameLabels, taxonomy: Taxonomy, where: str
) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """``[B]`` class ids and ``[B]`` ignore flags; a name mapped to ``ignore`` gets class 0, ignored.

    Raises:
        ConfigError: A name is in no class map; the message holds the line to add.
    """
    ids = np.zeros(len(labels.names), np.int16)
    ignore = labels.ignore.copy()
    for number, name in enumerate(labels.names):
        target = target_class(name, taxonomy, where)
        if target == IGNORE:
            ignore[number] = True
        else:
            ids[number] = taxonomy.index(target)
    return ids, ignore


def target_class(name: str, taxonomy: Taxonomy, where: str) -> str:
    """The workspace's class of a dataset's own class name, or ``ignore``."""
    target = taxonomy.class_map.get(name, name if name in taxonomy.classes else None)
    if target is None:
        raise ConfigError(
            f'{where}: class "{name}" is in no class map; add `"{name}" = "{IGNORE}"` (or one of '
            f"{', '.join(taxonomy.classes)}) under [taxonomy.class_map] of the dataset's card"
        )
    return target

"""Labels of one frame as a dataset wrote them, checked and translated into the workspace's classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataengine.cards import Card
from dataengine.errors import ConfigError, InputError
from dataengine.schema import IGNORE


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
    x1, y1, x2, y2 = labels.xyxy.T
    faults = {
        "has a coordinate that is not a number": ~np.isfinite(labels.xyxy).all(1),
        "is inverted or empty: x2 > x1 and y2 > y1 are needed": (x2 <= x1) | (y2 <= y1),
        f"lies outside of the image of {width}x{height}": (x2 <= 0)
        | (y2 <= 0)
        | (x1 >= width)
        | (y1 >= height),
    }
    for fault, found in faults.items():
        if found.any():
            number = int(found.argmax())
            shown = ", ".join(f"{value:g}" for value in labels.xyxy[number])
            raise InputError(f"box {number} ({labels.names[number]}) [{shown}] {fault}")
    bounds = np.array([width, height, width, height], np.float32)
    return FrameLabels(
        xyxy=np.clip(labels.xyxy, 0, bounds).astype(np.float32),
        names=labels.names,
        ignore=labels.ignore,
        visibility=labels.visibility,
        track_id=labels.track_id,
    )


def class_ids(labels: FrameLabels, card: Card, where: str) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """``[B]`` class ids and ``[B]`` ignore flags; a name mapped to ``ignore`` gets class 0, ignored.

    Args:
        labels: Boxes with the dataset's own names.
        card: The dataset's card: classes and class map.
        where: The file that the labels come from, for the message.

    Raises:
        ConfigError: A name is in no class map; the message holds the line to add.
    """
    targets = {name: target_class(name, card, where) for name in dict.fromkeys(labels.names)}
    number = {
        name: 0 if target == IGNORE else card.taxonomy.index(target) for name, target in targets.items()
    }
    ids = np.array([number[name] for name in labels.names], np.int16)
    ignored = np.array([targets[name] == IGNORE for name in labels.names], np.bool_)
    return ids, labels.ignore | ignored


def target_class(name: str, card: Card, where: str) -> str:
    """The workspace's class of a dataset's own class name, or ``ignore``."""
    classes = card.taxonomy.classes
    target = card.taxonomy.class_map.get(name, name if name in classes else None)
    if target is None:
        raise ConfigError(
            f'{where}: class "{name}" is in no class map; add `"{name}" = "{IGNORE}"` (or one of '
            f"{', '.join(classes)}) under [taxonomy.class_map] in datasets/{card.name}.toml"
        )
    return target

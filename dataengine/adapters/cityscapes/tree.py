"""The file names of Cityscapes: ``<type>/<split>/<city>/<city>_<sequence>_<frame>_<kind>``."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NamedTuple

from dataengine.workspace import Outcome

IMAGES, SEQUENCES, FINE = "leftImg8bit", "leftImg8bit_sequence", "gtFine"
_VEHICLE = ("vehicle", "vehicle_sequence")
_NAME = re.compile(r"(?P<city>.+)_(?P<sequence>\d{6})_(?P<frame>\d{6})_(?P<kind>\w+\.\w+)")
_KINDS = {IMAGES: "leftImg8bit.png", SEQUENCES: "leftImg8bit.png", **dict.fromkeys(_VEHICLE, "vehicle.json")}
INSTANCES, POLYGONS, MASK = (
    f"gtFine_{kind}" for kind in ("instanceIds.png", "polygons.json", "labelIds.png")
)

_UNREAD = {
    "gtCoarse": "coarse outlines tell no objects apart reliably",
    "rightImg8bit": "the left camera's images are read",
    "rightImg8bit_sequence": "the left camera's images are read",
    "timestamp": "frames are numbered at 17 a second",
    "timestamp_sequence": "frames are numbered at 17 a second",
    **dict.fromkeys(("disparity", "disparity_sequence", "camera"), "not needed"),
}


class Key(NamedTuple):
    """Which image: files of several types share it."""

    split: str
    city: str
    sequence: int
    frame: int

    def path(self, kind: str, suffix: str) -> str:
        """Where the file of one type is published."""
        stem = f"{self.city}_{self.sequence:06d}_{self.frame:06d}"
        return f"{kind}/{self.split}/{self.city}/{stem}_{suffix}"


@dataclass(slots=True)
class Tree:
    """Every file of a dataset by what it belongs to.

    Attributes:
        images: Image of each key; that beside the labels where it is in the sequences too.
        labels: Files of fine annotations of each key, by kind.
        vehicle: Vehicle data of each key.
        strays: Outcomes of files that belong to nothing.
        annotated: Splits of which some image has fine annotations.
    """

    images: dict[Key, str] = field(default_factory=dict)
    labels: dict[Key, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    vehicle: dict[Key, str] = field(default_factory=dict)
    strays: list[Outcome] = field(default_factory=list)
    annotated: set[str] = field(default_factory=set)


def read_tree(files: Iterable[str]) -> Tree:
    """Sort files, in the order of ``base.files_under``, by what their paths say."""
    tree = Tree()
    for name in files:
        reason = _place(tree, name)
        if reason:
            tree.strays.append(Outcome(path=name, status="unused", reason=reason))
    return tree


def _place(tree: Tree, name: str) -> str:
    """Put one file where it belongs; returns why it belongs nowhere, or nothing."""
    parts = PurePosixPath(name).parts
    kind = parts[0]
    if kind in _UNREAD:
        return _UNREAD[kind]
    match = _NAME.fullmatch(parts[-1])
    if len(parts) != 4 or match is None or match["city"] != parts[2] or kind not in {*_KINDS, FINE}:
        return "no part of Cityscapes' layout"
    key = Key(parts[1], match["city"], int(match["sequence"]), int(match["frame"]))
    if kind == FINE:
        if key.split == "test":
            return "the publisher withholds the labels of test: this is a dummy"
        tree.labels[key][match["kind"]] = name
        tree.annotated.add(key.split)
        return ""
    if match["kind"] != _KINDS[kind]:
        return "no part of Cityscapes' layout"
    known = tree.images if kind in {IMAGES, SEQUENCES} else tree.vehicle
    first = known.setdefault(key, name)
    return "" if first == name else f"the same as {first}"

"""YOLO: one text file for each image, a line ``class x y width height`` for each box, relative to its size.

``images/`` beside ``labels/`` with a YAML file of names and splits (YOLOv5 and later), or image and text
file in one folder with ``obj.names`` (YOLOv4). An image without a text file was not labelled; an empty
text file says that there is no object. A line of a polygon or a rotated box becomes the box around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import yaml

from dataengine.adapters.base import BrokenFileError
from dataengine.adapters.exchange.base import Exchange, Listing
from dataengine.adapters.exchange.layout import (
    IMAGE_SUFFIXES,
    Entry,
    Lookup,
    expected_image,
    pairs,
    suffix,
)
from dataengine.adapters.exchange.reading import DAMAGE, damage_of, frame_labels, read_lines, reader, told
from dataengine.adapters.labels import FrameLabels
from dataengine.errors import InputError
from dataengine.quarantine import Outcome
from dataengine.schema import POOL, TEST, VAL

SPLITS = {"train": POOL, "val": VAL, "valid": VAL, "test": TEST}
NAME_LISTS = ("obj.names", "classes.txt", "labels.txt")
_LISTS = frozenset({f"{name}.txt" for name in (*SPLITS, "images")})

_SLACK = 0.01
"""Relative coordinates may leave 0..1 by this much: rounding; ``labels.check`` cuts the boxes."""


@dataclass(slots=True)
class About:
    """What the files of names and splits say.

    Attributes:
        names: Class index -> name.
        splits: Split -> folders and lists of images.
        outcomes: Of the files themselves.
    """

    names: dict[int, str] = field(default_factory=dict)
    splits: dict[str, list[str]] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)


class Yolo(Exchange):
    """YOLO detection labels."""

    def class_names(self) -> Iterator[str]:
        """Names in the order of their indices; none where no file tells them."""
        yield from (name for _, name in sorted(self.names.items()))

    def __getstate__(self) -> dict[str, Any]:
        """Cross to a worker with the names."""
        return {**super().__getstate__(), "names": self.names}

    @cached_property
    def names(self) -> dict[int, str]:
        """Class index -> name."""
        return self._about.names

    def listing(self, files: list[str]) -> Listing:
        """Images by pair, text files without an image, files of names and splits."""
        images = [name for name in files if suffix(name) in IMAGE_SUFFIXES]
        told_by = {outcome.path for outcome in self._about.outcomes}
        texts = [name for name in files if suffix(name) == ".txt" and name not in told_by]
        matched = pairs(images, (name for name in texts if PurePosixPath(name).name not in _LISTS))
        if not any(labels for _, labels in matched.pairs):
            raise InputError(
                f"dataset.root={self.root} holds no YOLO labels: looked for images with a .txt file of the "
                "same name, in labels/ next to images/ or beside them"
            )
        splits, lists = self._splits(images)
        listing = Listing(
            outcomes=[*self._about.outcomes, *lists, *matched.outcomes],
            why_unused=lambda _: "no image, no labels, and no list that the YAML file names",
        )
        for image, labels in matched.pairs:
            listing.entries.append(Entry(image=image, labels=labels, split=splits.get(image, "")))
        folders = {str(PurePosixPath(labels).parent) for _, labels in matched.pairs if labels}
        for name in matched.without_image:
            if str(PurePosixPath(name).parent) in folders and name not in {item.path for item in lists}:
                image = expected_image(name, images)
                reason = f"its image is missing, for instance {image}"
                listing.outcomes.append(Outcome(path=name, status="unused", reason=reason))
                listing.outcomes.append(Outcome(path=image, status="missing", reason=f"{name} labels it"))
        return listing

    def read_labels(self, name: str, size: tuple[int, int]) -> FrameLabels:
        """Boxes of one text file."""
        yolo = reader("fiftyone.utils.yolo")
        height, width = size
        with damage_of(name):
            self._refuse_tracks(name)
            # a dictionary, because a negative index would count from the end of a list
            found = yolo.load_yolo_annotations(str(self.root / name), self.names).detections
            boxes = np.asarray([item.bounding_box for item in found], np.float64).reshape(len(found), 4)
            self._check_relative(name, boxes)
            boxes[:, 2:] += boxes[:, :2]
            return frame_labels(boxes * [width, height, width, height], [str(item.label) for item in found])

    def _refuse_tracks(self, name: str) -> None:
        """A line of seven values that ends in a whole number is a tracked box, not a triangle."""
        for number, line in enumerate((self.root / name).read_text(encoding="utf-8").splitlines(), 1):
            values = line.split()
            if len(values) == 7 and values[6].isdigit() and int(values[6]) > 1:
                reason = f"line {number} ends in a track id, which FiftyOne takes for a corner; remove it"
                raise BrokenFileError(name, reason)

    @staticmethod
    def _check_relative(name: str, boxes: np.ndarray[Any, np.dtype[np.float64]]) -> None:
        with np.errstate(invalid="ignore", over="ignore"):  # the check of every dataset tells it
            centres = boxes[:, :2] + boxes[:, 2:] / 2
        values = np.concatenate([centres, boxes[:, 2:]], 1)
        off = ((values < -_SLACK) | (values > 1 + _SLACK)).any(1)
        if off.any():
            number = int(off.argmax())
            shown = ", ".join(f"{value:g}" for value in values[number])
            raise BrokenFileError(name, f"box {number} [{shown}] is not relative to the image's size (0..1)")

    @cached_property
    def _about(self) -> About:
        about = About()
        for name in self.files:
            pure = PurePosixPath(name)
            try:
                if suffix(name) in (".yaml", ".yml") and len(pure.parts) <= 2:
                    self._read_yaml(name, about)
                elif not about.names and (pure.name in NAME_LISTS or suffix(name) == ".names"):
                    about.names = dict(enumerate(read_lines(self.root, name)))
                    about.outcomes.append(Outcome(path=name, status="added"))
            except (*DAMAGE, yaml.YAMLError) as error:
                about.outcomes.append(
                    Outcome(path=name, status="broken", reason=f"not readable ({told(error)})")
                )
        return about

    def _read_yaml(self, name: str, about: About) -> None:
        value = yaml.safe_load((self.root / name).read_text(encoding="utf-8"))
        if not isinstance(value, Mapping) or "names" not in value:
            about.outcomes.append(Outcome(path=name, status="unused", reason="names no classes"))
            return
        names = value["names"]
        pairs_of_names = names.items() if isinstance(names, Mapping) else enumerate(names)
        about.names = {int(index): _name(label) for index, label in pairs_of_names}
        for key, split in SPLITS.items():
            given = value.get(key)
            paths = given if isinstance(given, list) else [given]
            about.splits.setdefault(split, []).extend(path for path in paths if isinstance(path, str))
        about.outcomes.append(Outcome(path=name, status="added"))

    def _splits(self, images: list[str]) -> tuple[dict[str, str], list[Outcome]]:
        """The publisher's split of images, by folders and by lists of images."""
        found: dict[str, str] = {}
        outcomes: dict[str, Outcome] = {}
        lookup, lists = Lookup(images), Lookup(name for name in self.files if suffix(name) == ".txt")
        for split, paths in self._about.splits.items():
            for path in paths:
                if suffix(path) != ".txt":
                    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
                    folder = f"/{'/'.join(parts)}/"
                    found |= {image: split for image in images if parts and folder in f"/{image}"}
                elif (name := lists.find(path)) is not None:
                    try:
                        listed = map(lookup.find, read_lines(self.root, name))
                        found |= {image: split for image in listed if image is not None}
                        outcomes[name] = Outcome(path=name, status="added")
                    except BrokenFileError as error:
                        outcomes[name] = Outcome(path=name, status="broken", reason=error.reason)
        return found, list(outcomes.values())


def _name(label: object) -> str:
    """A class name of a YAML file, which may hold anything, structures that grow without end included."""
    if not isinstance(label, str | int | float):
        raise TypeError("a class name is no text")
    return str(label)

"""Pascal VOC: one XML file for each image.

``Annotations/x.xml`` beside ``JPEGImages/x.jpg``, the same names in one folder, or FiftyOne's
``labels/`` beside ``data/``; ``ImageSets/Main/{train,val,test}.txt`` where a publisher splits. Objects
marked ``difficult`` are ignore regions, as the benchmark leaves them out.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from dataengine.adapters.base import BrokenFileError
from dataengine.adapters.exchange.base import Exchange, Listing
from dataengine.adapters.exchange.layout import IMAGE_SUFFIXES, Entry, expected_image, pairs, suffix
from dataengine.adapters.exchange.reading import (
    as_list,
    check_size,
    damage_of,
    frame_labels,
    read_lines,
    read_xml,
    reader,
    seen,
)
from dataengine.adapters.labels import FrameLabels
from dataengine.config import DatasetConfig
from dataengine.errors import ConfigError, InputError
from dataengine.quarantine import Outcome
from dataengine.schema import POOL, TEST, VAL

SPLITS = {"train": POOL, "val": VAL, "test": TEST}
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


class Voc(Exchange):
    """Pascal VOC.

    Args:
        root: Folder of images and XML files, in any of the usual layouts.
        config: ``fields.first_pixel`` is the coordinate of the first pixel: 0 (the default: corners are
            edges, as FiftyOne and most of today's tools write them) or 1 (the challenge's own: pixels
            counted from 1, the last one included).
    """

    options = ("first_pixel",)

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        super().__init__(root, config)
        first = self.fields.options.get("first_pixel", "0")
        if first not in ("0", "1"):
            raise ConfigError(f"dataset.fields.first_pixel={first} must be 0 or 1")
        self.shift = int(first)

    def class_names(self) -> Iterator[str]:
        """Names of objects in every XML file; damaged ones are left to ingest."""
        names: set[str] = set()
        for name in self.files:
            if suffix(name) == ".xml":
                try:
                    names |= {str(tag.text) for tag in ET.parse(self.root / name).findall("object/name")}
                except (ET.ParseError, OSError, ValueError, RecursionError):
                    continue
        yield from sorted(names)

    def listing(self, files: list[str]) -> Listing:
        """Images by pair, XML files without an image, lists of splits."""
        images = [name for name in files if suffix(name) in IMAGE_SUFFIXES]
        tables = [name for name in files if suffix(name) == ".xml"]
        if not images or not tables:
            raise InputError(
                f"dataset.root={self.root} holds no Pascal VOC: looked for images with an .xml file of the "
                "same name, beside them or in Annotations/ next to JPEGImages/"
            )
        splits, outcomes = self._splits(files)
        matched = pairs(images, tables)
        listing = Listing(
            outcomes=outcomes + matched.outcomes, why_unused=lambda _: "no image, and no XML file"
        )
        for image, table in matched.pairs:
            split = splits.get(PurePosixPath(image).stem, "")
            listing.entries.append(Entry(image=image, labels=table, split=split))
        for name in matched.without_image:
            listing.outcomes += self._without_image(name, images)
        return listing

    def read_labels(self, name: str, size: tuple[int, int]) -> FrameLabels:
        """Boxes of one XML file."""
        voc = reader("fiftyone.utils.voc")
        value = read_xml(self.root, name)
        with damage_of(name):
            annotation = voc.VOCAnnotation.from_dict(value)
            # FiftyOne cuts coordinates to whole pixels, so they are taken from what it read
            found = [raw["bndbox"] for raw in as_list(value["annotation"].get("object"))]
            boxes = [[float(box[corner]) for corner in _CORNERS] for box in found]
            objects = annotation.objects
            labels = frame_labels(
                [[x1 - self.shift, y1 - self.shift, x2, y2] for x1, y1, x2, y2 in boxes],
                [str(item.name) for item in objects],
                ignore=[_flag(item.attributes.get("difficult")) for item in objects],
                visibility=[seen(item.attributes.get("occluded")) for item in objects],
            )
            meta = annotation.metadata
            labelled = None if meta is None else (int(meta.width or 0), int(meta.height or 0))
        try:
            check_size(labelled, size)
        except InputError as error:
            raise BrokenFileError(name, str(error)) from error
        return labels

    def _splits(self, files: list[str]) -> tuple[dict[str, str], list[Outcome]]:
        splits: dict[str, str] = {}
        outcomes = []
        for name in files:
            parts = PurePosixPath(name)
            if parts.parts[-3:-1] != ("ImageSets", "Main") or suffix(name) != ".txt":
                continue
            if parts.stem not in SPLITS:
                reason = "no list of train, val or test images"
                outcomes.append(Outcome(path=name, status="unused", reason=reason))
                continue
            try:
                splits |= dict.fromkeys(read_lines(self.root, name), SPLITS[parts.stem])
                outcomes.append(Outcome(path=name, status="added"))
            except BrokenFileError as error:
                outcomes.append(Outcome(path=name, status="broken", reason=error.reason))
        return splits, outcomes

    def _without_image(self, name: str, images: list[str]) -> Iterator[Outcome]:
        if not self._is_annotation(name):
            yield Outcome(path=name, status="unused", reason="an XML file of no image")
            return
        image = expected_image(name, images)
        yield Outcome(path=name, status="unused", reason=f"its image is missing, for instance {image}")
        yield Outcome(path=image, status="missing", reason=f"{name} labels it")

    def _is_annotation(self, name: str) -> bool:
        try:
            with (self.root / name).open("rb") as file:
                return b"<annotation" in file.read(4096)
        except OSError:
            return False


def _flag(value: Any) -> bool:
    return value is True or value == 1

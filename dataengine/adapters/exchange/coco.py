"""COCO: JSON files with the labels of all images.

``labels.json`` beside ``data/`` (FiftyOne), ``annotations/instances_<split>.json`` beside folders of images
(the benchmark), or any JSON file of that form. A crowd is an ignore region. Category ids need not be
dense; a box of an id that no category has goes by the id's digits as its class name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from dataengine.adapters.base import BrokenFileError
from dataengine.adapters.exchange.base import Exchange, Listing
from dataengine.adapters.exchange.layout import IMAGE_SUFFIXES, Entry, Lookup, natural, suffix
from dataengine.adapters.exchange.reading import DAMAGE, damage_of, frame_labels, reader, seen, told
from dataengine.adapters.labels import FrameLabels
from dataengine.errors import InputError
from dataengine.quarantine import Outcome
from dataengine.schema import POOL, TEST, VAL

_SPLIT_NAMES = {"train": POOL, "val": VAL, "valid": VAL, "validation": VAL, "test": TEST}
_EXTRAS = ["ignore", "occluded", "track_id"]


@dataclass(frozen=True, slots=True)
class Table:
    """One JSON file, parsed by FiftyOne.

    Attributes:
        classes: Category id -> name.
        images: Image id -> what the file says of it.
        objects: Image id -> its objects; ``None`` for a file without annotations.
    """

    classes: dict[Any, str]
    images: dict[Any, dict[str, Any]]
    objects: dict[Any, list[Any]] | None


class Coco(Exchange):
    """COCO detection labels; ``fields.labels`` names the JSON files, separated by commas."""

    options = ("labels",)

    def class_names(self) -> Iterator[str]:
        """The categories' names, in the order of their ids."""
        for table in self._tables[0].values():
            yield from (
                table.classes[key] for key in sorted(table.classes, key=lambda key: natural(str(key)))
            )

    def listing(self, files: list[str]) -> Listing:
        """Images that the JSON files list, those that none lists, and what became of each JSON file."""
        tables, outcomes = self._tables
        if not tables:
            reasons = "; ".join(f"{outcome.path}: {outcome.reason}" for outcome in outcomes[:1])
            raise InputError(
                f"dataset.root={self.root} holds no COCO labels ({reasons or 'no JSON file'}); looked for "
                "labels.json, annotations/*.json and *.json, or give dataset.fields.labels=FILE"
            )
        images = [name for name in files if suffix(name) in IMAGE_SUFFIXES]
        listing = Listing(outcomes=list(outcomes), why_unused=lambda _: "neither an image nor a COCO file")
        lookup, taken = Lookup(images), set[str]()
        for name, table in tables.items():
            self._list(name, table, lookup, taken, listing)
        listing.entries += [Entry(image=image) for image in images if image not in taken]
        return listing

    def inline(self, entry: Entry) -> tuple[FrameLabels | None, tuple[int, int] | None]:
        """Boxes of one image; ``None`` where its file has no annotations at all."""
        name, image_id = entry.key
        table = self._tables[0][name]
        if table.objects is None:
            return None, None
        try:
            about = table.images[image_id]
            size = (int(about.get("width") or 0), int(about.get("height") or 0))
            return _labels(table, table.objects.get(image_id, [])), size
        except DAMAGE as error:
            raise InputError(f"its labels in {name} are damaged ({told(error)})") from error

    @cached_property
    def _tables(self) -> tuple[dict[str, Table], list[Outcome]]:
        """Every file of labels, parsed, and the outcome of each JSON file that is none."""
        wanted = self.named_files()
        names = wanted or [name for name in self.files if suffix(name) == ".json"]
        instances = [name for name in names if PurePosixPath(name).name.startswith("instances")]
        tables, outcomes = dict[str, Table](), []
        for name in names:
            if instances and name not in instances and not wanted:
                reason = (
                    f"{instances[0]} holds the boxes; name it in dataset.fields.labels to read it instead"
                )
                outcomes.append(Outcome(path=name, status="unused", reason=reason))
                continue
            try:
                tables[name] = self._parsed(name)
            except BrokenFileError as error:
                if wanted:
                    raise
                outcomes.append(Outcome(path=name, status="broken", reason=error.reason))
        return tables, outcomes

    def _parsed(self, name: str) -> Table:
        coco = reader("fiftyone.utils.coco")
        with damage_of(name):
            # a few attributes only: objects carry whatever a tool put there, outlines too
            _, classes, _, images, objects = coco.load_coco_detection_annotations(
                str(self.root / name), extra_attrs=_EXTRAS
            )
            if not images:
                raise BrokenFileError(name, "lists no images: no COCO file")
            return Table({key: str(value) for key, value in (classes or {}).items()}, images, objects)

    def _list(self, name: str, table: Table, lookup: Lookup, taken: set[str], listing: Listing) -> None:
        """Entries of one file's images; its own outcome says what of it is left out."""
        split, odd, doubles = _split_of(name), 0, 0
        for image_id, about in table.images.items():
            file_name = about.get("file_name") if isinstance(about, dict) else None
            if not isinstance(file_name, str) or not file_name:
                odd += 1
                continue
            image = lookup.find(file_name)
            if image is None:
                reason = f"{name} lists it; there is none, or more than one file of that name"
                listing.outcomes.append(Outcome(path=_shown(file_name), status="missing", reason=reason))
            elif image in taken:
                doubles += 1
            else:
                taken.add(image)
                listing.entries.append(Entry(image=image, key=(name, image_id), split=split))
        strays = sum(len(found) for key, found in (table.objects or {}).items() if key not in table.images)
        faults = {
            "images without a file name": odd,
            "images that are listed twice": doubles,
            "boxes of images that are not listed": strays,
        }
        said = ", ".join(f"{count} {what}" for what, count in faults.items() if count)
        status = "broken" if said else "added"
        listing.outcomes.append(Outcome(path=name, status=status, reason=f"{said}: left out" if said else ""))


def _labels(table: Table, objects: list[Any]) -> FrameLabels:
    boxes = []
    for item in objects:
        x, y, width, height = (float(value) for value in item.bbox)
        boxes.append([x, y, x + width, y + height])
    return frame_labels(
        boxes,
        [table.classes.get(item.category_id, str(item.category_id)) for item in objects],
        ignore=[bool(item.iscrowd) or bool(item.attributes["ignore"]) for item in objects],
        visibility=[seen(item.attributes["occluded"]) for item in objects],
        tracks=[item.attributes["track_id"] for item in objects],
    )


def _split_of(name: str) -> str:
    """The publisher's split that a file's name tells: ``instances_val2017.json``, ``train/labels.json``."""
    words = re.split(r"[^a-z]+", name.lower())
    found = {_SPLIT_NAMES[word] for word in words if word in _SPLIT_NAMES}
    return found.pop() if len(found) == 1 else ""


def _shown(file_name: str) -> str:
    """A listed name as a path relative to the root, as near as can be."""
    return "/".join(part for part in file_name.replace("\\", "/").split("/") if part not in ("", ".", ".."))

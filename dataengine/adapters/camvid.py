"""CamVid: frames of four drives with semantic masks, in either of its two layouts.

The SegNet release holds ``<split>/`` and ``<split>annot/`` with the same names and masks of class
numbers; ``<split>.txt``, where present, lists which pairs count, with paths from the author's
machine (``/SegNet/CamVid/test/x.png``), of which the last two parts are read. The original holds
``701_StillsRaw_full/x.png``, ``LabeledApproved_full/x_L.png`` in colours, and ``label_colors.txt``.

A name is ``<drive>_<frame number>``, counted at 30 Hz (``0001TP_006690``, ``Seq05VD_f05070``).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from dataengine.adapters.base import BrokenFileError, LabelReader, Recording, Still, Telemetry, files_under
from dataengine.adapters.labels import FrameLabels
from dataengine.adapters.masks import colours_to_values, components
from dataengine.config import DatasetConfig
from dataengine.errors import InputError
from dataengine.images import read_mask
from dataengine.schema import POOL, TEST, VAL
from dataengine.workspace import Outcome

FRAME_RATE = 30.0
"""Frame numbers per second of driving."""

CLIP_GAP_S = 5.0
"""Frames of one drive further apart than this belong to two clips."""

NAME = re.compile(r"(?P<drive>[A-Za-z0-9]+)_f?(?P<number>\d+)\.png")
DUSK_DRIVES = frozenset({"0001TP"})
SPLITS = {"train": POOL, "val": VAL, "test": TEST}

STILLS, MASKS, COLOURS = "701_StillsRaw_full", "LabeledApproved_full", "label_colors.txt"
SEGNET_OBJECTS = {8: "Car", 9: "Pedestrian", 10: "Bicyclist"}
_SCENERY = """
    Archway Bridge Building Column_Pole Fence LaneMkgsDriv LaneMkgsNonDriv Misc_Text ParkingBlock Road
    RoadShoulder Sidewalk SignSymbol Sky TrafficCone TrafficLight Tree Tunnel VegetationMisc Void Wall
"""
NOT_OBJECTS = frozenset(_SCENERY.split())
"""Names of ``label_colors.txt`` that are no objects to detect; the other eleven are in the card."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One image, its mask, and the publisher's split; paths relative to the root."""

    image: str
    mask: str
    split: str


class CamVid:
    """CamVid in either layout.

    Args:
        root: Folder that holds ``train/`` and so on, or ``701_StillsRaw_full/`` and so on.
        config: Minimum size of boxes.
    """

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        self.root = root
        self.config = config

    def settings(self) -> dict[str, Any]:
        """The minimum size of boxes."""
        return {"min_box_area": self.config.min_box_area}

    def recordings(self) -> Iterator[Recording | Outcome]:
        """Clips by drive and time, then files that are part of none."""
        files = list(files_under(self.root))
        present = set(files)
        reader = _original if f"{STILLS}/" in {f"{name.split('/')[0]}/" for name in files} else _segnet
        listing = reader(self.root, files)
        if not listing.pairs:
            raise InputError(
                f"dataset.root={self.root} holds no CamVid: looked for train/ with trainannot/ and so on, "
                f"and for {STILLS}/ with {MASKS}/ and {COLOURS}; see datasets/camvid.toml for where to get it"
            )
        usable, outcomes = _usable(listing.pairs, present)
        for drive, stills in sorted(usable.items()):
            yield from _clips(drive, sorted(stills, key=lambda still: still.number))
        yield from outcomes
        yield from listing.outcomes
        settled = {outcome.path for outcome in (*outcomes, *listing.outcomes)}
        settled |= {
            name for stills in usable.values() for still in stills for name in (still.image, still.mask)
        }
        for name in files:
            if name not in settled:
                yield Outcome(path=name, status="unused", reason=listing.why_unused(name))

    def telemetry(self, recording: Recording) -> Telemetry | None:  # noqa: ARG002
        """None: the drives were filmed, not logged."""
        return None

    def labels(self, recording: Recording) -> LabelReader:
        """Boxes from the masks' connected components."""
        masks = {still.number: still.mask for still in recording.stills}

        def read(number: int, size: tuple[int, int]) -> FrameLabels:
            name = masks[number]
            try:
                mask = read_mask(self.root / name)
            except InputError as error:
                raise BrokenFileError(name, str(error).partition(": ")[2]) from error
            if mask.shape[:2] != size:
                (height, width), (image_height, image_width) = mask.shape[:2], size
                raise BrokenFileError(
                    name, f"mask of {width}x{height} for an image of {image_width}x{image_height}"
                )
            if mask.ndim == 2:
                return components(mask, SEGNET_OBJECTS, self.config.min_box_area)
            values = {number: name for number, name in enumerate(self._colours) if name not in NOT_OBJECTS}
            numbers = {colour: number for number, colour in enumerate(self._colours.values())}
            return components(colours_to_values(mask, numbers), values, self.config.min_box_area)

        return read

    @cached_property
    def _colours(self) -> dict[str, tuple[int, int, int]]:
        return read_colours(self.root / COLOURS)


def read_colours(path: Path) -> dict[str, tuple[int, int, int]]:
    """The colour of every name in a ``label_colors.txt``: lines of ``R G B<tabs>Name``, blank ones skipped.

    Raises:
        InputError: The file is missing, or a line of it is something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: cannot be read; it names the colours of coloured masks, fetch it again"
        ) from error
    colours = {}
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 4 or not all(field.isdigit() and int(field) < 256 for field in fields[:3]):
            raise InputError(
                f"{path}: line {number} {line.strip()!r} is not `R G B Name`; fetch the file again"
            )
        colours[fields[3]] = (int(fields[0]), int(fields[1]), int(fields[2]))
    return colours


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a layout lists: pairs, outcomes of its lists, and the folders where only listed files count."""

    pairs: list[Pair]
    outcomes: list[Outcome]
    lists: dict[str, str]

    def why_unused(self, name: str) -> str:
        """The reason why a file on disk is part of no pair."""
        folder = name.partition("/")[0]
        return f"not in {self.lists[folder]}" if folder in self.lists else "no part of CamVid's layout"


def _segnet(root: Path, files: list[str]) -> Listing:
    folders: dict[str, list[str]] = defaultdict(list)
    for name in files:
        folders[str(PurePosixPath(name).parent)].append(name)
    listing = Listing(pairs=[], outcomes=[], lists={})
    for split in sorted({*SPLITS, *(name for name in folders if f"{name}annot" in folders)}):
        hint = SPLITS.get(split, "")
        if f"{split}.txt" in files:
            pairs, outcome = _read_list(root, split)
            listing.outcomes.append(outcome)
            listing.lists.update(dict.fromkeys((split, f"{split}annot"), f"{split}.txt"))
        else:
            pairs = [(name, f"{split}annot/{PurePosixPath(name).name}") for name in folders.get(split, [])]
        listing.pairs.extend(Pair(image, mask, hint) for image, mask in pairs)
    return listing


def _read_list(root: Path, split: str) -> tuple[list[tuple[str, str]], Outcome]:
    name = f"{split}.txt"
    pairs, bad = [], []
    for number, line in enumerate(
        (root / name).read_text(encoding="utf-8", errors="replace").splitlines(), 1
    ):
        paths = ["/".join(PurePosixPath(path).parts[-2:]) for path in line.split()]
        if len(paths) == 2:
            pairs.append((paths[0], paths[1]))
        elif paths:
            bad.append(number)
    if bad:
        return pairs, Outcome(
            path=name, status="broken", reason=f"lines {bad} are not `IMAGE MASK`; left out"
        )
    return pairs, Outcome(path=name, status="added")


def _original(root: Path, files: list[str]) -> Listing:
    read_colours(root / COLOURS)
    pairs = [
        Pair(name, f"{MASKS}/{PurePosixPath(name).stem}_L.png", "")
        for name in files
        if name.startswith(f"{STILLS}/") and name.endswith(".png")
    ]
    return Listing(pairs=pairs, outcomes=[Outcome(path=COLOURS, status="added")], lists={})


def _usable(pairs: list[Pair], present: set[str]) -> tuple[dict[str, list[Still]], list[Outcome]]:
    """Images by drive that have a mask and a good name, and the outcome of every other listed file."""
    stills: dict[str, list[Still]] = defaultdict(list)
    outcomes: dict[str, Outcome] = {}
    seen: dict[tuple[str, int], str] = {}
    taken: set[str] = set()

    def drop(pair: Pair, reason: str) -> None:
        for name in (pair.image, pair.mask):
            if name not in taken:
                gone = name not in present
                status, why = ("missing", "listed, but not there") if gone else ("unused", reason)
                outcomes[name] = Outcome(path=name, status=status, reason=why)

    for pair in pairs:
        match = NAME.fullmatch(PurePosixPath(pair.image).name)
        if match is None:
            drop(pair, "its name is not <drive>_<frame number at 30 Hz>.png")
            continue
        drive, number = match["drive"], int(match["number"])
        first = seen.setdefault((drive, number), pair.image)
        if first != pair.image:
            drop(pair, f"the same frame as {first}")
        elif not {pair.image, pair.mask} <= present:
            drop(pair, f"its {'image' if pair.image not in present else 'mask'} is missing")
        elif pair.image not in taken:
            taken |= {pair.image, pair.mask}
            stills[drive].append(
                Still(number=number, time_s=0.0, image=pair.image, mask=pair.mask, split_hint=pair.split)
            )
    return stills, list(outcomes.values())


def _clips(drive: str, stills: list[Still]) -> Iterator[Recording]:
    """Cut one drive's images, in order, where more than ``CLIP_GAP_S`` are missing."""
    cuts = [
        index
        for index, (before, after) in enumerate(pairwise(stills), 1)
        if after.number - before.number > CLIP_GAP_S * FRAME_RATE
    ]
    for start, stop in pairwise([0, *cuts, len(stills)]):
        yield _clip(drive, stills[start:stop])


def _clip(drive: str, stills: list[Still]) -> Recording:
    first = stills[0].number
    hints = {still.split_hint for still in stills}
    return Recording(
        clip_id=f"{drive}_{first:06d}",
        drive_id=drive,
        vehicle_id="",
        camera="front",
        start_time_s=first / FRAME_RATE,
        fps=FRAME_RATE,
        source=str(PurePosixPath(stills[0].image).parent),
        files=tuple(name for still in stills for name in (still.image, still.mask)),
        stills=tuple(
            Still(
                number=still.number,
                time_s=(still.number - first) / FRAME_RATE,
                image=still.image,
                mask=still.mask,
                split_hint=still.split_hint,
            )
            for still in stills
        ),
        split_hint=hints.pop() if len(hints) == 1 else "",
        conditions={"time_of_day": "dusk" if drive in DUSK_DRIVES else "day"},
    )

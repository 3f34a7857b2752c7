"""CamVid: frames of four drives with semantic masks, in either of its two layouts.

A name is ``<drive>_<frame number>``, counted at 30 Hz (``0001TP_006690``, ``Seq05VD_f05070``).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from dataengine.adapters.base import Adapter, BrokenFileError, LabelReader, Recording, Still, files_under
from dataengine.adapters.camvid.layouts import COLOURS, MASKS, STILLS, Pair, list_pairs, read_colours
from dataengine.adapters.labels import FrameLabels
from dataengine.adapters.masks import colours_to_values, components
from dataengine.config import DatasetConfig
from dataengine.errors import InputError
from dataengine.images import read_mask
from dataengine.workspace import Outcome

FRAME_RATE = 30.0
"""Frame numbers per second of driving."""

CLIP_GAP_S = 5.0
"""Frames of one drive further apart than this belong to two clips."""

NAME = re.compile(r"(?P<drive>[A-Za-z0-9]+)_f?(?P<number>\d+)\.png")
DUSK_DRIVES = frozenset({"0001TP"})

SEGNET_OBJECTS = {8: "Car", 9: "Pedestrian", 10: "Bicyclist"}
_SCENERY = """
    Archway Bridge Building Column_Pole Fence LaneMkgsDriv LaneMkgsNonDriv Misc_Text ParkingBlock Road
    RoadShoulder Sidewalk SignSymbol Sky TrafficCone TrafficLight Tree Tunnel VegetationMisc Void Wall
"""
NOT_OBJECTS = frozenset(_SCENERY.split())
"""Names of ``label_colors.txt`` that are no objects to detect; the other eleven are in the card."""


class CamVid(Adapter):
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
        listing = list_pairs(self.root, files)
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

    def labels(self, recording: Recording) -> LabelReader:
        """Boxes from the masks' connected components."""
        masks = {still.number: still.mask for still in recording.stills}

        def read(number: int, size: tuple[int, int]) -> FrameLabels:
            path = self.root / masks[number]
            try:
                mask = read_mask(path)
            except InputError as error:
                raise BrokenFileError(masks[number], str(error).removeprefix(f"{path}: ")) from error
            if mask.shape[:2] != size:
                sizes = f"{mask.shape[1]}x{mask.shape[0]} for an image of {size[1]}x{size[0]}"
                raise BrokenFileError(masks[number], f"mask of {sizes}")
            if mask.ndim == 2:
                return components(mask, SEGNET_OBJECTS, self.config.min_box_area)
            values = {value: name for value, name in enumerate(self._colours) if name not in NOT_OBJECTS}
            numbers = {colour: value for value, colour in enumerate(self._colours.values())}
            return components(colours_to_values(mask, numbers), values, self.config.min_box_area)

        return read

    @cached_property
    def _colours(self) -> dict[str, tuple[int, int, int]]:
        return read_colours(self.root / COLOURS)


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

"""Cityscapes: streets of 50 cities, one frame in 30 finely annotated.

::

    leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png
    gtFine/train/aachen/aachen_000000_000019_gtFine_instanceIds.png    or _polygons.json
    leftImg8bit_sequence/...        the 30 frames around each annotated one, optional
    vehicle/..., vehicle_sequence/...   speed, yaw rate and position, optional

A city is a drive: its sequences follow one another along the same streets, what else of them is the
same trip the format does not tell, and the publisher splits by city too. A run of frames of one sequence is
a clip.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from dataengine.adapters.base import (
    Adapter,
    BrokenFileError,
    LabelReader,
    Recording,
    Still,
    files_under,
    safe_id,
)
from dataengine.adapters.cityscapes.labels import THINGS, objects, paint_polygons, read_instance_ids
from dataengine.adapters.cityscapes.tree import FINE, IMAGES, INSTANCES, MASK, POLYGONS, Key, Tree, read_tree
from dataengine.adapters.labels import FrameLabels
from dataengine.adapters.rigid import bounded
from dataengine.adapters.telemetry import Between, Signal, Telemetry
from dataengine.config import DatasetConfig
from dataengine.errors import ConfigError, InputError
from dataengine.schema import POOL, VAL
from dataengine.workspace import Outcome

FRAME_RATE = 17.0
"""Frames a second (Cordts et al. 2016, section 2.1)."""
SNIPPET_FRAMES, ANNOTATED_FRAME = 30, 19
"""Frames of a sequence around an annotated one, and which of them, from 0, that is."""
SPLITS = {"train": POOL, "val": VAL}
CAMERA = "left"

_LONGEST_SEQUENCE = 1_000_000
"""Frame numbers have six digits. Some cities are one long sequence, others many of 30 frames."""

_VEHICLE_KEYS = {
    "speed": "speed_mps",
    "yawRate": "yaw_rate_radps",
    "gpsLatitude": "latitude_deg",
    "gpsLongitude": "longitude_deg",
    "gpsHeading": "heading_deg",
    "outsideTemperature": "outside_temperature_degc",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet(Recording):
    """A run of frames, with the vehicle data of those that have some, as (frame number, path)."""

    vehicle: tuple[tuple[int, str], ...] = ()


class Cityscapes(Adapter):
    """Cityscapes with fine annotations, sequences and vehicle data, as far as they are there.

    Args:
        root: Folder that holds ``leftImg8bit/`` or ``leftImg8bit_sequence/``.
        config: Minimum size of boxes.
    """

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        self.root = root
        self.config = config

    def settings(self) -> dict[str, Any]:
        """The minimum size of boxes."""
        return {"min_box_area": self.config.min_box_area}

    def class_names(self) -> tuple[str, ...]:
        """Every class whose objects are told apart."""
        return tuple(THINGS.values())

    def recordings(self) -> Iterator[Recording | Outcome]:
        """Clips by split, city, sequence and frame, then files that are part of none."""
        if set(self.config.cameras) - {CAMERA}:
            raise ConfigError(
                f"dataset.cameras={self.config.cameras}: Cityscapes is read by its camera {CAMERA}"
            )
        tree = read_tree(files_under(self.root))
        if not tree.images and not tree.labels:
            raise InputError(
                f"dataset.root={self.root} holds no Cityscapes: looked for leftImg8bit/<split>/<city>/"
                "*_leftImg8bit.png; see datasets/cityscapes.toml for how to get it"
            )
        frames: dict[tuple[str, str], list[Key]] = defaultdict(list)
        for key in sorted(tree.images):
            frames[key.split, key.city].append(key)
        for keys in frames.values():
            span = SNIPPET_FRAMES if max(key.frame for key in keys) < SNIPPET_FRAMES else _LONGEST_SEQUENCE
            for run in _runs(keys):
                yield _snippet(tree, run, span)
        yield from _leftovers(tree)
        yield from tree.strays

    def labels(self, recording: Recording) -> LabelReader | None:
        """Boxes of objects, ignore regions of groups; ``None`` for a clip without an annotated frame."""
        paths = {still.number: still.labels for still in recording.stills if still.labels}
        if not paths:
            return None

        def read(number: int, size: tuple[int, int]) -> FrameLabels | None:
            name = paths.get(number)
            if name is None:
                return None
            instances = read_instance_ids if name.endswith(".png") else paint_polygons
            return objects(instances(self.root, name, size), name, self.config.min_box_area)

        return read

    def telemetry(self, recording: Recording) -> Telemetry | None:
        """Vehicle data at the times of its frames.

        ``speed_mps``, ``yaw_rate_radps``, ``latitude_deg``, ``longitude_deg``, ``heading_deg`` and
        ``outside_temperature_degc``, as published (m/s, rad/s with the vehicle's z axis up, degrees);
        ``acceleration_mps2`` from the speed's differences where a clip has several.
        """
        vehicle = recording.vehicle if isinstance(recording, Snippet) else ()
        if not vehicle:
            return None
        start = round(recording.stills[0].number - recording.stills[0].time_s * FRAME_RATE)
        time_s = np.array([(number - start) / FRAME_RATE for number, _ in vehicle])
        rows = bounded(np.array([self._vehicle(name) for _, name in vehicle]))
        signals = {}
        for name, values in zip(_VEHICLE_KEYS.values(), rows.T, strict=True):
            between = Between.degrees if name == "heading_deg" else Between.linear
            if np.isfinite(values).any():
                signals[name] = Signal(time_s=time_s, values=values, between=between)
        speed = rows[:, 0]
        known = np.isfinite(speed)
        if known.sum() > 1:
            change = np.asarray(np.gradient(speed[known], time_s[known]))
            signals["acceleration_mps2"] = Signal(time_s=time_s[known], values=change)
        return Telemetry(signals=signals)

    def _vehicle(self, name: str) -> list[float]:
        """The values of ``_VEHICLE_KEYS`` in one file; NaN for one that is not there."""
        try:
            value = json.loads((self.root / name).read_text(encoding="utf-8"))
            return [float(value.get(key, np.nan)) for key in _VEHICLE_KEYS]
        except RecursionError as error:
            raise BrokenFileError(name, "nested too deeply; fetch it again") from error
        except (OSError, ValueError, TypeError, AttributeError, OverflowError) as error:
            raise BrokenFileError(name, f"not readable vehicle data ({error}); fetch it again") from error


def _runs(keys: list[Key]) -> Iterator[list[Key]]:
    """Cut sorted keys where the sequence ends, or where more frames are missing than a snippet has."""
    cuts = [
        at
        for at, (one, other) in enumerate(pairwise(keys), 1)
        if one.sequence != other.sequence or other.frame - one.frame > SNIPPET_FRAMES
    ]
    for start, stop in pairwise([0, *cuts, len(keys)]):
        yield keys[start:stop]


def _snippet(tree: Tree, keys: list[Key], span: int) -> Snippet:
    """One clip. Its clock counts ``span`` frames a sequence: their order is known, pauses are not.

    It starts where its 30 frames start, even if only the annotated one is there, so that clips and
    frames keep their names when the sequences are added later.
    """
    first, start = keys[0], keys[0].frame
    if tree.images[first].startswith(f"{IMAGES}/") and start >= ANNOTATED_FRAME:
        start -= ANNOTATED_FRAME
    stills = []
    files: list[str] = []
    for key in keys:
        kinds = tree.labels.get(key, {})
        still = Still(
            number=key.frame,
            time_s=(key.frame - start) / FRAME_RATE,
            image=tree.images[key],
            mask=kinds.get(MASK, ""),
            labels=kinds.get(INSTANCES, "") or kinds.get(POLYGONS, ""),
        )
        stills.append(still)
        files += [name for name in (still.image, still.mask, still.labels) if name]
    vehicle = tuple((key.frame, tree.vehicle[key]) for key in keys if key in tree.vehicle)
    return Snippet(
        clip_id=safe_id(f"{first.city}_{first.sequence:06d}_{start:06d}"),
        drive_id=safe_id(first.city),
        camera=CAMERA,
        start_time_s=(first.sequence * span + start) / FRAME_RATE,
        fps=FRAME_RATE,
        source=str(PurePosixPath(stills[0].image).parent),
        files=(*files, *(name for _, name in vehicle)),
        stills=tuple(stills),
        split_hint=SPLITS.get(first.split, ""),
        # the publisher recorded by day and in good or medium weather alone (Cordts et al., section 2.1)
        conditions={"city": first.city, "time_of_day": "day"},
        vehicle=vehicle,
    )


def _leftovers(tree: Tree) -> Iterator[Outcome]:
    """Outcomes of labels and vehicle data that no image needs, and of files that one needs."""
    for key, kinds in sorted(tree.labels.items()):
        if key not in tree.images:
            image = key.path(IMAGES, "leftImg8bit.png")
            yield Outcome(path=image, status="missing", reason="its annotation is there")
            yield from (
                Outcome(path=n, status="unused", reason=f"{image} is missing") for n in kinds.values()
            )
            continue
        read = INSTANCES if INSTANCES in kinds else POLYGONS
        for kind, name in sorted(kinds.items()):
            if kind not in {read, MASK}:
                yield Outcome(path=name, status="unused", reason="the same annotation in another form")
    for key, image in sorted(tree.images.items()):
        labelled = {INSTANCES, POLYGONS} & set(tree.labels.get(key, {}))
        if image.startswith(f"{IMAGES}/") and key.split in tree.annotated and not labelled:
            needed = key.path(FINE, INSTANCES)
            yield Outcome(path=needed, status="missing", reason="without it the frame is unlabelled")
    for key, name in sorted(tree.vehicle.items()):
        if key not in tree.images:
            yield Outcome(path=name, status="unused", reason="its image is not there")

"""comma10k: 10,000 single frames of the comma fleet with masks painted by volunteers.

::

    imgs/NNNN_<dongle>_<date>_<segment>_<frame>.png          road camera, 1164x874
    imgs2/NNNNN_{e|f}_<dongle>_<date>_<segment>_<frame>.png  road (f) and wide (e) camera, 1928x1208
    masks/, masks2/                                          the same names
    files_trainable                                          the masks that count as finished
    imgsd/, masksd/                                          the driver's camera: no road, left out
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dataengine.adapters.base import Adapter, BrokenFileError, LabelReader, Recording, Still, files_under
from dataengine.adapters.comma10k.layout import (
    CAMERAS,
    FRAME_RATE,
    FRAMES_PER_SEGMENT,
    IMAGES,
    LIST,
    Name,
    parse,
    read_list,
    why_unused,
)
from dataengine.adapters.comma10k.masks import MOVABLE, MOVABLE_VALUE, class_values
from dataengine.adapters.labels import FrameLabels
from dataengine.adapters.masks import components
from dataengine.config import DatasetConfig
from dataengine.errors import ConfigError, InputError
from dataengine.images import read_mask
from dataengine.workspace import Outcome


class Comma10k(Adapter):
    """comma10k as its repository holds it, or a part of it.

    Images without a finished mask are kept, as frames that nobody labelled.

    Args:
        root: Folder that holds ``imgs/`` and ``masks/``.
        config: Cameras and minimum size of boxes.
    """

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        self.root = root
        self.config = config

    def settings(self) -> dict[str, Any]:
        """The minimum size of boxes, and the cameras."""
        return {"min_box_area": self.config.min_box_area, "cameras": sorted(self.config.cameras)}

    def class_names(self) -> tuple[str, ...]:
        """The one class that masks tell apart."""
        return (MOVABLE,)

    def recordings(self) -> Iterator[Recording | Outcome]:
        """One clip for each camera and minute that has an image, then files that are part of none."""
        unknown = sorted(set(self.config.cameras) - set(CAMERAS))
        if unknown:
            raise ConfigError(f"dataset.cameras={unknown}: comma10k has {' and '.join(CAMERAS)}")
        files = list(files_under(self.root))
        outcomes: dict[str, Outcome] = {}
        listed = read_list(self.root, outcomes) if LIST in files else None
        clips = self._clips(files, listed, outcomes)
        if not clips and not any(name.startswith(tuple(IMAGES)) for name in files):
            raise InputError(
                f"dataset.root={self.root} holds no comma10k: looked for imgs/ with masks/ and imgs2/ with "
                "masks2/; see datasets/comma10k.toml for where to get it"
            )
        taken: set[str] = set()
        for clip_id in sorted(clips):
            recording = _recording(clip_id, clips[clip_id])
            taken.update(recording.files)
            yield recording
        yield from outcomes.values()
        for name in files:
            if name not in taken and name not in outcomes:
                yield Outcome(path=name, status="unused", reason=why_unused(name, listed))

    def labels(self, recording: Recording) -> LabelReader:
        """Boxes from the connected components of what can move."""
        masks = {still.number: still.mask for still in recording.stills}

        def read(number: int, size: tuple[int, int]) -> FrameLabels | None:
            name = masks[number]
            if not name:
                return None
            path = self.root / name
            try:
                mask = read_mask(path)
            except InputError as error:
                raise BrokenFileError(name, str(error).removeprefix(f"{path}: ")) from error
            if mask.shape[:2] != size:
                sizes = f"{mask.shape[1]}x{mask.shape[0]} for an image of {size[1]}x{size[0]}"
                raise BrokenFileError(name, f"mask of {sizes}")
            if mask.ndim == 2:
                raise BrokenFileError(name, "grey mask; the classes are colours")
            return components(class_values(mask), {MOVABLE_VALUE: MOVABLE}, self.config.min_box_area)

        return read

    def _clips(
        self, files: list[str], listed: frozenset[str] | None, outcomes: dict[str, Outcome]
    ) -> dict[str, dict[int, tuple[Name, str, str]]]:
        """Clip id -> frame number -> name, image and mask; the outcome of what is left out is added."""
        present = set(files)
        clips: defaultdict[str, dict[int, tuple[Name, str, str]]] = defaultdict(dict)
        for image in files:
            name = parse(image)
            if name is None or image.partition("/")[0] not in IMAGES:
                continue
            mask = f"{IMAGES[image.partition('/')[0]]}/{image.partition('/')[2]}"
            finished = mask in present and (listed is None or mask in listed)
            pair = (image, mask) if finished else (image,)
            if self.config.cameras and name.camera not in self.config.cameras:
                reason = f"camera {name.camera} is not in dataset.cameras"
            elif name.frame in clips[name.clip_id]:
                reason = f"the same frame as {clips[name.clip_id][name.frame][1]}"
            else:
                clips[name.clip_id][name.frame] = (name, image, mask if finished else "")
                continue
            outcomes |= {path: Outcome(path=path, status="unused", reason=reason) for path in pair}
        outcomes |= _missing(present, listed, self.config.cameras)
        return {clip_id: frames for clip_id, frames in clips.items() if frames}


def _missing(present: set[str], listed: frozenset[str] | None, cameras: Sequence[str]) -> dict[str, Outcome]:
    """Finished masks that are not there, and images of finished masks."""
    images = {mask: image for image, mask in IMAGES.items()}
    finished = {name for name in present if name.partition("/")[0] in images}
    found = {}
    for mask in sorted(finished if listed is None else listed):
        name, (folder, _, rest) = parse(mask), mask.partition("/")
        if name is None or (cameras and name.camera not in cameras):
            continue
        image = f"{images[folder]}/{rest}"
        if mask not in present:
            found[mask] = Outcome(path=mask, status="missing", reason=f"listed in {LIST}")
        if image not in present:
            found[image] = Outcome(path=image, status="missing", reason=f"{mask} is its mask")
    return found


def _recording(clip_id: str, frames: Mapping[int, tuple[Name, str, str]]) -> Recording:
    stills = tuple(
        Still(
            number=number,
            time_s=number / FRAME_RATE,
            image=image,
            mask=mask,
        )
        for number, (_, image, mask) in sorted(frames.items())
    )
    name = next(iter(frames.values()))[0]
    return Recording(
        clip_id=clip_id,
        drive_id=name.drive_id,
        vehicle_id=name.dongle,
        camera=name.camera,
        start_time_s=name.segment * FRAMES_PER_SEGMENT / FRAME_RATE,
        fps=FRAME_RATE,
        source=stills[0].image.partition("/")[0],
        files=tuple(path for still in stills for path in (still.image, still.mask) if path),
        stills=stills,
    )

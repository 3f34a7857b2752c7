"""The cameras of a LeRobot dataset: features that are videos, or images packed in its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dataengine.adapters.lerobot.features import image_columns
from dataengine.adapters.lerobot.templates import PathTemplate
from dataengine.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Cameras:
    """Feature keys by how their pictures are stored.

    Attributes:
        videos: As videos.
        images: As images within the tables.
        depth: Depth maps, stored either way; they are no pictures.
    """

    videos: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    depth: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Everything that gives pictures."""
        return (*self.videos, *self.images)

    def inside(self, video: PathTemplate, faults: list[str]) -> Cameras:
        """Those whose videos lie inside the dataset; the others are added to ``faults``."""
        found = []
        for key in self.videos:
            try:
                video.format(video_key=key, episode_chunk=0, episode_index=0, chunk_index=0, file_index=0)
                found.append(key)
            except InputError as error:
                faults.append(str(error))
        return replace(self, videos=tuple(found))


def described(features: Mapping[str, Any]) -> Cameras:
    """The cameras among the features that ``info.json`` describes."""
    found: dict[str, list[str]] = {"videos": [], "images": [], "depth": []}
    for key, feature in features.items():
        if not isinstance(feature, dict) or feature.get("dtype") not in ("video", "image"):
            continue
        details = [feature, feature.get("info"), feature.get("video_info")]
        is_depth = any(
            isinstance(part, dict) and (part.get("is_depth_map") or part.get("video.is_depth_map"))
            for part in details
        )
        found["depth" if is_depth else f"{feature['dtype']}s"].append(key)
    return Cameras(**{kind: tuple(keys) for kind, keys in found.items()})


def on_disk(root: Path, files: Sequence[str], data: PathTemplate, video: PathTemplate) -> Cameras:
    """The cameras that names of videos and the first table's columns tell of."""
    videos = {str(match["video_key"]) for name in files if (match := video.match(name)) is not None}
    table = next((name for name in files if data.match(name)), None)
    images = image_columns(root / table) if table is not None else ()
    return Cameras(videos=tuple(sorted(videos)), images=images)

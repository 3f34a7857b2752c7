"""``meta/info.json`` of a LeRobot dataset, or what can be told without it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from dataengine.adapters.lerobot.cameras import Cameras, described, on_disk
from dataengine.adapters.lerobot.documents import load_json
from dataengine.adapters.lerobot.features import frame_rate
from dataengine.adapters.lerobot.templates import PathTemplate
from dataengine.errors import InputError
from dataengine.schema import POOL, TEST, VAL

Fields = tuple[str, ...]

INFO = "meta/info.json"
_FIELDS: Mapping[int, tuple[Fields, Fields]] = {
    2: (("episode_chunk", "episode_index"), ("episode_index",)),
    3: (("chunk_index", "file_index"), ("chunk_index", "file_index")),
}
"""Fields of a version's templates, and those that they need; templates of videos have ``video_key`` too."""
_PATHS = {
    2: (
        "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
    ),
    3: (
        "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
    ),
}
_FPS = 30.0
"""LeRobot's own default, where nothing tells the rate."""
_CHUNKS_SIZE = 1000
_VERSION = re.compile(r"v?(\d{1,3})\.\d{1,3}(\.\d{1,3})?")
_SPLITS = {"train": POOL, "val": VAL, "validation": VAL, "test": TEST}
_RANGE = re.compile(r"(\d{1,9}):(\d{1,9})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What a dataset says of itself.

    Attributes:
        version: Of the format: 2 (an episode a file) or 3 (episodes share files).
        fps: Frames per second.
        chunks_size: Episodes in a folder of version 2.
        data: Template of the tables.
        video: Template of the videos.
        cameras: Which cameras there are.
        robot: Type of the robot, or empty.
        splits: Publisher's splits in our words, as ranges of episodes; empty where there is but one.
        faults: Why parts of ``info.json`` cannot be used; empty if all can.
    """

    version: int
    fps: float
    chunks_size: int = _CHUNKS_SIZE
    data: PathTemplate
    video: PathTemplate
    cameras: Cameras
    robot: str = ""
    splits: Mapping[str, range] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    def split_of(self, episode: int) -> str:
        """The publisher's split of an episode, or empty."""
        return next((split for split, episodes in self.splits.items() if episode in episodes), "")


def read_info(root: Path, files: Sequence[str]) -> Info:
    """Read ``info.json``; what it lacks is told from names and tables, and from the format's defaults.

    Args:
        root: The dataset's root.
        files: Every file below it.

    Raises:
        InputError: It is of a version that is not read.
    """
    value, faults = _load(root, files)
    known = bool(value)
    stated = _version(value.get("codebase_version"), root)
    if known and stated is None:
        faults.append("codebase_version is no version")
    version = stated or _version_of(files)
    templates = [
        _template(value.get(key), version, default, faults if known else [])
        for key, default in zip(("data_path", "video_path"), _PATHS[version], strict=True)
    ]
    features = value.get("features")
    if isinstance(features, dict):
        cameras = described(features)
    else:
        faults += ["has no features"] if known else []
        cameras = on_disk(root, files, *templates)
    fps = value.get("fps")
    if known and not _is_rate(fps):
        faults.append(f"fps={repr(fps)[:40]} is no frame rate")
    chunks = value.get("chunks_size")
    return Info(
        version=version,
        fps=float(fps) if _is_rate(fps) else _fps_of(root, files, templates[0]),
        chunks_size=chunks if type(chunks) is int and chunks > 0 else _CHUNKS_SIZE,
        data=templates[0],
        video=templates[1],
        cameras=cameras.inside(templates[1], faults),
        robot=str(value.get("robot_type") or "")[:80],
        splits=_splits(value.get("splits")),
        faults=tuple(faults),
    )


def _load(root: Path, files: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """What ``info.json`` holds, and what is wrong with it as a whole."""
    if INFO not in files:
        return {}, []
    try:
        value = load_json(root / INFO)
    except InputError as error:
        return {}, [str(error)]
    if not isinstance(value, dict) or not value:
        return {}, ["not a JSON object, or an empty one"]
    return value, []


def _version(stated: Any, root: Path) -> int | None:
    match = _VERSION.fullmatch(stated) if isinstance(stated, str) else None
    if match is None:
        return None
    if int(match[1]) not in _PATHS:
        raise InputError(
            f"{root / INFO}: codebase_version={stated}; v2.0, v2.1 and v3.0 are read: "
            "convert it with LeRobot's own script"
        )
    return int(match[1])


def _version_of(files: Sequence[str]) -> int:
    data = PathTemplate(_PATHS[3][0], *_FIELDS[3])
    return 3 if any(name.startswith("meta/episodes/") or data.match(name) for name in files) else 2


def _template(text: Any, version: int, default: str, faults: list[str]) -> PathTemplate:
    fields, needed = _FIELDS[version]
    suffix = default[default.rindex(".") :]
    if suffix == ".mp4":
        fields, needed = (*fields, "video_key"), (*needed, "video_key")
    if isinstance(text, str):
        try:
            template = PathTemplate(text, fields, needed)
            if text.endswith(suffix):
                return template
            faults.append(f"template {text[:200]!r} does not end in {suffix}")
        except InputError as error:
            faults.append(str(error))
    return PathTemplate(default, fields, needed)


def _is_rate(fps: Any) -> TypeGuard[float]:
    return type(fps) in (int, float) and 0 < fps <= 100_000 and math.isfinite(fps)


def _fps_of(root: Path, files: Sequence[str], data: PathTemplate) -> float:
    table = next((name for name in files if data.match(name)), None)
    return (frame_rate(root / table) if table is not None else None) or _FPS


def _splits(stated: Any) -> dict[str, range]:
    found: dict[str, range] = {}
    for name, text in stated.items() if isinstance(stated, dict) else ():
        match = _RANGE.fullmatch(text) if isinstance(text, str) else None
        if match is not None and name in _SPLITS:
            found[_SPLITS[name]] = range(int(match[1]), int(match[2]))
    return found if len(found) > 1 else {}

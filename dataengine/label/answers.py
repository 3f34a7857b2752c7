"""Labels that people drew, from a COCO file into the lake."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from dataengine import files
from dataengine.adapters.labels import FrameLabels, check, class_ids
from dataengine.errors import InputError
from dataengine.frameboxes import FrameBoxes
from dataengine.label.request import sent_name
from dataengine.workspace import Workspace

_PREFIX = re.compile(r"^[0-9a-f]{8}-")
"""Label Studio puts eight hexadecimal digits and a dash before the name of an uploaded image."""


def take_answers(workspace: Workspace, path: Path) -> int:
    """Append the labels of a COCO file to the lake; the same file again adds nothing.

    Every image that the file lists counts as labelled, also one without a box: leave out images that
    nobody looked at. Images that are no frame of the workspace are an error, for a file of another
    project would otherwise pass as one without labels.

    Args:
        workspace: Holds the frames.
        path: The COCO file.

    Returns:
        Frames that were labelled.

    Raises:
        InputError: The file is no COCO file, or an image or box in it cannot be.
        ConfigError: A category is in no class map.
    """
    name = f"{len(workspace.lake.parts('answers')):06d}-{_digest(path)[:16]}"
    if any(part.stem.endswith(name[-16:]) for part in workspace.lake.parts("answers")):
        return 0
    labels = _read(workspace, path)
    workspace.lake.append("answers", labels.to_table(), name=name)
    return labels.num_frames


def _digest(path: Path) -> str:
    try:
        return files.sha256(path)
    except OSError as error:
        raise InputError(
            f"dataset.labels={path}: cannot be read ({error.strerror}); check the path"
        ) from error


def _read(workspace: Workspace, path: Path) -> FrameBoxes:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        images = {image["id"]: image for image in value["images"]}
        names = {category["id"]: str(category["name"]) for category in value["categories"]}
        boxes: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        for annotation in value["annotations"]:
            boxes[annotation["image_id"]].append(annotation)
        stray = sorted(set(boxes) - set(images), key=str)
        if stray:
            raise InputError(f"{path}: annotations of image {stray[0]}, which is not listed under images")
        frames = _frames(workspace)
        per_frame = {}
        for number, image in images.items():
            frame_id, size = _frame_of(str(image["file_name"]), frames, path)
            given = (int(image.get("height", size[0])), int(image.get("width", size[1])))
            if given != size:
                sizes = f"{given[1]}x{given[0]} there and {size[1]}x{size[0]} here"
                raise InputError(f"{path}: {image['file_name']} is {sizes}; label the images without scaling")
            per_frame[frame_id] = _labels(boxes[number], names, path, str(image["file_name"]), size)
    except (OSError, RecursionError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"dataset.labels={path}: not a COCO file ({error!r}); export as COCO 1.0") from error
    return _joined(workspace, per_frame, path)


def _frames(workspace: Workspace) -> dict[str, tuple[str, tuple[int, int]]]:
    """Frame id and (height, width) by each name that an image of it may go by."""
    table = workspace.lake.read("frames", ["frame_id", "image_path", "height", "width"])
    known: dict[str, tuple[str, tuple[int, int]]] = {}
    for row in table.to_pylist():
        entry = (row["frame_id"], (row["height"], row["width"]))
        known |= {sent_name(row["frame_id"]): entry, row["image_path"]: entry, row["frame_id"]: entry}
    return known


def _frame_of(
    name: str, frames: dict[str, tuple[str, tuple[int, int]]], path: Path
) -> tuple[str, tuple[int, int]]:
    stem = Path(name).name.rpartition(".")[0] or name
    for candidate in (stem, _PREFIX.sub("", stem), name):
        if candidate in frames:
            return frames[candidate]
    raise InputError(
        f"{path}: {name} is no frame of this workspace; keep the names of the images in to_label/"
    )


def _labels(
    annotations: list[dict[str, Any]], names: dict[Any, str], path: Path, image: str, size: tuple[int, int]
) -> FrameLabels:
    corners = np.array([annotation["bbox"] for annotation in annotations], np.float32).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]
    labels = FrameLabels(
        xyxy=corners,
        names=tuple(names[annotation["category_id"]] for annotation in annotations),
        ignore=np.array([bool(annotation.get("iscrowd", 0)) for annotation in annotations], np.bool_),
        visibility=np.full(len(corners), np.nan, np.float32),
        track_id=np.full(len(corners), -1, np.int32),
    )
    try:
        return check(labels, size)
    except InputError as error:
        raise InputError(f"{path}: {image}: {error}") from error


def _joined(workspace: Workspace, per_frame: dict[str, FrameLabels], path: Path) -> FrameBoxes:
    ordered = sorted(per_frame)
    if not ordered:
        raise InputError(f"dataset.labels={path}: lists no image; export the labelled ones")
    mapped = [class_ids(per_frame[frame_id], workspace.card, str(path)) for frame_id in ordered]
    return FrameBoxes.build(
        ordered,
        [len(per_frame[frame_id].names) for frame_id in ordered],
        np.concatenate([per_frame[frame_id].xyxy for frame_id in ordered]),
        np.concatenate([ids for ids, _ in mapped]),
        ignore=np.concatenate([ignored for _, ignored in mapped]),
    )


def unanswered(workspace: Workspace, frame_ids: list[str]) -> list[str]:
    """Those of the named frames that have no labels, in their order."""
    known = set(workspace.lake.labelled().to_pylist())
    return [frame_id for frame_id in frame_ids if frame_id not in known]

"""Ask people for labels: the images to draw on, and an empty COCO file to fill in."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dataengine import files, licences
from dataengine.errors import ConfigError
from dataengine.workspace import Workspace

_BETWEEN = "__"
"""Stands for the slash of a frame id in the name of an image that is sent out."""


def write_request(workspace: Workspace, frame_ids: list[str], name: str) -> Path:
    """Write the images to label and ``request.json`` (COCO without annotations); returns their folder.

    The images keep the name of their frame, which is how the answers find back. What is there already
    is left alone, so that a folder somebody works in does not change under them.

    Args:
        workspace: Holds the frames and the classes to draw.
        frame_ids: The frames.
        name: Of the folder below ``<workspace>/to_label/``.

    Raises:
        ConfigError: The workspace has no classes, so that nobody could know what to draw.
    """
    classes = workspace.taxonomy.classes
    if not classes:
        raise ConfigError(
            f"dataset={workspace.card.name} comes without classes; name what is to be found, "
            "for instance dataset.classes=[bottle,hand]"
        )
    folder = workspace.root / "to_label" / name
    frames = workspace.frames()
    frames = frames.filter(pc.is_in(frames["frame_id"], pa.array(frame_ids, pa.string())))
    images = []
    for number, (row, source) in enumerate(
        zip(frames.to_pylist(), workspace.image_paths(frames), strict=True), 1
    ):
        image = folder / "images" / (sent_name(row["frame_id"]) + source.suffix)
        if not image.exists():
            # copied, not linked: a tool that turns or saves an image must not reach the recordings
            files.atomic(image, partial(shutil.copyfile, source))
        images.append({"id": number, "file_name": image.name, "width": row["width"], "height": row["height"]})
    categories = [{"id": number, "name": label} for number, label in enumerate(classes, 1)]
    licence = licences.strictest(frames["licence"].to_pylist())
    request = {
        "info": {"description": f"{workspace.card.title}; {name}"},
        "licenses": [{"id": 1, "name": f"{workspace.card.licence} ({licence})"}],
        "images": images,
        "annotations": [],
        "categories": categories,
    }
    files.write_text(folder / "request.json", json.dumps(request, indent=1) + "\n")
    return folder


def sent_name(frame_id: str) -> str:
    """The stem of the image that is sent out for a frame."""
    return frame_id.replace("/", _BETWEEN)

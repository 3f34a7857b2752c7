"""Frames and boxes as the documents that FiftyOne keeps in MongoDB: plain dictionaries, fast to build."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine.schema import IGNORE, FrameBoxes


def detections(
    boxes: FrameBoxes,
    sizes: NDArray[np.float64],
    classes: Sequence[str],
    *,
    attributes: Mapping[str, Sequence[Any]] | None = None,
    predicted: bool = False,
) -> list[dict[str, Any]]:
    """One ``Detections`` document for each frame.

    FiftyOne keeps boxes as ``[x, y, width, height]`` relative to the image, from its top-left corner.

    Args:
        boxes: Pixels.
        sizes: ``[F, 2]`` width and height of each frame.
        classes: Name of each ``class_id``; another id is written as ``ignore``.
        attributes: Name -> one value for each box, ``None`` where it has none.
        predicted: Whether ``score`` is written, as the confidence.
    """
    from bson import ObjectId

    columns = dict(attributes or {})
    names = [classes[i] if 0 <= i < len(classes) else IGNORE for i in boxes.class_id.tolist()]
    relative = relative_boxes(boxes, sizes).tolist()
    if predicted:
        columns["confidence"] = boxes.score.astype(np.float64).tolist()
    else:
        columns.update(_label_attributes(boxes))
    flat = [
        {
            "_id": ObjectId(),
            "_cls": "Detection",
            "attributes": {},
            "tags": [],
            "label": name,
            "bounding_box": box,
        }
        for name, box in zip(names, relative, strict=True)
    ]
    for key, values in columns.items():
        for document, value in zip(flat, values, strict=True):
            if value is not None:
                document[key] = value
    offsets = boxes.offsets.tolist()
    return [{"_cls": "Detections", "detections": flat[start:end]} for start, end in pairwise(offsets)]


def relative_boxes(boxes: FrameBoxes, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """``[B, 4]`` float64 ``x, y, width, height`` in shares of the image's size."""
    scale = sizes[boxes.frame_index]
    corner = boxes.xyxy[:, :2] / scale
    return np.concatenate([corner, boxes.xyxy[:, 2:] / scale - corner], 1)


def _label_attributes(boxes: FrameBoxes) -> dict[str, list[Any]]:
    """Columns that let a label come back from FiftyOne as it went in."""
    return {
        "index": [track if track >= 0 else None for track in boxes.track_id.tolist()],
        "ignore": [True if ignore else None for ignore in boxes.ignore.tolist()],
        "visibility": [None if math.isnan(value) else value for value in boxes.visibility.tolist()],
    }


def truth_digest(found: Sequence[Mapping[str, Any]], width: float, height: float) -> str:
    """Digest of a frame's boxes, the same whatever their order, tags or extra attributes.

    Args:
        found: Detections: ``label``, ``bounding_box`` and perhaps ``ignore``.
        width: Image width in pixels; corners are compared to a hundredth of a pixel.
        height: Image height in pixels.
    """
    rows = sorted(
        (
            str(box["label"]),
            bool(box.get("ignore")),
            *(
                round(float(value) * side, 2) + 0.0
                for value, side in zip(box["bounding_box"], (width, height) * 2, strict=True)
            ),
        )
        for box in found
    )
    return hashlib.blake2b(repr(rows).encode(), digest_size=8).hexdigest()


def plain(value: Any) -> Any:
    """A number that MongoDB and a JSON reader take: not NaN, not of numpy."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

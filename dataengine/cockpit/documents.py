"""Frames and boxes as the documents that FiftyOne keeps in MongoDB: plain dictionaries, fast to build."""

from __future__ import annotations

import gc
import hashlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine.frameboxes import FrameBoxes
from dataengine.schema import IGNORE


@contextmanager
def collector_paused() -> Iterator[None]:
    """Build many documents without Python's cycle collector.

    Documents hold no cycles, yet each few hundred of them would make it walk the objects of FiftyOne
    and its imports once more, which took over half of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@collector_paused()
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
    columns = dict(attributes or {})
    names = [classes[i] if 0 <= i < len(classes) else IGNORE for i in boxes.class_id.tolist()]
    relative = relative_boxes(boxes, sizes).tolist()
    if predicted:
        columns["confidence"] = boxes.score.astype(np.float64).tolist()
    else:
        columns.update(_label_attributes(boxes))
    flat = [
        {
            "_id": key,
            "_cls": "Detection",
            "attributes": {},
            "tags": [],
            "label": name,
            "bounding_box": box,
        }
        for key, name, box in zip(_identities(len(names)), names, relative, strict=True)
    ]
    for key, values in columns.items():
        for document, value in zip(flat, values, strict=True):
            if value is not None:
                document[key] = value
    offsets = boxes.offsets.tolist()
    return [{"_cls": "Detections", "detections": flat[start:end]} for start, end in pairwise(offsets)]


def _identities(number: int) -> Iterator[Any]:
    """Fresh ``ObjectId``s of 96 random bits: drawn together, in a fifth of the time of one by one."""
    from bson import ObjectId

    drawn = os.urandom(12 * number)
    return (ObjectId(drawn[start : start + 12]) for start in range(0, len(drawn), 12))


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

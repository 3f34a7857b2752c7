"""Values as FiftyOne keeps them, turned into ours: boxes, splits, times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from dataengine.adapters.exchange.fields import LARGEST_NUMBER
from dataengine.adapters.exchange.reading import frame_labels, seen
from dataengine.adapters.labels import FrameLabels
from dataengine.schema import POOL, TEST, VAL

_SPLIT_TAGS = {"train": POOL, "val": VAL, "validation": VAL, "test": TEST}


def labels_of(found: Sequence[Any], size: tuple[int, int]) -> FrameLabels:
    """Boxes of one frame from its ``BOX_VALUES``; ``size`` is width and height."""
    labels, relative, index, crowd, ignore, occluded = found
    width, height = size
    boxes = [
        [x * width, y * height, (x + w) * width, (y + h) * height]
        for x, y, w, h in (box or [float("nan")] * 4 for box in relative)
    ]
    number = len(boxes)
    regions = zip(crowd or [None] * number, ignore or [None] * number, strict=True)
    return frame_labels(
        boxes,
        [str(label) for label in labels],
        ignore=[bool(is_crowd) or bool(ignored) for is_crowd, ignored in regions],
        visibility=[seen(flag) for flag in occluded or [None] * number],
        tracks=index,
    )


def split_of(tags: Sequence[str] | None) -> str:
    """The split that a sample's tags name; empty for none or several."""
    found = {_SPLIT_TAGS[tag] for tag in tags or () if tag in _SPLIT_TAGS}
    return found.pop() if len(found) == 1 else ""


def text(value: Any) -> str:
    """A value as a name; empty for ``None``."""
    return "" if value is None else str(value)


def whole(value: Any) -> int | None:
    """A value as a frame number, where it can be one."""
    number = int(value) if isinstance(value, int | float) and abs(value) <= LARGEST_NUMBER else -1
    return number if number >= 0 else None


def seconds(value: Any) -> float | None:
    """A number or a date (UTC unless it says otherwise) in seconds; ``None`` for anything else."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    return float(value) if isinstance(value, int | float) and value == value else None  # noqa: PLR0124  NaN

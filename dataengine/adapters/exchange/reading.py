"""FiftyOne's reading code without FiftyOne's database, and what damaged files make of it."""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

import numpy as np
from numpy.typing import ArrayLike

from dataengine.adapters.base import BrokenFileError
from dataengine.adapters.labels import FrameLabels
from dataengine.errors import InputError

DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ExpatError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What reading code written for good files raises on bad ones."""

_LARGEST_TRACK = 2**31 - 1


def reader(module: str) -> Any:
    """A module of FiftyOne, imported when needed and quietly.

    This starts no MongoDB and writes no document: both happen at the first use of a dataset.
    It takes some seconds and needs no network.
    """
    os.environ.setdefault("FIFTYONE_DO_NOT_TRACK", "true")
    os.environ.setdefault("FIFTYONE_LOGGING_LEVEL", "ERROR")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # FiftyOne's own dependencies warn about each other
        return importlib.import_module(module)


@contextmanager
def damage_of(path: str) -> Iterator[None]:
    """Turn whatever a damaged file makes of reading code into ``BrokenFileError``."""
    try:
        yield
    except InputError:
        raise
    except DAMAGE as error:
        raise BrokenFileError(path, f"not readable ({told(error)})") from error


def told(error: BaseException) -> str:
    """An error of reading code in one short line."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = (str(error).splitlines() or [""])[0][:200]
    return f"no {text}" if isinstance(error, KeyError) else text or type(error).__name__


def read_xml(root: Path, name: str) -> dict[str, Any]:
    """An XML file as nested dictionaries, by FiftyOne's reader; ``BrokenFileError`` if it is none."""
    core = reader("fiftyone.core.utils")
    with damage_of(name):
        value = core.load_xml_as_json_dict(str(root / name))
        if not isinstance(value, dict):
            raise BrokenFileError(name, "not an XML document")
        return value


def read_lines(root: Path, name: str) -> list[str]:
    """The lines of a list, without blank ones; ``BrokenFileError`` if it cannot be read."""
    with damage_of(name):
        text = (root / name).read_bytes().decode("utf-8", "replace")
        return [line.strip() for line in text.splitlines() if line.strip()]


def as_list(value: Any) -> list[Any]:
    """Children of one name in a dictionary of XML: none, one or several."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def frame_labels(
    boxes: ArrayLike,
    names: Sequence[str],
    *,
    ignore: Sequence[bool] | None = None,
    visibility: Sequence[float] | None = None,
    tracks: Sequence[Any] | None = None,
) -> FrameLabels:
    """The labels of one frame from plain values.

    Args:
        boxes: ``xyxy`` in pixels; not checked here.
        names: As many class names.
        ignore: Which are ignore regions; none unless given.
        visibility: 0..1, NaN where unknown; unknown unless given.
        tracks: Track ids; anything that is no integer of 32 bits is no track.
    """
    number = len(names)
    with np.errstate(over="ignore"):  # a coordinate too large for float32 is told as one out of the image
        xyxy = np.asarray(boxes, np.float64).astype(np.float32).reshape(number, 4)
    return FrameLabels(
        xyxy=xyxy,
        names=tuple(names),
        ignore=np.asarray(ignore if ignore is not None else [False] * number, np.bool_),
        visibility=np.asarray(visibility if visibility is not None else [np.nan] * number, np.float32),
        track_id=np.asarray([_track(value) for value in tracks or [None] * number], np.int32),
    )


def seen(occluded: Any) -> float:
    """Visibility from a flag: 0.5 for an occluded object, 1 for another, NaN where the flag is not given."""
    if occluded is None:
        return float("nan")
    return 0.5 if str(occluded).strip().lower() in ("1", "true") else 1.0


def check_size(labelled: tuple[int, int] | None, size: tuple[int, int]) -> None:
    """Raise ``InputError`` if labels are for an image of another (width, height) than ``size`` (h, w)."""
    height, width = size
    if labelled is not None and labelled != (width, height) and all(labelled):
        raise InputError(f"labels for an image of {labelled[0]}x{labelled[1]}, but it is {width}x{height}")


def video_rate(path: Path) -> float:
    """Frames per second that a video's header states; 30 where it states none (ingest finds the damage)."""
    import av
    from av.error import FFmpegError

    try:
        with av.open(str(path)) as container:
            rate = container.streams.video[0].average_rate if container.streams.video else None
            return float(rate) if rate else 30.0
    except (FFmpegError, OSError, ValueError):
        return 30.0


def _track(value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return -1
    return number if 0 <= number <= _LARGEST_TRACK else -1

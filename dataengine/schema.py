"""The words of the engine as types: clips, frames, boxes, and the Arrow schema of each table.

Boxes are ``xyxy`` in pixels of the stored image, ``x`` to the right and ``y`` down, with
``x2 > x1`` and ``y2 > y1``; the origin is the corner of the top-left pixel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

POOL, VAL, TEST, TEST_BALANCED, GAP = "pool", "val", "test", "test_balanced", "gap"
UNLABELLED = "unlabelled"
"""Frames without labels in a dataset that has labels: nobody can sell or judge them."""
SPLITS = (POOL, VAL, TEST, TEST_BALANCED, GAP, UNLABELLED)
TEST_SPLITS = (TEST, TEST_BALANCED)
JUDGED_SPLITS = (VAL, *TEST_SPLITS)
"""Where every model is judged, and nothing is bought."""

CLIPS = pa.schema(
    [
        ("clip_id", pa.string()),
        ("drive_id", pa.string()),
        ("vehicle_id", pa.string()),
        ("camera", pa.string()),
        ("start_time_s", pa.float64()),
        ("fps", pa.float64()),
        ("num_frames", pa.int32()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("split_hint", pa.string()),
        ("conditions", pa.map_(pa.string(), pa.string())),
        ("source", pa.string()),
        ("licence", pa.string()),
    ]
)
"""``source`` is relative to the dataset's root; ``split_hint`` is the publisher's split, or empty."""

FRAMES = pa.schema(
    [
        ("frame_id", pa.string()),
        ("clip_id", pa.string()),
        ("drive_id", pa.string()),
        ("frame_number", pa.int32()),
        ("time_s", pa.float64()),
        ("media_root", pa.string()),
        ("image_path", pa.string()),
        ("mask_path", pa.string()),
        ("dataset", pa.string()),
        ("licence", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("sharpness", pa.float32()),
        ("brightness", pa.float32()),
        ("plain_share", pa.float32()),
        ("phash", pa.uint64()),
        ("speed_mps", pa.float32()),
        ("yaw_rate_radps", pa.float32()),
        ("acceleration_mps2", pa.float32()),
        ("split_hint", pa.string()),
        ("conditions", pa.map_(pa.string(), pa.string())),
    ]
)
"""``time_s`` counts from the clip's start. ``media_root`` is ``workspace`` or ``source``: the folder
that ``image_path`` is relative to. ``dataset`` is the card's name, ``licence`` its kind of licence.
Sharpness is the variance of the Laplacian, brightness the mean grey value / 255, ``plain_share`` the
share of the image's tiles without detail. The three signals are null where they were not measured."""

TELEMETRY = pa.schema([("frame_id", pa.string()), ("signals", pa.map_(pa.string(), pa.list_(pa.float32())))])
"""One row for each frame that has more telemetry than the three signals of ``FRAMES``; the unit is in
the name, a scalar is a list of one."""

QUALITY_FLAGS = pa.schema(
    [("frame_id", pa.string()), ("flag", pa.string()), ("value", pa.float32()), ("reason", pa.string())]
)
"""One row for each flag of a frame: ``dark``, ``bright``, ``blurred``, ``frozen``, ``blocked``."""

DUPLICATES = pa.schema(
    [
        ("frame_id", pa.string()),
        ("best_frame_id", pa.string()),
        ("kind", pa.string()),
        ("distance", pa.float32()),
    ]
)
"""One row for each frame that repeats another: the best one of its group, whether the perceptual ``hash``
(bits) or the ``embedding`` (cosine distance) says so, and how far the two are apart."""

BLURRED = pa.schema(
    [
        ("frame_id", pa.string()),
        ("rule", pa.string()),
        ("num_regions", pa.int32()),
        ("area_share", pa.float32()),
    ]
)
"""One row a frame that went through the anonymiser: regions made unreadable, and their share of it."""

SPLIT_TABLE = pa.schema([("frame_id", pa.string()), ("split", pa.string()), ("reason", pa.string())])

FRAME_BOXES = pa.schema(
    [
        ("frame_id", pa.string()),
        ("xyxy", pa.list_(pa.float32())),
        ("class_id", pa.list_(pa.int16())),
        ("score", pa.list_(pa.float32())),
        ("ignore", pa.list_(pa.bool_())),
        ("visibility", pa.list_(pa.float32())),
        ("track_id", pa.list_(pa.int32())),
    ]
)
"""One row a frame (frames without objects too); ``xyxy`` is flattened, four values a box."""

PREDICTIONS = pa.schema(
    [
        *FRAME_BOXES,
        ("class_scores", pa.list_(pa.float32())),
        ("embedding", pa.list_(pa.float32())),
        ("features", pa.list_(pa.float16())),
    ]
)
"""``class_scores`` is flattened, one value per class for each box, and so is ``features``, one vector for
each box (empty where the detector gives none); ``embedding`` is one vector a frame."""

SELECTION = pa.schema(
    [
        ("frame_id", pa.string()),
        ("cycle", pa.int32()),
        ("rank", pa.int32()),
        ("score", pa.float32()),
        ("trigger", pa.string()),
        ("reason", pa.string()),
    ]
)

FRAME_ERRORS = pa.schema(
    [
        ("frame_id", pa.string()),
        ("hits", pa.int32()),
        ("missed", pa.int32()),
        ("false_alarm", pa.int32()),
        ("swapped_class", pa.int32()),
        ("bad_location", pa.int32()),
    ]
)
"""One row for every evaluated frame of val and test."""

MISTAKES = pa.schema(
    [
        ("frame_id", pa.string()),
        ("kind", pa.string()),
        ("truth_box", pa.int32()),
        ("predicted_box", pa.int32()),
        ("truth_class", pa.int16()),
        ("predicted_class", pa.int16()),
        ("score", pa.float32()),
        ("iou", pa.float32()),
    ]
)
"""One row a mistake. ``kind`` is ``missed``, ``false_alarm``, ``swapped_class`` or ``bad_location``; the
boxes are numbers within the frame, -1 where there is none, and so are the classes."""

ALL_LABELS = "all_labels"
"""Name of the ceiling that buys the whole pool at once and trains for longer than any arm."""

IGNORE = "ignore"
"""The class-map target that turns a box into an ignore region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxonomy:
    """The ordered class names of a workspace, and which of them its card declares rare.

    Attributes:
        classes: Names in the order of ``class_id``.
        class_map: From a dataset's own name to one of ``classes``, or to ``"ignore"``.
        tail_classes: Names from ``classes`` that the dataset's card declares rare, before any run.
        tail_conditions: Condition -> values that the card declares rare, e.g. ``weather: [fog]``.
    """

    classes: tuple[str, ...]
    class_map: Mapping[str, str] = field(default_factory=dict)
    tail_classes: tuple[str, ...] = ()
    tail_conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.classes)

    def index(self, name: str) -> int:
        """The ``class_id`` of a class name."""
        return self.classes.index(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure of an evaluation.

    Attributes:
        split: Which frames were judged.
        slice: ``all``, ``class:car``, ``time_of_day:night``, ``size:small``, ``tail``, ``drive:...``.
        metric: ``map50_95``, ``ap50``, ``num_objects``, ``num_frames``, ``misses_per_frame``,
            ``false_alarms_per_frame``; with ``_lower`` and ``_upper`` for the ends of an interval.
        value: NaN where the slice holds no object of any class.
    """

    split: str
    slice: str
    metric: str
    value: float


def condition(table: pa.Table, name: str) -> NDArray[np.object_]:
    """``[F]`` value of one condition for every row of a clips or frames table; ``""`` where unknown."""
    values = np.empty(table.num_rows, object)
    values[:] = [dict(pairs or ()).get(name, "") for pairs in table["conditions"].to_pylist()]
    return values

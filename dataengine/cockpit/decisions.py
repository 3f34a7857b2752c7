"""What people decided in FiftyOne, and how it comes back: rejected frames and corrected boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from dataengine.cockpit import connection, documents, record
from dataengine.cockpit.facts import REJECT
from dataengine.errors import InputError
from dataengine.frameboxes import FrameBoxes
from dataengine.schema import IGNORE, POOL, Taxonomy
from dataengine.workspace import Workspace

TRUTH = "ground_truth"
DIGEST = "truth_digest"
CORRECTED = "corrected"
"""Digest of boxes that were a person's already when they were written: they never equal it."""


def _nothing() -> FrameBoxes:
    return FrameBoxes.build([], [], [], [])


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What a person changed.

    Attributes:
        rejected: Ids of frames tagged ``reject``, in order.
        corrected: True boxes of labelled frames of the pool whose boxes are not those that were bought.
    """

    rejected: tuple[str, ...] = ()
    corrected: FrameBoxes = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the dataset holds of one frame before a sync.

    Attributes:
        sample_id: The sample's ``ObjectId``.
        tags: All tags.
        split: Split when it was written.
        size: Width and height in pixels.
        detections: True boxes, as documents.
        digest: Digest of the true boxes as they were written; ``None`` where none were.
        modified: Time of the last change.
    """

    sample_id: Any
    tags: tuple[str, ...]
    split: str
    size: tuple[float, float]
    detections: list[dict[str, Any]] | None
    digest: str | None
    modified: datetime | None

    @property
    def edited(self) -> bool:
        """Whether a person changed the true boxes, or drew some where none were written."""
        if self.detections is None and self.digest is None:
            return False
        return self.digest != documents.truth_digest(self.detections or [], *self.size)


def pull_decisions(workspace: Workspace) -> Decisions:
    """Bring back what people decided in FiftyOne.

    Nothing is imported and no database is started before the workspace's first sync.

    Raises:
        ServiceError: The dataset was written, but MongoDB cannot be reached now.
        InputError: A corrected box carries a class that the workspace does not know.
    """
    name = record.recorded(workspace.root)
    if name is None:
        return Decisions()
    fo = connection.connect()
    with connection.service_errors():
        if not fo.dataset_exists(name):
            return Decisions()
        found = held(fo.load_dataset(name))
    edited = {
        frame_id: sample
        for frame_id, sample in sorted(found.items())
        if sample.split == POOL and sample.digest is not None and sample.edited
    }
    return Decisions(
        rejected=tuple(sorted(frame_id for frame_id, sample in found.items() if REJECT in sample.tags)),
        corrected=_boxes(edited, workspace.taxonomy),
    )


def held(dataset: Any) -> dict[str, Held]:
    """Frame id -> what the dataset holds of it."""
    wanted = ("frame_id", "tags", "split", "metadata", TRUTH, DIGEST, "last_modified_at")
    if "frame_id" not in dataset.get_field_schema():
        return {}
    # FiftyOne's own aggregation: plain documents, without a Sample object for each frame.
    rows = dataset._aggregate(pipeline=[{"$project": dict.fromkeys(wanted, True)}])  # noqa: SLF001
    return {row["frame_id"]: _held(row) for row in rows if row.get("frame_id")}


def _held(row: Mapping[str, Any]) -> Held:
    metadata, truth = row.get("metadata") or {}, row.get(TRUTH)
    return Held(
        sample_id=row["_id"],
        tags=tuple(row.get("tags") or ()),
        split=str(row.get("split") or ""),
        size=(float(metadata.get("width") or 1), float(metadata.get("height") or 1)),
        detections=None if truth is None else list(truth.get("detections") or ()),
        digest=row.get(DIGEST),
        modified=row.get("last_modified_at"),
    )


def _boxes(edited: Mapping[str, Held], taxonomy: Taxonomy) -> FrameBoxes:
    """The current true boxes of some frames, in pixels."""
    counts, class_id, ignore, visibility, track = [], [], [], [], []
    xyxy: list[tuple[float, ...]] = []
    for frame_id, sample in edited.items():
        found = sample.detections or []
        before = len(xyxy)
        for box in found:
            number, ignored = _class(str(box.get("label")), taxonomy, frame_id)
            x, y, width, height = (
                float(v) * s for v, s in zip(box["bounding_box"], sample.size * 2, strict=True)
            )
            if not (width > 0 and height > 0):
                continue
            xyxy.append((x, y, x + width, y + height))
            class_id.append(number)
            ignore.append(ignored or bool(box.get("ignore")))
            visibility.append(_or(box.get("visibility"), np.nan))
            track.append(int(_or(box.get("index"), -1)))
        counts.append(len(xyxy) - before)
    return FrameBoxes.build(
        list(edited), counts, xyxy, class_id, ignore=ignore, visibility=visibility, track_id=track
    )


def _or(value: Any, default: float) -> float:
    return default if value is None else float(value)


def _class(label: str, taxonomy: Taxonomy, frame_id: str) -> tuple[int, bool]:
    """Class id of a label, and whether the box is an ignore region."""
    name = label if label in taxonomy.classes else taxonomy.class_map.get(label, label)
    if name == IGNORE:
        return -1, True
    if name not in taxonomy.classes:
        raise InputError(
            f"frame {frame_id}: a corrected box has the class {label}; in FiftyOne choose one of "
            f"{', '.join(taxonomy.classes)} or {IGNORE}"
        )
    return taxonomy.index(name), False

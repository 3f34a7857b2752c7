"""The fields of the dataset as columns: which they are, a digest of their source, their values.

A column is written once and again only when its digest changes, so a sync after one more cycle
writes that cycle and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from dataengine import files
from dataengine.cockpit import documents
from dataengine.cockpit.facts import Arm, Facts, subset
from dataengine.frameboxes import FrameBoxes, positions

WRITER_VERSION = 1
"""Part of every digest: raise it when the same source is to be written in another way."""
SHOWN_SCORE = 0.2
"""Predictions below this score are left out, unless they are part of a mistake."""
MAX_SHOWN = 50
"""Most predictions of one frame that are shown, best first."""

INTEGER, FLOAT, STRING, BOX_LIST, RECORD = "integer", "float", "string", "boxes", "record"
FLOAT_LIST = "floats"

STATIC = {
    "frame_id": STRING,
    "clip_id": STRING,
    "drive_id": STRING,
    "frame_number": INTEGER,
    "time_s": FLOAT,
    "speed_mps": FLOAT,
    "yaw_rate_radps": FLOAT,
    "acceleration_mps2": FLOAT,
    "sharpness": FLOAT,
    "brightness": FLOAT,
    "dataset": STRING,
    "licence": STRING,
}
PICK = {"cycle": INTEGER, "rank": INTEGER, "score": FLOAT, "trigger": STRING, "reason": STRING}
ERROR_KINDS = ("missed", "false_alarm", "swapped_class", "bad_location")
ERRORS = dict.fromkeys(("hits", *ERROR_KINDS), INTEGER)

Values = dict[str, dict[str, Any]]
"""Frame id -> field -> value, without the fields that have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Some fields that are written together.

    Attributes:
        name: Key under which the digest is remembered.
        fields: Field -> its kind; a ``record`` field has its parts as ``field.part``.
        digest: Of everything that the values depend on.
        values: The values of the named frames.
    """

    name: str
    fields: Mapping[str, str]
    digest: str
    values: Callable[[Sequence[str]], Values]

    @property
    def top_level(self) -> list[str]:
        """Fields of the sample itself, parts of records left out."""
        return [field for field in self.fields if "." not in field]


def columns(facts: Facts) -> list[Column]:
    """Every column but tags and true boxes, which people change too."""
    found = [_static(facts), _status(facts)]
    for arm in facts.arms:
        found += [_pick(facts, arm), *(_predictions(facts, arm, cycle) for cycle in arm.predicted)]
        if arm.predicted:
            found.append(_errors(arm))
    return found


def condition_fields(facts: Facts) -> dict[str, str]:
    """Condition -> field name; a name that another field has gets ``condition_`` before it."""
    names = sorted({key for pairs in facts.frames["conditions"].to_pylist() for key, _ in pairs or ()})
    taken = {*STATIC, "id", "filepath", "tags", "metadata", "split", "status", "ground_truth", "created_at"}
    plain = {name: "".join(c if c.isalnum() else "_" for c in name.lower()) for name in names}
    return {
        name: f"condition_{field}" if field in taken or not field[:1].isalpha() else field
        for name, field in plain.items()
    }


def _static(facts: Facts) -> Column:
    """Where a frame comes from, its telemetry, quality and conditions, and its image."""
    conditions = condition_fields(facts)
    table = facts.frames.select([*STATIC, "split", "width", "height", "conditions"])
    digest = files.digest([WRITER_VERSION, _table_digest(table), facts.paths])

    def values(frame_ids: Sequence[str]) -> Values:
        index = positions(np.array(facts.frame_ids, object), frame_ids)
        rows = table.take(pa.array(index)).to_pylist()
        found = {}
        for number, row in zip(index.tolist(), rows, strict=True):
            metadata = {"_cls": "ImageMetadata", "width": row.pop("width"), "height": row.pop("height")}
            pairs = row.pop("conditions") or ()
            document = {**row, **{conditions[key]: value for key, value in pairs}}
            document |= {"filepath": facts.paths[number], "metadata": metadata}
            found[row["frame_id"]] = {k: v for k, v in document.items() if documents.plain(v) is not None}
        return found

    fields = {**STATIC, "split": STRING, **dict.fromkeys(conditions.values(), STRING)}
    return Column(name="static", fields=fields, digest=digest, values=values)


def _status(facts: Facts) -> Column:
    words = facts.status()
    return Column(
        name="status",
        fields={"status": STRING},
        digest=files.digest([WRITER_VERSION, words]),
        values=lambda frame_ids: {f: {"status": words[f]} for f in frame_ids if words[f]},
    )


def _pick(facts: Facts, arm: Arm) -> Column:
    """Cycle, rank, score, trigger and reason of the pick that bought a frame."""
    picks = {
        frame_id: {part: documents.plain(row[part]) for part in PICK}
        for rows in facts.picks(arm).values()
        for frame_id, row in rows.items()
    }

    def values(frame_ids: Sequence[str]) -> Values:
        return {f: {arm.pick_field: record(picks[f])} for f in frame_ids if f in picks}

    return Column(
        name=arm.pick_field,
        fields=record_fields(arm.pick_field, PICK),
        digest=files.digest([WRITER_VERSION, picks]),
        values=values,
    )


def _errors(arm: Arm) -> Column:
    """What the last cycle's model gets wrong in a frame of val and test, counted."""
    table = arm.table(arm.predicted[-1], "errors")
    counts = {row.pop("frame_id"): row for row in table.to_pylist()}

    def values(frame_ids: Sequence[str]) -> Values:
        return {f: {arm.errors_field: record(counts[f])} for f in frame_ids if f in counts}

    return Column(
        name=arm.errors_field,
        fields=record_fields(arm.errors_field, ERRORS),
        digest=files.digest([WRITER_VERSION, counts]),
        values=values,
    )


def _predictions(facts: Facts, arm: Arm, cycle: int) -> Column:
    """What the model of one cycle predicts, with the kind of mistake where it makes one."""
    field, folder = arm.predictions_field(cycle), arm.run.cycle(cycle)
    names = [folder / f"{name}.parquet" for name in ("predictions", "mistakes")]
    digest = files.digest([WRITER_VERSION, SHOWN_SCORE, MAX_SHOWN, *(files.sha256(name) for name in names)])
    loaded: list[tuple[FrameBoxes, list[str | None]]] = []

    def values(frame_ids: Sequence[str]) -> Values:
        if not loaded:
            loaded.append(_shown_predictions(arm, cycle))
        boxes, kinds = loaded[0]
        chosen = subset(boxes, frame_ids)
        where = positions(boxes.frame_ids, chosen.frame_ids)
        picked = [kinds[row] for frame in where for row in range(*boxes.offsets[[frame, frame + 1]])]
        sizes = facts.sizes[positions(np.array(facts.frame_ids, object), chosen.frame_ids)]
        encoded = documents.detections(
            chosen, sizes, facts.classes, attributes={"mistake": picked}, predicted=True
        )
        return {f: {field: value} for f, value in zip(chosen.frame_ids, encoded, strict=True)}

    return Column(
        name=field, fields={field: BOX_LIST, f"{field}.mistake": STRING}, digest=digest, values=values
    )


def _shown_predictions(arm: Arm, cycle: int) -> tuple[FrameBoxes, list[str | None]]:
    """Predictions worth a look, and for each the kind of its mistake, ``hit``, or ``None``.

    ``hit`` stands for a box from ``evaluate.error_score`` on that is no mistake: a find, or a box in an
    ignore region.
    """
    table = arm.table(cycle, "predictions").select(
        ["frame_id", "xyxy", "class_id", "score", "ignore", "visibility", "track_id"]
    )
    boxes = FrameBoxes.from_table(table)
    mistakes = arm.table(cycle, "mistakes")
    judged = set(arm.table(cycle, "errors")["frame_id"].to_pylist())
    kinds = box_kinds(boxes, mistakes, "predicted_box")
    number = np.arange(boxes.num_boxes) - np.repeat(boxes.offsets[:-1], boxes.counts)
    wrong = np.array([kind is not None for kind in kinds], bool)
    keep = ((boxes.score >= SHOWN_SCORE) & (number < MAX_SHOWN)) | wrong
    is_judged = np.array([frame_id in judged for frame_id in boxes.frame_ids], bool)[boxes.frame_index]
    found = is_judged & (boxes.score >= arm.error_score)
    for row in np.flatnonzero(found & ~wrong):
        kinds[row] = "hit"
    return boxes.filter(keep), [kinds[row] for row in np.flatnonzero(keep)]


def box_kinds(boxes: FrameBoxes, mistakes: pa.Table, column: str) -> list[str | None]:
    """The kind of mistake that each box takes part in; ``None`` for the others.

    Args:
        boxes: The boxes that ``column`` numbers within each frame.
        mistakes: Schema ``MISTAKES``.
        column: ``truth_box`` or ``predicted_box``.
    """
    start = dict(zip(boxes.frame_ids, zip(boxes.offsets[:-1], boxes.counts, strict=True), strict=True))
    kinds: list[str | None] = [None] * boxes.num_boxes
    rows = zip(*(mistakes[name].to_pylist() for name in ("frame_id", column, "kind")), strict=True)
    for frame_id, box, kind in rows:
        first, count = start.get(frame_id, (0, 0))
        if 0 <= box < count:
            kinds[first + box] = kind
    return kinds


def record(parts: Mapping[str, Any]) -> dict[str, Any]:
    """An embedded document with these parts."""
    return {"_cls": "DynamicEmbeddedDocument", **{k: v for k, v in parts.items() if v is not None}}


def record_fields(field: str, parts: Mapping[str, str]) -> dict[str, str]:
    """The fields of an embedded document, for declaring them."""
    return {field: RECORD, **{f"{field}.{part}": kind for part, kind in parts.items()}}


def _table_digest(table: pa.Table) -> str:
    import hashlib

    sink = hashlib.sha256()
    for batch in table.combine_chunks().to_batches():
        sink.update(batch.serialize())
    return sink.hexdigest()

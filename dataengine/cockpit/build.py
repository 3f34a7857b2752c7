"""Write what the lake and the runs say into the workspace's FiftyOne dataset, keeping people's decisions.

The dataset is changed in place and never dropped: tags, corrected boxes, fields, views and brain
runs that a person added stay where they are. A field of ours is rewritten only when its source
changed. If MongoDB dies half-way, the next sync finishes the work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataengine.cockpit import connection, documents, layout, projection, record, views, writer
from dataengine.cockpit.columns import (
    BOX_LIST,
    FLOAT,
    FLOAT_LIST,
    INTEGER,
    RECORD,
    STRING,
    Column,
    box_kinds,
    columns,
)
from dataengine.cockpit.curation import curated
from dataengine.cockpit.decisions import CORRECTED, DIGEST, TRUTH, Held, held
from dataengine.cockpit.facts import OUR_TAGS, REJECT, Facts, subset
from dataengine.cockpit.ownership import Ownership
from dataengine.frameboxes import positions
from dataengine.progress import bar
from dataengine.workspace import Run, Workspace

CHUNK = 2000
"""Frames whose documents are in memory at once."""


def sync(workspace: Workspace, runs: Sequence[Run]) -> str:
    """Bring the workspace's FiftyOne dataset up to what the lake and the runs say now.

    Args:
        workspace: Whose frames to show.
        runs: Runs to show; of each arm the newest one. Labels count whichever run bought them.

    Returns:
        The dataset's name.

    Raises:
        ServiceError: MongoDB cannot be started or reached; nothing that a person did is lost.
    """
    facts = Facts.gather(workspace, runs)
    fo = connection.connect()
    name = record.claim(workspace.root)
    with connection.service_errors():
        dataset = fo.load_dataset(name) if fo.dataset_exists(name) else fo.Dataset(name, persistent=True)
        ours = Ownership.of(dataset, workspace)
        wanted = [*columns(facts), *curated(facts)]
        _declare(fo, dataset, facts, wanted)
        before = held(dataset)
        with bar("FiftyOne", len(facts.frames)) as advance:
            _write(dataset, facts, wanted, ours, before, advance)
        _drop_stale(dataset, wanted, ours)
        projection.write(dataset, facts, ours)
        views.save(dataset, facts, ours)
        layout.apply(dataset, facts, ours)
        ours.save()
    return name


def _declare(fo: Any, dataset: Any, facts: Facts, wanted: Sequence[Column]) -> None:
    """Declare every field: undeclared values are invisible, or stop samples from loading."""
    have = dataset.get_field_schema(flat=True)
    fields = {TRUTH: BOX_LIST, f"{TRUTH}.ignore": "boolean", f"{TRUTH}.visibility": FLOAT, DIGEST: STRING}
    fields |= {f"{TRUTH}.{arm.mistake_field}": STRING for arm in facts.arms if arm.predicted}
    fields |= {key: kind for column in wanted for key, kind in column.fields.items()}
    kinds = {INTEGER: fo.IntField, FLOAT: fo.FloatField, STRING: fo.StringField, "boolean": fo.BooleanField}
    embedded = {BOX_LIST: fo.Detections, RECORD: fo.DynamicEmbeddedDocument}
    if "metadata.width" not in have:
        dataset.add_sample_field("metadata", fo.EmbeddedDocumentField, embedded_doc_type=fo.ImageMetadata)
    lists = {key for key, kind in fields.items() if kind == BOX_LIST}
    for key, kind in fields.items():
        parent, _, part = key.partition(".")
        path = f"{parent}.detections.{part}" if part and parent in lists else key
        if path in have:
            continue
        if kind == FLOAT_LIST:
            dataset.add_sample_field(path, fo.ListField, subfield=fo.FloatField)
        elif kind in embedded:
            dataset.add_sample_field(path, fo.EmbeddedDocumentField, embedded_doc_type=embedded[kind])
        else:
            dataset.add_sample_field(path, kinds[kind])
    if dataset.media_type is None:
        dataset.media_type = "image"
    dataset.create_index("frame_id", unique=True)
    dataset.create_index([("clip_id", 1), ("frame_number", 1)])


def _write(
    dataset: Any,
    facts: Facts,
    wanted: Sequence[Column],
    ours: Ownership,
    before: Mapping[str, Held],
    advance: Any,
) -> None:
    """Insert the frames that are new and change what changed of the others."""
    ids = facts.frame_ids
    new = [frame_id for frame_id in ids if frame_id not in before]
    old = [frame_id for frame_id in ids if frame_id in before]
    owned, stale = (
        facts.tags(),
        [column for column in wanted if ours.digests.get(column.name) != column.digest],
    )
    # Entered before the first write, so that a sync cut short knows its fields again.
    ours.fields |= {field for column in wanted for field in column.top_level}
    ours.forget(column.name for column in stale)
    for chunk in _chunks(new):
        writer.insert(dataset, _new_documents(facts, wanted, owned, chunk))
        advance(len(chunk))
    for chunk in _chunks(old):
        # First the boxes: they are left alone where a sample changed since `before` was read.
        writer.update(dataset, _truth_changes(facts, ours, before, chunk))
        writer.update(dataset, _tag_changes(owned, before, chunk))
        for column in stale:
            writer.update(dataset, _changes(column, before, chunk))
        advance(len(chunk))
    dataset.reload()
    ours.remember({column.name: column.digest for column in wanted}, _truth_source(facts))


def _new_documents(
    facts: Facts, wanted: Sequence[Column], owned: Mapping[str, list[str]], chunk: Sequence[str]
) -> list[dict[str, Any]]:
    truth = _truth_documents(facts, chunk)
    found: dict[str, dict[str, Any]] = {frame_id: {} for frame_id in chunk}
    for column in wanted:
        for frame_id, values in column.values(chunk).items():
            found[frame_id].update(values)
    for frame_id, document in found.items():
        rejected = [REJECT] if frame_id in facts.rejected else []
        document.update(truth.get(frame_id, {}), tags=[*owned[frame_id], *rejected])
    return list(found.values())


def _changes(column: Column, before: Mapping[str, Held], chunk: Sequence[str]) -> list[writer.Update]:
    values = column.values(chunk)
    return [
        writer.Update(
            sample_id=before[frame_id].sample_id,
            set=values.get(frame_id, {}),
            unset=[field for field in column.top_level if field not in values.get(frame_id, {})],
        )
        for frame_id in chunk
    ]


def _tag_changes(
    owned: Mapping[str, list[str]], before: Mapping[str, Held], chunk: Sequence[str]
) -> list[writer.Update]:
    import re

    return [
        writer.Update(sample_id=before[frame_id].sample_id, own_tags=owned[frame_id], tag_pattern=OUR_TAGS)
        for frame_id in chunk
        if [tag for tag in before[frame_id].tags if re.search(OUR_TAGS, tag)] != owned[frame_id]
    ]


def _truth_changes(
    facts: Facts, ours: Ownership, before: Mapping[str, Held], chunk: Sequence[str]
) -> list[writer.Update]:
    """True boxes that were bought since, or are gone; never those that a person touched.

    A sample that changes between reading and writing is left as it is: the next sync sees it.
    """
    truth = _truth_documents(facts, chunk)
    changes = []
    for frame_id in chunk:
        sample, new = before[frame_id], truth.get(frame_id)
        if sample.edited:
            continue
        if new is None:
            fields: dict[str, Any] = {} if sample.digest is None else {"unset": (TRUTH, DIGEST)}
        elif sample.digest is None or new[DIGEST] not in {sample.digest, CORRECTED}:
            fields = {"set": new}
        elif ours.truth_source != _truth_source(facts):
            fields = _attribute_changes(facts, new, sample)
        else:
            fields = {}
        if fields:
            changes.append(
                writer.Update(sample_id=sample.sample_id, unless_modified_since=sample.modified, **fields)
            )
    return changes


def _attribute_changes(facts: Facts, new: Mapping[str, Any], sample: Held) -> dict[str, Any]:
    """Set the mistakes of each true box by its place in the list, leaving its tags and id alone."""
    names = [arm.mistake_field for arm in facts.arms]
    found, set_, unset = new[TRUTH]["detections"], {}, []
    if new[DIGEST] == CORRECTED:
        return {}
    for place, box in enumerate(sample.detections or []):
        twin: Mapping[str, Any] = next((n for n in found if _same(n, box)), {})
        for name in names:
            path = f"{TRUTH}.detections.{place}.{name}"
            if name in twin:
                set_[path] = twin[name]
            elif name in box:
                unset.append(path)
    return {"set": set_, "unset": unset} if set_ or unset else {}


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(one["label"] == other["label"] and one["bounding_box"] == other["bounding_box"])


def _truth_documents(facts: Facts, chunk: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Frame id -> true boxes and their digest, for the frames whose truth may be shown."""
    import numpy as np

    boxes = subset(facts.truth, chunk)
    sizes = facts.sizes[positions(np.array(facts.frame_ids, object), boxes.frame_ids)]
    attributes = {
        arm.mistake_field: box_kinds(boxes, arm.table(arm.predicted[-1], "mistakes"), "truth_box")
        for arm in facts.arms
        if arm.predicted
    }
    encoded = documents.detections(boxes, sizes, facts.classes, attributes=attributes)
    return {
        frame_id: {
            TRUTH: value,
            DIGEST: CORRECTED
            if frame_id in facts.corrected
            else documents.truth_digest(value["detections"], *size),
        }
        for frame_id, value, size in zip(boxes.frame_ids, encoded, sizes.tolist(), strict=True)
    }


def _truth_source(facts: Facts) -> str:
    """What the mistakes on true boxes come from."""
    return "|".join(f"{arm.run.run_id}/{arm.predicted[-1]}" for arm in facts.arms if arm.predicted)


def _drop_stale(dataset: Any, wanted: Sequence[Column], ours: Ownership) -> None:
    """Remove fields that an earlier sync wrote and no run fills any more."""
    keep = {field for column in wanted for field in column.top_level}
    schema = dataset.get_field_schema()
    for field in ours.fields - keep:
        if field in schema:
            dataset.delete_sample_field(field)
    ours.fields = keep
    ours.forget(set(ours.digests) - {column.name for column in wanted})


def _chunks(items: Sequence[str]) -> list[Sequence[str]]:
    return [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]

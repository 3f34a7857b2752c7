"""Write many samples at once, past FiftyOne's per-sample checks.

``add_samples`` validates every label of every sample; whole documents through the collection's
``insert_many`` are an order of magnitude faster. That collection is private to FiftyOne, so it is
touched here alone, compared with ``add_samples`` by a test, and left for the public calls where its
name is gone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dataengine.cockpit.documents import collector_paused

BATCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A change of one sample.

    Attributes:
        sample_id: The sample's ``ObjectId``.
        set: Path -> value; paths may reach into lists, such as ``ground_truth.detections.0.mistake``.
        unset: Paths to remove.
        unless_modified_since: Leave the sample alone where it was changed after this time.
        own_tags: Tags to set in place of those that match ``tag_pattern``; other tags stay.
        tag_pattern: Which tags ``own_tags`` replaces.
    """

    sample_id: Any
    set: Mapping[str, Any] = field(default_factory=dict)
    unset: Sequence[str] = ()
    unless_modified_since: datetime | None = None
    own_tags: Sequence[str] | None = None
    tag_pattern: str = ""


def insert(dataset: Any, documents: Sequence[Mapping[str, Any]]) -> None:
    """Add samples to a dataset whose fields are declared; ``reload`` the dataset before reading samples.

    Args:
        dataset: A FiftyOne image dataset.
        documents: ``filepath``, ``metadata``, ``tags`` and values of declared fields, labels with
            ``_cls``, ``_id`` and ``tags``; without what FiftyOne adds itself.
    """
    collection, identity = _collection(dataset), getattr(getattr(dataset, "_doc", None), "id", None)
    if collection is None or identity is None:
        _add_samples(dataset, documents)
        return
    if dataset.media_type is None:
        dataset.media_type = "image"
    for batch in _batches(documents):
        now = _now()
        with collector_paused():
            whole = [
                {
                    "_media_type": "image",
                    # FiftyOne's own range: views that shuffle mix old and new samples by this number.
                    "_rand": random.random() * 0.001 + 0.999,
                    "tags": [],
                    **document,
                    "_dataset_id": identity,
                    "created_at": now,
                    "last_modified_at": now,
                }
                for document in batch
            ]
            collection.insert_many(whole, ordered=False)


def update(dataset: Any, updates: Sequence[Update]) -> int:
    """Apply changes and note the time of change; ``reload`` the dataset before reading samples.

    Returns:
        How many samples were changed.
    """
    from pymongo import UpdateOne

    collection = _collection(dataset)
    if collection is None:
        return _set_values(dataset, updates)
    changed = 0
    for batch in _batches(updates):
        now = _now()
        with collector_paused():
            operations = [UpdateOne(*_operation(change, now)) for change in batch]
            changed += collection.bulk_write(operations, ordered=False).modified_count
    return changed


def _operation(change: Update, now: datetime) -> tuple[dict[str, Any], Any]:
    """Filter and change of one sample; tags are merged by the server, so that none is lost in between."""
    query: dict[str, Any] = {"_id": change.sample_id}
    if change.unless_modified_since is not None:
        query["last_modified_at"] = change.unless_modified_since
    if change.own_tags is not None:
        foreign = {
            "$filter": {
                "input": {"$ifNull": ["$tags", []]},
                "cond": {"$not": [{"$regexMatch": {"input": "$$this", "regex": change.tag_pattern}}]},
            }
        }
        tags = {"$concatArrays": [list(change.own_tags), foreign]}
        return query, [{"$set": {"tags": tags, "last_modified_at": now}}]
    action: dict[str, Any] = {"$set": {**change.set, "last_modified_at": now}}
    if change.unset:
        action["$unset"] = dict.fromkeys(change.unset, "")
    return query, action


def _collection(dataset: Any) -> Any:
    """The MongoDB collection of a dataset's samples; ``None`` where this FiftyOne hides it elsewhere."""
    return getattr(dataset, "_sample_collection", None)


def _add_samples(dataset: Any, documents: Sequence[Mapping[str, Any]]) -> None:
    import copy

    import fiftyone as fo

    samples = [fo.Sample.from_dict({"tags": [], **copy.deepcopy(dict(document))}) for document in documents]
    dataset.add_samples(samples, dynamic=True, progress=False)


def _set_values(dataset: Any, updates: Sequence[Update]) -> int:
    """The public way: slower, whole fields only (changes inside lists are skipped)."""
    import re

    by_field: dict[str, dict[str, Any]] = {}
    tags = {str(u.sample_id): u for u in updates if u.own_tags is not None}
    if tags:
        held = dict(zip(*dataset.select(list(tags)).values(["id", "tags"]), strict=True))
        by_field["tags"] = {
            key: [*(u.own_tags or ()), *(t for t in held[key] if not re.search(u.tag_pattern, t))]
            for key, u in tags.items()
        }
    for change in updates:
        values = {**dict.fromkeys(change.unset), **change.set}
        for path, value in values.items():
            if "." not in path:
                by_field.setdefault(path, {})[str(change.sample_id)] = _label(value)
    for path, found in by_field.items():
        dataset.set_values(path, found, key_field="id", progress=False)
    return len(updates)


def _label(value: Any) -> Any:
    """A FiftyOne object from its document."""
    import fiftyone as fo

    if not isinstance(value, dict) or "_cls" not in value:
        return value
    if value["_cls"] == "DynamicEmbeddedDocument":
        return fo.DynamicEmbeddedDocument(**{k: v for k, v in value.items() if k != "_cls"})
    return getattr(fo, value["_cls"]).from_dict(value)


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


def _now() -> datetime:
    """The time as FiftyOne stores it: naive, in UTC, to the millisecond."""
    now = datetime.now(UTC).replace(tzinfo=None)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)

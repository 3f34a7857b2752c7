"""What curation and the vehicle's own sensors say of a frame, as columns of the dataset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from dataengine import files
from dataengine.cockpit import documents
from dataengine.cockpit.columns import (
    FLOAT,
    FLOAT_LIST,
    INTEGER,
    STATIC,
    STRING,
    WRITER_VERSION,
    Column,
    Values,
    condition_fields,
    record,
    record_fields,
)
from dataengine.cockpit.facts import Facts

QUALITY, DUPLICATE, BLURRED = "quality", "duplicate", "blurred"
_QUALITY = {"flags": STRING, "reason": STRING}
_DUPLICATE = {"of": STRING, "kind": STRING, "distance": FLOAT}
_BLURRED = {"rule": STRING, "num_regions": INTEGER, "area_share": FLOAT}
CURATED_PATHS = (
    *(f"{QUALITY}.{part}" for part in _QUALITY),
    *(f"{DUPLICATE}.{part}" for part in _DUPLICATE),
    *(f"{BLURRED}.{part}" for part in _BLURRED),
)
"""What may be there of curation, by its path in a sample."""


def curated(facts: Facts) -> list[Column]:
    """Quality flags with their reasons, duplicates, blurred regions and telemetry, where there are any."""
    lake = facts.workspace.lake
    found = [
        _records(QUALITY, _QUALITY, _flags(lake.read("quality").to_pylist())),
        _records(DUPLICATE, _DUPLICATE, _duplicates(lake.read("duplicates").to_pylist())),
        _records(BLURRED, _BLURRED, {row.pop("frame_id"): row for row in lake.read("blurred").to_pylist()}),
    ]
    telemetry = _telemetry(facts)
    return [column for column in [*found, telemetry] if column is not None]


def _flags(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    by_frame: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_frame[row["frame_id"]].append(row)
    return {
        frame_id: {
            "flags": ", ".join(row["flag"] for row in flags),
            "reason": "; ".join(row["reason"] for row in flags),
        }
        for frame_id, flags in by_frame.items()
    }


def _duplicates(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        row["frame_id"]: {"of": row["best_frame_id"], "kind": row["kind"], "distance": row["distance"]}
        for row in rows
    }


def _records(field: str, parts: Mapping[str, str], values: Mapping[str, Mapping[str, Any]]) -> Column | None:
    if not values:
        return None
    return Column(
        name=field,
        fields=record_fields(field, parts),
        digest=files.digest([WRITER_VERSION, values]),
        values=lambda frame_ids: {f: {field: record(values[f])} for f in frame_ids if f in values},
    )


def _telemetry(facts: Facts) -> Column | None:
    """Each signal beyond the three of the frames table in a field of its own, named as the signal is."""
    rows = {
        row["frame_id"]: dict(row["signals"]) for row in facts.workspace.lake.read("telemetry").to_pylist()
    }
    if not rows:
        return None
    longest: dict[str, int] = {}
    for signals in rows.values():
        for name, value in signals.items():
            longest[name] = max(longest.get(name, 0), len(value))
    fields = signal_fields(facts)

    def values(frame_ids: Sequence[str]) -> Values:
        return {
            frame_id: {
                fields[name]: documents.plain(value[0]) if longest[name] == 1 else list(value)
                for name, value in rows[frame_id].items()
            }
            for frame_id in frame_ids
            if frame_id in rows
        }

    return Column(
        name="telemetry",
        fields={fields[name]: FLOAT if longest[name] == 1 else FLOAT_LIST for name in fields},
        digest=files.digest([WRITER_VERSION, rows]),
        values=values,
    )


def signal_fields(facts: Facts) -> dict[str, str]:
    """Signal of the telemetry table -> the field that holds it."""
    names: set[str] = set()
    for part in facts.workspace.lake.scan("telemetry", ["signals"]):
        for chunk in part["signals"].chunks:
            names.update(chunk.keys.unique().to_pylist())
    taken = {*STATIC, *condition_fields(facts).values()}
    return {name: _field(name, taken) for name in sorted(names)}


def _field(name: str, taken: set[str]) -> str:
    plain = "".join(letter if letter.isalnum() else "_" for letter in name.lower())
    return f"telemetry_{plain}" if plain in taken or not plain[:1].isalpha() else plain

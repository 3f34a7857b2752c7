"""A lake of frame records without images, as large as wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dataengine import cards
from dataengine.schema import CLIPS, FRAME_BOXES, FRAMES
from dataengine.workspace import Workspace

PER_CLIP, CLIPS_PER_DRIVE, CLIPS_PER_PART, BOXES = 20, 10, 2500, 4


def write_records(root: Path, number: int) -> Workspace:
    """Clips of twenty frames, drives of ten clips; every ninth drive at night, every 31st in fog."""
    workspace = Workspace.create(root, cards.load("simulated"), None, "records")
    classes = len(workspace.taxonomy.classes)
    rng = np.random.default_rng(0)
    clips = number // PER_CLIP
    for begin in range(0, clips, CLIPS_PER_PART):
        clip = np.arange(begin, min(begin + CLIPS_PER_PART, clips))
        drive = clip // CLIPS_PER_DRIVE
        names = [f"drive{d:06d}-{c:06d}" for d, c in zip(drive, clip, strict=True)]
        own = np.array([f"drive{d:06d}" for d in drive])
        conditions = [
            [
                ("time_of_day", "night" if d % 9 == 0 else "day"),
                ("weather", "fog" if d % 31 == 0 else "clear"),
            ]
            for d in drive
        ]
        frames = len(clip) * PER_CLIP
        at = np.arange(frames) % PER_CLIP
        ids = pa.array([f"{name}/{i:06d}" for name in names for i in range(PER_CLIP)])
        tables: dict[str, dict[str, Any]] = {
            "clips": {"clip_id": names, "drive_id": own, "start_time_s": (clip % CLIPS_PER_DRIVE) * 10.0},
            "frames": {
                "frame_id": ids,
                "clip_id": np.repeat(np.array(names), PER_CLIP),
                "drive_id": np.repeat(own, PER_CLIP),
                "time_s": at * 0.5,
                "split_hint": np.full(frames, ""),
                "phash": rng.integers(0, 2**64, frames, np.uint64),
                "sharpness": rng.random(frames, np.float32) * 90,
                "brightness": rng.random(frames, np.float32),
                "plain_share": rng.random(frames, np.float32) ** 3,
                "conditions": [pairs for pairs in conditions for _ in range(PER_CLIP)],
            },
            "oracle": {
                "frame_id": ids,
                "class_id": rng.integers(0, classes, (frames, BOXES)).tolist(),
                "ignore": [[False] * BOXES] * frames,
            },
        }
        for name, schema in (("clips", CLIPS), ("frames", FRAMES), ("oracle", FRAME_BOXES)):
            workspace.lake.append(name, _table(schema, tables[name]), name=f"{begin:06d}")
    return workspace


def _table(schema: pa.Schema, columns: dict[str, Any]) -> pa.Table:
    rows = len(next(iter(columns.values())))
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)

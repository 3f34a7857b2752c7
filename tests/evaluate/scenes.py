"""Small scenes for the tests of evaluation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from dataengine.frameboxes import FrameBoxes
from dataengine.schema import Taxonomy

CLASSES = ("car", "truck", "cyclist")
TAXONOMY = Taxonomy(
    classes=CLASSES,
    tail_classes=("truck", "cyclist"),
    tail_conditions={"weather": ("fog", "snow")},
)


def frame_ids(number: int) -> list[str]:
    return [f"clip{index // 4:03d}/{index % 4:06d}" for index in range(number)]


def frames_table(
    number: int, drives: Sequence[str] | None = None, conditions: Sequence[dict[str, str]] | None = None
) -> pa.Table:
    """The columns of ``FRAMES`` that evaluation reads; a drive is two clips of four frames."""
    ids = frame_ids(number)
    rows = [
        {
            "time_of_day": "night" if index % 3 == 0 else "day",
            "weather": "fog" if index < number / 4 else "clear",
        }
        for index in range(number)
    ]
    pairs = [list(row.items()) for row in (conditions if conditions is not None else rows)]
    return pa.table(
        {
            "frame_id": pa.array(ids, pa.string()),
            "drive_id": pa.array(
                drives or [f"drive{index // 8:02d}" for index in range(number)], pa.string()
            ),
            "conditions": pa.array(pairs, pa.map_(pa.string(), pa.string())),
        }
    )


def scene(
    seed: int, number: int = 40, *, ignore: float = 0.1, ties: bool = False
) -> tuple[FrameBoxes, FrameBoxes]:
    """Labels, and predictions that find most of them, misplace some, mix up classes and invent a few."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(4, number)
    total = int(counts.sum())
    corners = rng.uniform(0, 150, (total, 2))
    labels = np.concatenate([corners, corners + np.exp(rng.normal(3, 0.7, (total, 2)))], axis=1)
    classes = rng.choice(len(CLASSES), total, p=[0.7, 0.2, 0.1])
    owner = np.repeat(np.arange(number), counts)
    truth = FrameBoxes.build(frame_ids(number), counts, labels, classes, ignore=rng.random(total) < ignore)

    found = rng.random(total) < 0.8
    jitter = rng.normal(0, 0.08, (int(found.sum()), 4)) * np.tile(labels[found, 2:] - labels[found, :2], 2)
    invented = rng.uniform(0, 150, (number * 3, 2))
    invented = np.concatenate([invented, invented + np.exp(rng.normal(3, 0.7, (number * 3, 2)))], axis=1)
    boxes = np.concatenate([labels[found] + jitter, invented])
    swapped = np.where(
        rng.random(len(jitter)) < 0.1, rng.integers(0, len(CLASSES), len(jitter)), classes[found]
    )
    kinds = np.concatenate([swapped, rng.integers(0, len(CLASSES), number * 3)])
    frames = np.concatenate([owner[found], rng.integers(0, number, number * 3)])
    scores = np.concatenate([rng.beta(4, 2, len(jitter)), rng.beta(1, 4, number * 3)]).astype(np.float32)
    if ties:
        scores = np.ceil(scores * 5) / 5
    order = np.lexsort((-scores, frames))
    predictions = FrameBoxes.build(
        frame_ids(number),
        np.bincount(frames, minlength=number),
        boxes[order],
        kinds[order],
        score=scores[order],
    )
    return truth, predictions

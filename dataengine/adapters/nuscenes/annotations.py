"""Annotated boxes of nuScenes, gathered into arrays: a version has more than a million."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine.adapters.nuscenes.records import Table, numbers, text
from dataengine.adapters.nuscenes.scenes import Boxes3d

VISIBILITY = {"1": 0.2, "2": 0.5, "3": 0.7, "4": 0.9}
"""The middle of each level's share (0-40, 40-60, 60-80, 80-100 %), over all six cameras together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotations:
    """What the annotations of one version say.

    Attributes:
        categories: Class names.
        boxes: Those with a lidar or radar point: the benchmark drops the others.
        rows: Sample token -> its rows of ``boxes``.
        labelled: Whether there is any annotation, dropped or not.
    """

    categories: tuple[str, ...]
    boxes: Boxes3d
    rows: dict[str, NDArray[np.int64]]
    labelled: bool


def read_annotations(table: Table, samples: Mapping[str, Any]) -> Annotations:
    """Read the boxes of some samples.

    Args:
        table: Reads a table by its name.
        samples: Their tokens; annotations of others label images that are not listed, and are left out.
    """
    names = dict(table("category", lambda r: (text(r, "token"), text(r, "name"))))
    number = {token: at for at, token in enumerate(names)}
    listed = table("instance", lambda r: (text(r, "token"), number[text(r, "category_token")]))
    instances = {token: (category, at) for at, (token, category) in enumerate(listed)}
    gathered = _Gathered()

    def build(record: dict[str, Any]) -> None:
        sample = text(record, "sample_token")
        # tools that leave the radar out write null for its points
        points = (record["num_lidar_pts"] or 0) + (record["num_radar_pts"] or 0)
        if sample in samples and points:
            gathered.add(sample, record, instances[text(record, "instance_token")])

    num_records = sum(1 for _ in table("sample_annotation", build))
    return Annotations(
        categories=tuple(names.values()),
        boxes=gathered.boxes(),
        rows={token: np.array(rows, np.int64) for token, rows in gathered.rows.items()},
        labelled=num_records > 0,
    )


@dataclass(slots=True)
class _Gathered:
    """Boxes on their way into arrays: eleven figures each, its class and its object."""

    figures: array[float] = field(default_factory=lambda: array("d"))
    ids: array[int] = field(default_factory=lambda: array("i"))
    rows: dict[str, array[int]] = field(default_factory=lambda: defaultdict(lambda: array("q")))

    def add(self, sample: str, record: dict[str, Any], ids: tuple[int, int]) -> None:
        shape = [numbers(record, key, n) for key, n in (("translation", 3), ("size", 3), ("rotation", 4))]
        visibility = VISIBILITY.get(str(record.get("visibility_token")), np.nan)
        self.rows[sample].append(len(self.ids) // 2)
        self.figures.extend([*shape[0], *shape[1], *shape[2], visibility])
        self.ids.extend(ids)

    def boxes(self) -> Boxes3d:
        figures = np.array(self.figures, np.float64).reshape(-1, 11)
        ids = np.array(self.ids, np.int32).reshape(-1, 2)
        return Boxes3d(
            centre=figures[:, :3],
            size=figures[:, 3:6],
            quaternion=figures[:, 6:10],
            category=ids[:, 0],
            instance=ids[:, 1],
            visibility=figures[:, 10].astype(np.float32),
        )

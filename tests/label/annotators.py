"""Annotators for tests."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from dataengine.frameboxes import FrameBoxes
from dataengine.schema import SELECTION


class Counting:
    """Labels frame ``f`` with ``boxes[f]`` boxes; knows no other frame."""

    def __init__(self, boxes: Mapping[str, int]) -> None:
        self.boxes = dict(boxes)
        self.asked: list[str] = []

    def label(self, frame_ids: list[str]) -> FrameBoxes:
        self.asked += frame_ids
        known = [frame_id for frame_id in frame_ids if frame_id in self.boxes]
        counts = [self.boxes[frame_id] for frame_id in known]
        return FrameBoxes.build(known, counts, [[0, 0, 9, 9]] * sum(counts), [0] * sum(counts))


def ranked(*frame_ids: str) -> pa.Table:
    """A selection of these frames in this order."""
    rows = [
        {"frame_id": frame_id, "cycle": 1, "rank": rank, "score": 0.0, "trigger": "t", "reason": "r"}
        for rank, frame_id in enumerate(frame_ids)
    ]
    return pa.Table.from_pylist(rows, SELECTION)

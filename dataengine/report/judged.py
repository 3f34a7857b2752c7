"""What a model did on val: its mistakes with the labels and predictions they speak of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow.compute as pc

from dataengine.frameboxes import FrameBoxes
from dataengine.report.data import Gathered, RunRecord
from dataengine.schema import VAL


@dataclass(frozen=True)
class Mistakes:
    """The mistakes of one run on val, with the boxes they speak of.

    Attributes:
        record: Whose.
        rows: Rows of ``mistakes.parquet`` on val.
        truth: Labels of every labelled val frame.
        predicted: Predictions on the same frames in the same order; ``None`` where some are missing.
    """

    record: RunRecord
    rows: list[dict[str, Any]]
    truth: FrameBoxes
    predicted: FrameBoxes | None

    @cached_property
    def place(self) -> dict[str, int]:
        """Number of each frame in ``truth`` and ``predicted``."""
        return {frame_id: number for number, frame_id in enumerate(self.truth.frame_ids)}

    def labels(self, frame_id: str) -> FrameBoxes:
        """The labels of one frame."""
        return self.truth.take([self.place[frame_id]])

    def answers(self, frame_id: str) -> FrameBoxes | None:
        """The predictions on one frame."""
        return None if self.predicted is None else self.predicted.take([self.place[frame_id]])


def load(gathered: Gathered, record: RunRecord, cycle: int) -> Mistakes | None:
    """Read the mistakes of a run's cycle on val; ``None`` where the file is missing."""
    found = record.table(cycle, "mistakes")
    if found is None:
        return None
    val = gathered.frames["frame_id"].filter(pc.equal(gathered.frames["split"], VAL)).to_pylist()
    truth = gathered.workspace.lake.truth(val)
    known = set(truth.frame_ids)
    predicted = record.boxes_of(cycle, "predictions", list(truth.frame_ids))
    complete = predicted is not None and known <= set(predicted.frame_ids)
    return Mistakes(
        record=record,
        rows=[row for row in found.to_pylist() if row["frame_id"] in known],
        truth=truth,
        predicted=predicted.select(truth.frame_ids) if predicted is not None and complete else None,
    )

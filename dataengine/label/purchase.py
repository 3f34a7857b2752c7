"""Spend a budget on a ranked selection."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from dataengine.config import Budget, LabelConfig
from dataengine.frameboxes import FrameBoxes
from dataengine.label.cost import Cost, drawn, spent
from dataengine.label.oracle import Annotator


def buy(
    annotator: Annotator, selection: pa.Table, budget: Budget, config: LabelConfig
) -> tuple[FrameBoxes, Cost]:
    """Buy labels in the order of rank until the next frame would exceed the budget.

    What a frame costs shows only once it is labelled, so buying stops at the first frame that does
    not fit: passing over it for a cheaper one would favour empty frames.

    Args:
        annotator: Who labels.
        selection: Table of schema ``SELECTION``.
        budget: Never exceeded, in its unit.
        config: Seconds per frame and per box.

    Returns:
        Labels of the bought frames in the order of rank, and what they cost. A frame that the
        annotator cannot label is neither returned nor paid for.
    """
    ranked = selection.sort_by("rank")["frame_id"].to_pylist()
    answers = annotator.label(ranked)
    # The running total never falls, so the frames that fit are a prefix.
    within = int(np.searchsorted(spent(answers, budget.unit, config), budget.amount, side="right"))
    bought = answers.take(np.arange(within))
    return bought, Cost.of(within, int(drawn(bought).sum()), config)

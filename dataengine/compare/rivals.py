"""The arm that a comparison is about against every other arm, where the rest is told against the baseline."""

from __future__ import annotations

import pyarrow as pa

from dataengine.compare.curves import paired
from dataengine.compare.grid import Grid
from dataengine.compare.resampling import Resampler
from dataengine.compare.tables import RIVALS, fill


def rivals(grid: Grid, resampler: Resampler, main: str | None) -> pa.Table:
    """Table of schema ``RIVALS``; empty without an arm that it could be about.

    Args:
        grid: Every cell.
        resampler: Makes the intervals.
        main: Name of the arm; None for none.
    """
    arm = None if main is None else grid.arm(main)
    if arm is None:
        return RIVALS.empty_table()
    others = [other for other in grid.payers if other != arm and other not in grid.noise_arms]
    return fill(
        RIVALS,
        (
            {"arm": main, "other": grid.arms[other], **block}
            for other in others
            for block in paired(grid, resampler, arm, other)
        ),
    )

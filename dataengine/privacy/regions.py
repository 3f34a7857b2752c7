"""What was made unreadable, in figures: of one frame, and of all."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
    """What was made unreadable in one frame.

    Attributes:
        rule: What found the regions.
        num_regions: How many.
        area_share: Their share of the frame's area, 0..1; where two overlap, counted once.
    """

    rule: str
    num_regions: int
    area_share: float


def summary_line(blurred: pa.Table) -> str:
    """One line on a table of schema ``BLURRED``; empty for an empty table.

    The mean area is over all frames, those without a region too.
    """
    if not blurred.num_rows:
        return ""
    regions = pc.sum(blurred["num_regions"]).as_py()
    shown = pc.sum(pc.greater(blurred["num_regions"], 0)).as_py()
    area = pc.mean(blurred["area_share"]).as_py()
    rules = "; ".join(sorted(pc.unique(blurred["rule"]).to_pylist()))
    return (
        f"anonymised: {regions:,} regions in {shown:,} of {blurred.num_rows:,} frames, {area:.1%} of their "
        f"area on average ({rules}); what the detector missed is not blurred"
    )

"""What makes frames unreadable where it must, and how much it did: in one frame, and in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


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


class Anonymiser(Protocol):
    """Makes faces and plates unreadable.

    Instances are small and picklable; weights are loaded at the first frame, once in each process.
    """

    def settings(self) -> dict[str, Any]:
        """What decides the pixels, weights by their digest; part of a workspace's fingerprint."""
        ...

    def blur(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Regions]:
        """``[H, W, 3]`` uint8 RGB with its regions blurred, and which they were; the input is kept.

        On a CPU the same frame gives the same bytes in any process.
        """
        ...


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

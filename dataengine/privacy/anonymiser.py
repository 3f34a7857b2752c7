"""What makes a frame anonymous, by config."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dataengine.config import Anonymise, ComputeConfig, CurateConfig
from dataengine.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
    """What was made unreadable in one frame.

    Attributes:
        rule: What found the regions.
        num_regions: How many.
        area_share: Their share of the frame's area, 0..1.
    """

    rule: str
    num_regions: int
    area_share: float


class Anonymiser(Protocol):
    """Makes faces and plates unreadable. Picklable: weights are loaded once in each process."""

    def blur(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Regions]:
        """``[H, W, 3]`` uint8 RGB with its regions blurred, and which they were."""
        ...


def anonymiser(config: CurateConfig, compute: ComputeConfig) -> Anonymiser | None:  # noqa: ARG001
    """The anonymiser that ``curate.anonymise`` names; ``None`` for ``none``."""
    if config.anonymise is Anonymise.none:
        return None
    raise ConfigError(f"curate.anonymise={config.anonymise.value} is not built yet")

"""The ledger: what labels cost, always on all three axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataengine.config import BudgetUnit, LabelConfig
from dataengine.frameboxes import FrameBoxes


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What was paid for some labels; costs add up with ``+``.

    Attributes:
        frames: Frames opened, those that held no object too.
        boxes: Boxes drawn; ignore regions are not paid for.
        seconds: Annotator seconds: ``seconds_per_frame * frames + seconds_per_box * boxes``.
    """

    frames: int = 0
    boxes: int = 0
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            frames=self.frames + other.frames,
            boxes=self.boxes + other.boxes,
            seconds=self.seconds + other.seconds,
        )

    @classmethod
    def of(cls, frames: int, boxes: int, config: LabelConfig) -> Cost:
        """The cost of so many frames holding so many boxes."""
        seconds = config.seconds_per_frame * frames + config.seconds_per_box * boxes
        return cls(frames=frames, boxes=boxes, seconds=seconds)

    def plain(self) -> dict[str, float]:
        """A dictionary that ``Cost(**value)`` reads back."""
        return {"frames": self.frames, "boxes": self.boxes, "seconds": self.seconds}


def spent(labels: FrameBoxes, unit: BudgetUnit, config: LabelConfig) -> NDArray[np.float64]:
    """``[F]`` amount of ``unit`` spent once frame ``i`` and all before it are paid for."""
    frames = np.arange(1, labels.num_frames + 1)
    boxes = np.cumsum(drawn(labels))
    if unit is BudgetUnit.frames:
        return frames.astype(np.float64)
    if unit is BudgetUnit.boxes:
        return boxes.astype(np.float64)
    return config.seconds_per_frame * frames + config.seconds_per_box * boxes


def drawn(labels: FrameBoxes) -> NDArray[np.int64]:
    """``[F]`` boxes that an annotator drew in each frame."""
    return np.bincount(labels.frame_index[~labels.ignore], minlength=labels.num_frames).astype(np.int64)

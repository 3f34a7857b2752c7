"""Annotators: whoever turns frames into labels."""

from __future__ import annotations

from typing import Protocol

from dataengine.frameboxes import FrameBoxes
from dataengine.lake import Lake


class Annotator(Protocol):
    """Answers a labelling request."""

    def label(self, frame_ids: list[str]) -> FrameBoxes:
        """The labels of the named frames, in that order; frames it cannot label are left out."""
        ...


class Oracle:
    """Answers at once from the dataset's hidden truth.

    The one reader of the lake's truth besides the evaluation of val and test.

    Args:
        lake: The workspace's lake.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def label(self, frame_ids: list[str]) -> FrameBoxes:
        """The hidden labels, in the order asked for; frames that nobody ever labelled are left out."""
        return self._lake.truth(frame_ids)

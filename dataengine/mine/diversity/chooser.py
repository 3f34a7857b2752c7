"""What a way of keeping picks apart looks like to whoever composes it with a score and a quota."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.strategy import Need, Task


class Chooser(Protocol):
    """Knows how much each frame of a shortlist would add to what is labelled or picked."""

    def gains(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """``[M]`` gain of candidates, >= 0; higher is more wanted. All of them are on the shortlist."""
        ...

    def words(self, number: int) -> str:
        """Why a candidate adds something, in words."""
        ...

    def add(self, number: int) -> None:
        """Take note of a pick, on the shortlist or not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """One way to keep the picks of a batch apart.

    Attributes:
        name: As in ``mine.diversity``, and the trigger of picks that no score ranked.
        summary: One line for people.
        span: Range of the gains and what the ends mean, in words.
        needs: What it has to know.
        source: The publication that the rule is from.
        start: From the task, the shortlist (``[S]`` candidate numbers, rising), the picks so far and how many
            are still wanted. What is labelled is taken from the task.
        draws: Whether a pick is drawn in proportion to weight x gain, rather than the highest taken.
    """

    name: str
    summary: str
    span: str
    needs: frozenset[Need]
    source: str
    start: Callable[[Task, NDArray[np.int64], Sequence[int], int], Chooser]
    draws: bool = False


class Indifferent:
    """Every frame adds as much as every other: the score alone decides."""

    def gains(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """All 1."""
        return np.ones(len(numbers))

    def words(self, _number: int) -> str:
        """Nothing to say."""
        return ""

    def add(self, number: int) -> None:
        """Nothing to note."""


NONE = Diversity(
    name="none",
    summary="the score alone decides",
    span="always 1",
    needs=frozenset(),
    source="",
    start=lambda *_: Indifferent(),
)

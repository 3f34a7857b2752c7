"""Whether an arm beat the baseline: a gain, a loss, or nothing beyond the noise floor.

The verdict looks at one figure, the area under the curve of the tail's AP50 over annotator seconds on the
natural test, and calls it a difference where its paired interval excludes zero and its size passes the noise
floor. Five seeds make a claim, three or four a suggestion, fewer nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataengine.compare.grid import same_but_for_the_draw
from dataengine.mine import ArmName
from dataengine.schema import TEST_SPLITS

CLAIM_SEEDS = 5
"""Seeds that a claim takes (PROTOCOL, statistics)."""

HINT_SEEDS = 3
"""Seeds from which a result may be told as a suggestion."""

METRIC, AXIS = "ap50", "seconds"


class Outcome(Enum):
    """What a comparison of an arm with the baseline can find."""

    won = "won"
    level = "level"
    lost = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An arm against the baseline.

    Attributes:
        arm: Its name.
        baseline: The other's.
        split: Test that was read.
        slice: ``tail``, or ``all`` where no class is declared rare.
        outcome: What was found, whatever the number of seeds.
        num_seeds: How many pairs found it.
        measured_noise: Whether there is a noise floor.
        area: Row of ``DIFFERENCES`` that decided.
        saving: Row of ``SAVINGS`` at the baseline's final level; None where there is none.
        confidence: Coverage of the intervals.
    """

    arm: str
    baseline: str
    split: str
    slice: str
    outcome: Outcome
    num_seeds: int
    measured_noise: bool
    area: Mapping[str, Any]
    saving: Mapping[str, Any] | None
    confidence: float

    @property
    def is_claim(self) -> bool:
        """Whether there are seeds enough, and a noise floor, to claim it."""
        return self.num_seeds >= CLAIM_SEEDS and self.measured_noise


def judge(
    arm: str,
    baseline: str,
    tables: Mapping[str, pa.Table],
    *,
    confidence: float,
    split: str | None = None,
) -> Verdict | None:
    """The verdict on an arm; None where no trial has a curve of both.

    Args:
        arm: Its name.
        baseline: The other's.
        tables: ``differences`` and ``savings``.
        confidence: Coverage of the intervals.
        split: Test to read; by default the natural one, where there is one.
    """
    decisive = _rows(tables["differences"], arm=arm, metric=f"{METRIC}:area_{AXIS}")
    known = {(row["split"], row["slice"]): row for row in decisive if math.isfinite(row["value"])}
    places = [(where, part) for where in ([split] if split else TEST_SPLITS) for part in ("tail", "all")]
    place = next((place for place in places if place in known), None)
    if place is None:
        return None
    row = known[place]
    saved = _rows(
        tables["savings"],
        arm=arm,
        axis=AXIS,
        target="baseline_final",
        split=place[0],
        slice=place[1],
        metric=METRIC,
    )
    return Verdict(
        arm=arm,
        baseline=baseline,
        split=place[0],
        slice=place[1],
        outcome=outcome(row),
        num_seeds=row["num_seeds"],
        measured_noise=math.isfinite(row["noise"]),
        area=row,
        saving=saved[0] if saved else None,
        confidence=confidence,
    )


def outcome(row: Mapping[str, Any]) -> Outcome:
    """What a row of ``DIFFERENCES`` of a precision says, its seeds uncounted."""
    beyond = not abs(row["value"]) <= row["noise"]  # an unknown floor is passed, and never claimed upon
    if beyond and row["lower"] > 0:
        return Outcome.won
    if beyond and row["upper"] < 0:
        return Outcome.lost
    return Outcome.level


def main_arm(wanted: Sequence[str], arms: Sequence[str], baseline: str) -> str | None:
    """The arm that the sentence is about: the first that is neither a ceiling nor the baseline again."""
    base = ArmName.parse(baseline)
    for name in [*wanted, *arms]:
        parsed = ArmName.parse(name)
        if name in arms and not parsed.is_ceiling and not same_but_for_the_draw(parsed, base):
            return name
    return None


def _rows(table: pa.Table, **wanted: str) -> list[dict[str, Any]]:
    for name, value in wanted.items():
        table = table.filter(pc.equal(table[name], value))
    found: list[dict[str, Any]] = table.to_pylist()
    return found

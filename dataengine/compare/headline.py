"""What was found, in one sentence: a saving, a loss, or nothing beyond the noise floor.

The verdict looks at one figure, the area under the curve of the tail's AP50 over annotator seconds on the
natural test, and calls it a difference where its paired interval excludes zero and its size passes the noise
floor. Five seeds make a claim, three or four a suggestion, fewer nothing. A loss is told as a gain is.
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
from dataengine.schema import TEST, TEST_BALANCED, TEST_SPLITS

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
    for where in [split] if split else TEST_SPLITS:
        for part in ("tail", "all"):
            for row in decisive:
                if (row["split"], row["slice"]) == (where, part) and math.isfinite(row["value"]):
                    saved = _rows(
                        tables["savings"], arm=arm, axis=AXIS, target="baseline_final", metric=METRIC
                    )
                    own = [other for other in saved if (other["split"], other["slice"]) == (where, part)]
                    return Verdict(
                        arm=arm,
                        baseline=baseline,
                        split=where,
                        slice=part,
                        outcome=outcome(row),
                        num_seeds=row["num_seeds"],
                        measured_noise=math.isfinite(row["noise"]),
                        area=row,
                        saving=max(own, key=lambda other: other["num_seeds"], default=None),
                        confidence=confidence,
                    )
    return None


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


def sentence(verdict: Verdict | None, *, arm: str | None, baseline: str, both_tests: bool) -> str:
    """What was found.

    Args:
        verdict: Of the main arm.
        arm: The main arm; None where there is none.
        baseline: What it was measured against.
        both_tests: Whether there is a natural and a balanced test, so that one has to be named.
    """
    if arm is None:
        return (
            f"Nothing but ceilings and draws of {baseline} has bought anything yet: there is no arm to judge."
        )
    if verdict is None:
        return f"No seed has curves of both {arm} and {baseline} yet: too few seeds to claim anything."
    where = f"{figure_name(verdict.slice)} on {test_name(verdict.split, both_tests)}"
    finding = {Outcome.won: _won, Outcome.lost: _lost, Outcome.level: _level}[verdict.outcome](verdict, where)
    seeds = f"{verdict.num_seeds} seed{'s' if verdict.num_seeds != 1 else ''}"
    if verdict.num_seeds < HINT_SEEDS:
        return f"{seeds[0].upper()}{seeds[1:]}: too few seeds to claim anything. As measured, {finding}."
    if verdict.is_claim:
        return f"{finding[0].upper() if finding.startswith('no ') else finding[0]}{finding[1:]}, {seeds}."
    why = seeds if verdict.num_seeds < CLAIM_SEEDS else f"{seeds}, no noise floor"
    return f"The evidence suggests, and does not show ({why}), that {_as_clause(finding)}."


def _as_clause(finding: str) -> str:
    return f"there is {finding}" if finding.startswith("no ") else finding


def _won(verdict: Verdict, where: str) -> str:
    saved = verdict.saving
    if saved is not None and saved["value"] > 0:
        return (
            f"{verdict.arm} saved {saved['value']:.0%} of the annotator seconds "
            f"({_share_interval(saved, verdict.confidence)}) at {verdict.baseline}'s final {where}"
        )
    tail = f"but did not reach {verdict.baseline}'s final level with what it spent"
    if saved is not None and math.isfinite(saved["value"]):
        tail = f"but saved nothing at {verdict.baseline}'s final level"
    return f"{verdict.arm} beat {verdict.baseline} by {_points(verdict, where)}, {tail}"


def _lost(verdict: Verdict, where: str) -> str:
    saved = verdict.saving
    tail = f"and did not reach {verdict.baseline}'s final level"
    if saved is not None and math.isfinite(saved["value"]):
        share = saved["value"]
        kind = "more" if share < 0 else "less"
        tail = f"and took {abs(share):.0%} {kind} annotator seconds to {verdict.baseline}'s final level"
    return f"{verdict.baseline} won: {verdict.arm} lost {_points(verdict, where)}, {tail}"


def _level(verdict: Verdict, where: str) -> str:
    return (
        f"no difference beyond the noise floor between {verdict.arm} and {verdict.baseline}: "
        f"{_points(verdict, where)}"
    )


def interval_of(row: Mapping[str, Any], confidence: float, *, form: str) -> str:
    """``95% interval 0.1 to 0.2``, or that there is none."""
    low, high = row["lower"], row["upper"]
    known = math.isfinite(low) and math.isfinite(high)
    return f"{confidence:.0%} interval {low:{form}} to {high:{form}}" if known else "no interval"


def _points(verdict: Verdict, where: str) -> str:
    """The area's difference, in words; a loss as a positive number."""
    row = verdict.area
    turned = -1 if verdict.outcome is Outcome.lost else 1
    sign = "+" if verdict.outcome is Outcome.level else ""
    low, high = sorted((turned * row["lower"], turned * row["upper"]))
    interval = interval_of({"lower": low, "upper": high}, verdict.confidence, form=f"{sign}.3f")
    value = f"{turned * row['value']:{sign}.3f}"
    return f"{value} {where} ({interval}), averaged over the annotator seconds spent"


def _share_interval(row: Mapping[str, Any], confidence: float) -> str:
    if math.isfinite(row["upper"]) and not math.isfinite(row["lower"]):
        return f"{confidence:.0%} interval open below, up to {row['upper']:.0%}"
    return interval_of(row, confidence, form=".0%")


def figure_name(part: str) -> str:
    """``tail AP50`` and so on."""
    return "AP50" if part == "all" else f"{part.removeprefix('class:')} AP50"


def test_name(split: str, both: bool) -> str:
    """How a test is called in a sentence."""
    names = {TEST: "the natural test", TEST_BALANCED: "the balanced test"}
    return names.get(split, split) if both else "the test"


def _rows(table: pa.Table, **wanted: str) -> list[dict[str, Any]]:
    for name, value in wanted.items():
        table = table.filter(pc.equal(table[name], value))
    found: list[dict[str, Any]] = table.to_pylist()
    return found

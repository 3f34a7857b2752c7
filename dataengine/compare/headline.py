"""What was found, in one sentence: a saving, a loss, or nothing beyond the noise floor.

A loss is told as a gain is, and a verdict from few seeds says that it is from few.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dataengine.compare.verdict import CLAIM_SEEDS, HINT_SEEDS, Outcome, Verdict
from dataengine.schema import TEST, TEST_BALANCED


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

"""Numbers as people read them: fixed digits, true minus signs, units that fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dataengine.report.html import Markup, el, text


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its spread.

    Attributes:
        value: The figure, or its mean over seeds; NaN where there is nothing to measure.
        lower: Lower end: of the bootstrap interval for one seed, the lowest seed for several.
        upper: Upper end, likewise.
        seeds: How many runs it is the mean of.
    """

    value: float
    lower: float = math.nan
    upper: float = math.nan
    seeds: int = 1


NOTHING = "no objects"
"""Shown where a slice holds nothing to measure."""


def score(value: float, digits: int = 2) -> str:
    """A share in 0..1, e.g. ``0.61``; ``no objects`` for NaN."""
    return NOTHING if math.isnan(value) else f"{value:.{digits}f}"


def signed(value: float, digits: int = 2) -> str:
    """A difference with its sign, e.g. ``+0.09``; an en dash for NaN."""
    if math.isnan(value):
        return "–"
    rounded = round(value, digits)
    return f"{'−' if rounded < 0 else '+' if rounded > 0 else '±'}{abs(rounded):.{digits}f}"


def count(value: float) -> str:
    """A whole number with thin groups, e.g. ``12 345``; an en dash for NaN."""
    return "–" if math.isnan(value) else f"{value:,.0f}".replace(",", "\u202f")


def interval(estimate: Estimate, digits: int = 2) -> str:
    """``0.52–0.68``; empty where there is none."""
    if math.isnan(estimate.lower) or math.isnan(estimate.upper):
        return ""
    return f"{estimate.lower:.{digits}f}–{estimate.upper:.{digits}f}"


def cell(estimate: Estimate, digits: int = 2) -> Markup:
    """An estimate with its interval, quieter, beside it."""
    if math.isnan(estimate.value):
        return el("span", NOTHING, class_="none")
    span = interval(estimate, digits)
    return Markup(
        text(score(estimate.value, digits)) + (el("span", span, class_="ci") if span else Markup(""))
    )


def duration(seconds: float) -> str:
    """``0.25 s``, ``45 s``, ``12.5 min`` or ``4.9 h``."""
    if math.isnan(seconds):
        return "–"
    if seconds < 120:
        digits = 2 if seconds < 1 else 1 if seconds < 10 else 0
        return f"{seconds:.{digits}f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def time_unit(longest_s: float) -> tuple[float, str]:
    """Seconds per unit and the unit's name for an axis that ends at ``longest_s``."""
    if longest_s >= 2 * 3600:
        return 3600.0, "hours"
    return (60.0, "minutes") if longest_s >= 300 else (1.0, "seconds")


def plural(number: float, noun: str) -> str:
    """``1 frame``, ``2 frames``, ``3 boxes``."""
    if number == 1:
        return f"1 {noun}"
    return f"{count(number)} {noun}{'es' if noun.endswith(('s', 'x')) else 's'}"


def tally(names: Sequence[str]) -> str:
    """``3 car, 1 cyclist``: how often each name occurs, in order of first appearance."""
    return ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names))

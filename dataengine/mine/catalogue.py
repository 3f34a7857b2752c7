"""Every score, diversity and quota by its name: the parts that ``composed`` is made of."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from dataengine.config import MineConfig
from dataengine.errors import ConfigError
from dataengine.mine import plugged, scores
from dataengine.mine.compose import composed
from dataengine.mine.diversity.badge import BADGE
from dataengine.mine.diversity.chooser import NONE, Diversity
from dataengine.mine.diversity.clips import whole_clips
from dataengine.mine.diversity.k_centre import K_CENTRE
from dataengine.mine.diversity.typical import TYPICAL
from dataengine.mine.peers import brain
from dataengine.mine.strategy import Arm, Score

SCORES: Mapping[str, Score] = MappingProxyType(
    {score.name: score for family in (scores.SCORES.values(), brain.SCORES) for score in family}
)
"""Every way to value a frame."""

DIVERSITIES: Mapping[str, Diversity] = MappingProxyType(
    {diversity.name: diversity for diversity in (NONE, K_CENTRE, BADGE, TYPICAL)}
)
"""Every way to keep picks apart."""

QUOTAS = ("none", "class", "condition")
"""Every way to share a batch out."""

ALL_ALIKE = "none"
"""Name that stands for no score at all."""

ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "entropy": "uncertainty",
        "margin": "uncertainty",
        "coreset": "coverage",
        "core_set": "coverage",
        "k_center": "coverage",
        "quota": "class_balanced",
        "mistakenness": "hardness",
    }
)
"""What papers and other tools call an arm of ours."""

BETWEEN = "__"
"""Joins the parts of a composed arm's own name: ``entropy__k_centre__class``."""

CLIPS = "clips"
"""Second part of the name of an arm that buys whole clips by a score."""

Part = TypeVar("Part")


def score(name: str, setting: str = "mine.score") -> Score | None:
    """The score of that name, ours or an installed one; ``None`` for ``none``."""
    if name == ALL_ALIKE:
        return None
    found = None if name in SCORES else plugged.find(name)
    return (
        found
        if isinstance(found, Score)
        else _known(name, SCORES, setting, "a score", (ALL_ALIKE, *plugged.names()))
    )


def diversity(name: str, setting: str = "mine.diversity") -> Diversity:
    """The diversity of that name."""
    return _known(name, DIVERSITIES, setting, "a diversity")


def quota(name: str, setting: str = "mine.quota") -> str:
    """The quota of that name."""
    return _known(name, dict(zip(QUOTAS, QUOTAS, strict=True)), setting, "a quota")


def from_settings(name: str, config: MineConfig) -> Arm:
    """``composed`` or ``whole_clips``, of the parts that the settings name.

    Raises:
        ConfigError: A part is unknown; the message names the nearest.
    """
    if name == "whole_clips":
        return whole_clips(score(config.score), name)
    return composed(score(config.score), diversity(config.diversity), quota(config.quota), name)


def from_name(name: str) -> Arm:
    """The arm whose name is ``SCORE__DIVERSITY``, ``SCORE__DIVERSITY__QUOTA`` or ``SCORE__clips``.

    Raises:
        ConfigError: There are too many parts, or one is unknown; the message names the nearest.
    """
    setting = f"mine.name={name}"
    parts = name.split(BETWEEN)
    if len(parts) > 3:
        raise ConfigError(f"{setting}: write SCORE{BETWEEN}DIVERSITY{BETWEEN}QUOTA")
    if parts[1:] == [CLIPS]:
        return whole_clips(score(parts[0], setting), name)
    by_default = (ALL_ALIKE, NONE.name, QUOTAS[0])
    first, second, third = (*parts, *by_default[len(parts) :])
    return composed(score(first, setting), diversity(second, setting), quota(third, setting), name)


def nearest(name: str, known: Iterable[str]) -> str:
    """Up to three names that were perhaps meant, or all of them; also by what others call the same."""
    known = set(known)
    elsewhere = {theirs: ours for theirs, ours in ELSEWHERE.items() if ours in known and theirs not in known}
    close = difflib.get_close_matches(name, sorted(known | elsewhere.keys()), n=3, cutoff=0.5)
    found = dict.fromkeys(elsewhere.get(match, match) for match in close)
    return " or ".join(found or sorted(known))


def _known(
    name: str, parts: Mapping[str, Part], setting: str, kind: str, besides: tuple[str, ...] = ()
) -> Part:
    if name in parts:
        return parts[name]
    place = setting if "=" in setting else f"{setting}={name}"
    raise ConfigError(f"{place}: {name} is not {kind}: did you mean {nearest(name, [*parts, *besides])}?")

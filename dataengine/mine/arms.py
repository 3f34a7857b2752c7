"""The registry of arms."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from dataengine.config import MineConfig
from dataengine.errors import ConfigError
from dataengine.mine import plugged
from dataengine.mine.auto import AUTO
from dataengine.mine.blind import EVERY_KTH, RANDOM, RANDOM_CLIPS
from dataengine.mine.catalogue import BETWEEN, DIVERSITIES, SCORES, from_name, from_settings, nearest
from dataengine.mine.class_balanced import CLASS_BALANCED
from dataengine.mine.compose import composed
from dataengine.mine.diversity.coverage import COVERAGE
from dataengine.mine.expected_gain import EXPECTED_GAIN
from dataengine.mine.peers.cald import CALD
from dataengine.mine.peers.ppal import PPAL
from dataengine.mine.scores.conditions import CONDITION_BALANCED, LOOK_BALANCED
from dataengine.mine.scores.failures import FAILURES, RARE_LOOKALIKES
from dataengine.mine.strategy import Arm, Need, Score, ranked

FROM_SETTINGS = ("composed", "whole_clips")
"""Arms whose parts are settings; here with those of the defaults."""

_STRATEGIES = (
    RANDOM,
    RANDOM_CLIPS,
    EVERY_KTH,
    CLASS_BALANCED,
    COVERAGE,
    EXPECTED_GAIN,
    AUTO,
    CALD,
    PPAL,
    FAILURES,
    RARE_LOOKALIKES,
    CONDITION_BALANCED,
    LOOK_BALANCED,
    *(composed(None, DIVERSITIES[name], "none", name) for name in ("badge", "typical")),
    *(from_settings(name, MineConfig()) for name in FROM_SETTINGS),
)
"""Arms that are more than a score."""

ARMS: Mapping[str, Arm] = MappingProxyType(
    {arm.name: arm for arm in (*(ranked(score) for score in SCORES.values()), *_STRATEGIES)}
)
"""Every arm of ours by its name: each score is one, and so is each strategy."""


def arm(name: str, config: MineConfig | None = None) -> Arm:
    """The arm of that name: one of ``ARMS``, an installed one, or ``SCORE__DIVERSITY__QUOTA``.

    Args:
        name: As in ``mine.name``.
        config: Names the parts of ``composed`` and ``whole_clips``; the defaults where it is left out.

    Raises:
        ConfigError: There is none; the message names the nearest.
    """
    if name in FROM_SETTINGS:
        return from_settings(name, config or MineConfig())
    if name in ARMS:
        return ARMS[name]
    if BETWEEN in name:
        return from_name(name)
    found = plugged.find(name)
    if found is None:
        raise ConfigError(f"mine.name={name} is not an arm: did you mean {nearest(name, arm_names())}?")
    return ranked(found) if isinstance(found, Score) else found


def arm_names() -> list[str]:
    """Of every arm, ours and installed."""
    return sorted({*ARMS, *plugged.names()})


def rule_module(name: str, config: MineConfig) -> str:
    """The module of an installed arm, or of the installed score of a composition; empty for ours.

    Args:
        name: As in ``mine.name``.
        config: Names the score of ``composed`` and ``whole_clips``.
    """
    first = config.score if name in FROM_SETTINGS else name.split(BETWEEN, maxsplit=1)[0]
    return "" if first in ARMS else plugged.module_of(first)


def needs_predictions(name: str) -> bool:
    """Whether the arm reads what a model says of the pool."""
    return Need.predictions in arm(name).needs

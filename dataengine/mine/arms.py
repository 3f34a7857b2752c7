"""The registry of arms."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from dataengine.errors import ConfigError
from dataengine.mine.auto import AUTO
from dataengine.mine.blind import EVERY_KTH, RANDOM, RANDOM_CLIPS
from dataengine.mine.class_balanced import CLASS_BALANCED
from dataengine.mine.diversity.coverage import COVERAGE
from dataengine.mine.expected_gain import EXPECTED_GAIN
from dataengine.mine.strategy import Arm, Need
from dataengine.mine.uncertainty import UNCERTAINTY

ARMS: Mapping[str, Arm] = MappingProxyType(
    {arm.name: arm for arm in (RANDOM, RANDOM_CLIPS, EVERY_KTH, UNCERTAINTY, CLASS_BALANCED, COVERAGE, EXPECTED_GAIN, AUTO)}
)
"""Every arm by its name."""


def arm(name: str) -> Arm:
    """The arm of that name.

    Raises:
        ConfigError: There is none; the message names the nearest.
    """
    if name in ARMS:
        return ARMS[name]
    near = difflib.get_close_matches(name, ARMS, n=3, cutoff=0.5) or sorted(ARMS)
    raise ConfigError(f"mine.name={name} is not an arm: did you mean {' or '.join(near)}?")


def needs_predictions(name: str) -> bool:
    """Whether the arm reads what a model says of the pool."""
    return Need.predictions in arm(name).needs

"""Ways to value a frame by what the detector says of it, once or seen otherwise.

Each is a ``Score``: higher is more wanted, with its span, what it has to know and its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from dataengine.mine.scores.consistency import CONSISTENCY, FLIP_CONSISTENCY
from dataengine.mine.scores.disagreement import SNAPSHOT
from dataengine.mine.scores.expected_errors import EXPECTED_ERRORS
from dataengine.mine.scores.localisation import LOCALISATION
from dataengine.mine.scores.rareness import RARE_FRAMES, RARE_OBJECTS
from dataengine.mine.scores.surprise import SURPRISE
from dataengine.mine.scores.temporal import SCORES as TEMPORAL_SCORES
from dataengine.mine.scores.uncertainty import UNCERTAINTY
from dataengine.mine.strategy import Score

__all__ = [
    "CONSISTENCY",
    "EXPECTED_ERRORS",
    "FLIP_CONSISTENCY",
    "LOCALISATION",
    "RARE_FRAMES",
    "RARE_OBJECTS",
    "SCORES",
    "SNAPSHOT",
    "SURPRISE",
    "UNCERTAINTY",
]

_EVERY = (
    UNCERTAINTY,
    LOCALISATION,
    FLIP_CONSISTENCY,
    CONSISTENCY,
    SNAPSHOT,
    EXPECTED_ERRORS,
    RARE_FRAMES,
    RARE_OBJECTS,
    SURPRISE,
    *TEMPORAL_SCORES,
)

SCORES: Mapping[str, Score] = MappingProxyType({score.name: score for score in _EVERY})
"""The scores of this package by name."""

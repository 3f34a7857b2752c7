"""Ways to value a frame by what the detector says of it, once or seen otherwise.

Each is a ``Score``: higher is more wanted, with its span, what it has to know and its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from dataengine.mine.scores.consistency import CONSISTENCY, FLIP_CONSISTENCY
from dataengine.mine.scores.disagreement import SNAPSHOT
from dataengine.mine.scores.localisation import LOCALISATION
from dataengine.mine.scores.uncertainty import UNCERTAINTY
from dataengine.mine.strategy import Score

__all__ = ["CONSISTENCY", "FLIP_CONSISTENCY", "LOCALISATION", "SCORES", "SNAPSHOT", "UNCERTAINTY"]

SCORES: Mapping[str, Score] = MappingProxyType(
    {score.name: score for score in (UNCERTAINTY, LOCALISATION, FLIP_CONSISTENCY, CONSISTENCY, SNAPSHOT)}
)
"""The scores of this package by name."""

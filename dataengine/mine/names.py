"""The name of an arm: a miner, which draw of its random stream, and how its frames are trained on.

``random``, ``random@2`` (the same miner with another stream: the noise floor), ``auto+pseudo`` (the
miner's frames, and pseudo-labels on the rest of the pool), ``auto+plain`` (the miner's frames, all drawn
alike in training).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dataengine.errors import ConfigError
from dataengine.schema import ALL_LABELS

CEILINGS: Mapping[str, str] = MappingProxyType(
    {
        "oracle": "greedily takes the rarest truth: a ceiling of selection, not an arm that could be had",
        "oracle_errors": "ranks by the true errors of the model: a second ceiling",
        ALL_LABELS: "buys the whole pool at once and trains longer: the ceiling of labels",
    }
)
"""Names that see the truth; measured beside the arms, never chosen among them."""

PSEUDO, PLAIN = "pseudo", "plain"
"""Ways of training other than the settings'; the first fit of a run, which arms share, knows none of them."""

_FORM = re.compile(
    rf"(?P<miner>[a-z][a-z0-9_]*)(?:@(?P<draw>[1-9][0-9]*))?(?:\+(?P<trainer>{PSEUDO}|{PLAIN}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmName:
    """An arm's name, taken apart.

    Attributes:
        miner: Name of the strategy, or one of ``CEILINGS``.
        draw: Which independent random stream it selects with.
        trainer: ``PSEUDO`` adds pseudo-labels to the frames that were bought, ``PLAIN`` favours no class of
            them; empty for the settings as they are.
    """

    miner: str
    draw: int = 1
    trainer: str = ""

    @classmethod
    def parse(cls, text: str) -> ArmName:
        """Take a name apart.

        Raises:
            ConfigError: It does not have the form of one.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise ConfigError(f"arm '{text}' has no known form: write MINER, MINER@2, MINER+pseudo or +plain")
        return cls(miner=found["miner"], draw=int(found["draw"] or 1), trainer=found["trainer"] or "")

    @property
    def is_ceiling(self) -> bool:
        """Whether it sees the truth."""
        return self.miner in CEILINGS

    @property
    def stream(self) -> str:
        """Name of its random stream; the same whatever the trainer, so that the two are paired."""
        return f"select/{self.miner}" + (f"@{self.draw}" if self.draw > 1 else "")

    def __str__(self) -> str:
        draw = f"@{self.draw}" if self.draw > 1 else ""
        return f"{self.miner}{draw}{'+' if self.trainer else ''}{self.trainer}"

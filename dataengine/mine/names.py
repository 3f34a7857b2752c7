"""The name of an arm: a miner, which draw of its random stream, and what is trained on besides.

``random``, ``random@2`` (the same miner with another stream: the noise floor), ``auto+pseudo`` (the
miner's frames, and pseudo-labels on the rest of the pool).
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

_FORM = re.compile(r"(?P<miner>[a-z][a-z0-9_]*)(?:@(?P<draw>[1-9][0-9]*))?(?P<pseudo>\+pseudo)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmName:
    """An arm's name, taken apart.

    Attributes:
        miner: Name of the strategy, or one of ``CEILINGS``.
        draw: Which independent random stream it selects with.
        pseudo: Whether training adds pseudo-labels to the frames that it bought.
    """

    miner: str
    draw: int = 1
    pseudo: bool = False

    @classmethod
    def parse(cls, text: str) -> ArmName:
        """Take a name apart.

        Raises:
            ConfigError: It does not have the form of one.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise ConfigError(f"arm '{text}' has no known form: write MINER, MINER@2 or MINER+pseudo")
        return cls(miner=found["miner"], draw=int(found["draw"] or 1), pseudo=found["pseudo"] is not None)

    @property
    def is_ceiling(self) -> bool:
        """Whether it sees the truth."""
        return self.miner in CEILINGS

    @property
    def stream(self) -> str:
        """Name of its random stream; the same with and without pseudo-labels, so that the two are paired."""
        return f"select/{self.miner}" + (f"@{self.draw}" if self.draw > 1 else "")

    def __str__(self) -> str:
        draw = f"@{self.draw}" if self.draw > 1 else ""
        return f"{self.miner}{draw}{'+pseudo' if self.pseudo else ''}"

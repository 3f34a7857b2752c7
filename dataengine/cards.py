"""Dataset cards: what a dataset is, its licence, how to get it, its class map and its declared tail.

A card is ``datasets/<name>.toml``. What it declares rare, it declares before any run.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from typing import Any

from dataengine import resources
from dataengine.errors import ConfigError
from dataengine.schema import IGNORE, Taxonomy


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One dataset, described.

    Attributes:
        name: Name of the card and of the adapter.
        title: One line of prose.
        licence: Licence of the frames, as the publisher names it.
        source: Where it comes from: an address or a citation.
        obtain: How to get it, in a sentence.
        taxonomy: Classes, class map and declared tail.
    """

    name: str
    title: str
    licence: str
    source: str
    obtain: str
    taxonomy: Taxonomy

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary that ``from_json`` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Card:
        """Rebuild a card from ``to_json`` (tuples come back from lists)."""
        plain = dict(value)
        taxonomy = plain.pop("taxonomy")
        return cls(**plain, taxonomy=_taxonomy(plain["name"], taxonomy))


def load(name: str) -> Card:
    """Read the card of a dataset; raises ``ConfigError`` with the known names for an unknown one."""
    path = resources.folder("datasets") / f"{name}.toml"
    if not path.is_file():
        raise ConfigError(f"dataset={name} has no card; choose one of {', '.join(names())}")
    with path.open("rb") as handle:
        value = tomllib.load(handle)
    return Card.from_json({"name": name, **value})


def names() -> list[str]:
    """Every dataset that has a card."""
    return sorted(path.stem for path in resources.folder("datasets").glob("*.toml"))


def _taxonomy(name: str, value: dict[str, Any]) -> Taxonomy:
    classes = tuple(value["classes"])
    class_map = dict(value.get("class_map") or {label: label for label in classes})
    unknown = sorted(set(class_map.values()) - set(classes) - {IGNORE})
    if unknown:
        raise ConfigError(
            f"datasets/{name}.toml maps to unknown classes {', '.join(unknown)}; add them to classes"
        )
    return Taxonomy(
        classes=classes,
        class_map=class_map,
        tail_classes=tuple(value.get("tail_classes", ())),
        tail_conditions={key: tuple(values) for key, values in value.get("tail_conditions", {}).items()},
    )

"""Dataset cards: what a dataset is, its licence, how to get it, its class map and its declared tail.

A card is ``datasets/<name>.toml``, or a file of the user's own. What it declares rare, it declares
before any run.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dataengine import licences, resources
from dataengine.errors import ConfigError
from dataengine.schema import IGNORE, Taxonomy


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One file that may be fetched without an account.

    Attributes:
        url: Where it is.
        sha256: Hex digest where the publisher gives one or this project recorded it; else empty, and the
            first download's digest is remembered beside the files.
        num_bytes: Size; 0 where unknown.
        into: Folder to unpack it into (zip and tar) or to put it in, relative to the dataset's root.
        strip: Leading folders of an archive's paths that are left out.
        needed: False for parts that one can do without (fetched with ``parts=all``).
    """

    url: str
    sha256: str = ""
    num_bytes: int = 0
    into: str = ""
    strip: int = 0
    needed: bool = True

    def __post_init__(self) -> None:
        if Path(self.into).is_absolute() or ".." in Path(self.into).parts:
            raise ConfigError(f"downloads: into={self.into!r} leads out of the dataset's folder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One dataset, described.

    Attributes:
        name: Name of the card and of the adapter.
        title: One line of prose.
        licence: Licence of the frames, as the publisher names it.
        licence_kind: One of ``licences.KINDS``.
        source: Where it comes from: an address or a citation.
        obtain: How to get it, in a sentence or in steps.
        size: Of the download, in words; empty where it depends.
        needs: What one needs to get it: ``nothing``, ``an account``, ``your own recordings``.
        anonymised: What the publisher already made unreadable, in words; empty for nothing stated.
        tested: How this project tested its adapter: on ``real data`` or on ``written fixtures`` of the
            format, in words.
        taxonomy: Classes, class map and declared tail. No classes: they are the user's to name.
        downloads: What ``dataengine datasets download=NAME`` fetches; empty where an account is needed.
    """

    name: str
    title: str
    licence: str
    licence_kind: str = "unknown"
    source: str
    obtain: str
    size: str = ""
    needs: str = "nothing"
    anonymised: str = ""
    tested: str = ""
    taxonomy: Taxonomy
    downloads: tuple[Download, ...] = ()

    def __post_init__(self) -> None:
        if self.licence_kind not in licences.KINDS:
            raise ConfigError(
                f"datasets/{self.name}.toml: licence_kind={self.licence_kind!r} is none of "
                f"{', '.join(licences.KINDS)}"
            )

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary that ``from_json`` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Card:
        """Rebuild a card from ``to_json`` (tuples come back from lists)."""
        plain = dict(value)
        taxonomy = _taxonomy(plain["name"], plain.pop("taxonomy"))
        downloads = tuple(Download(**item) for item in plain.pop("downloads", ()))
        return cls(**plain, taxonomy=taxonomy, downloads=downloads)

    def with_classes(self, classes: Sequence[str], class_map: Mapping[str, str]) -> Card:
        """The card with a user's classes instead of its own (none keeps those), and more of a class map."""
        own = self.taxonomy
        if classes:
            kept = {name: target for name, target in own.class_map.items() if target in (*classes, IGNORE)}
            own = replace(
                own,
                classes=tuple(classes),
                class_map=kept,
                tail_classes=tuple(name for name in own.tail_classes if name in classes),
            )
        plain = asdict(own)
        plain["class_map"] = {**plain["class_map"], **class_map}
        return replace(self, taxonomy=_taxonomy(self.name, plain))


def load(name: str, path: str | None = None) -> Card:
    """Read the card of a dataset.

    Args:
        name: Name of the dataset; its packaged card is read unless ``path`` is given.
        path: A card of the user's own for the same format, or one below ``datasets/`` (``voc/carla.toml``).

    Raises:
        ConfigError: There is no such card, or it is no TOML, lacks a field or has one too many.
    """
    packaged = resources.folder("datasets") / f"{name}.toml"
    if path is None and not packaged.is_file():
        raise ConfigError(f"dataset={name} has no card; choose one of {', '.join(names())}")
    file = packaged if path is None else Path(path)
    if path is not None and not file.exists() and (packaged.parent / path).is_file():
        file = packaged.parent / path
    try:
        value = tomllib.loads(file.read_text(encoding="utf-8"))
        return Card.from_json({**value, "name": name})
    except OSError as error:
        raise ConfigError(
            f"dataset.card={file}: cannot be read ({error.strerror}); check the path"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{file}: not a dataset card ({error}); compare with {packaged}") from error


def names() -> list[str]:
    """Every dataset that has a card."""
    return sorted(path.stem for path in resources.folder("datasets").glob("*.toml"))


def _taxonomy(name: str, value: dict[str, Any]) -> Taxonomy:
    classes = tuple(value.get("classes", ()))
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

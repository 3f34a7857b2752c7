"""The datasets that are read as one: their settings, their common folder, their cards merged into one."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dataengine import cards, licences
from dataengine.adapters.base import Adapter, adapter_for, check_root, names
from dataengine.cards import Card
from dataengine.config import DatasetConfig, PartConfig
from dataengine.errors import ConfigError
from dataengine.schema import IGNORE, Taxonomy

_EXAMPLE = "'dataset.parts=[{name: camvid, root: A}, {name: kitti, root: B}]'"


@dataclass(frozen=True, slots=True)
class Part:
    """One dataset of several.

    Attributes:
        label: Stands before its ids; its name, with a number where that occurred before.
        root: Its folder, absolute.
        config: Its own settings.
    """

    label: str
    root: Path
    config: DatasetConfig

    def adapter(self) -> Adapter:
        """Its adapter, on its own folder."""
        return adapter_for(self.config, self.root)


def parts_of(config: DatasetConfig) -> tuple[Part, ...]:
    """The parts in their order.

    Raises:
        ConfigError: There are none, or one is unknown, mixed itself, without a folder, or reads the files
            of another.
    """
    if not config.parts:
        raise ConfigError(f"dataset=mixed needs dataset.parts, for instance {_EXAMPLE}")
    counts: Counter[str] = Counter()
    parts = []
    for number, part in enumerate(config.parts):
        where = f"dataset.parts[{number}]"
        if part.name == "mixed":
            raise ConfigError(f"{where}: a mixed dataset cannot hold another; list its parts instead")
        if part.name not in names():
            known = ", ".join(name for name in names() if name != "mixed")
            raise ConfigError(f"{where}: name={part.name} has no adapter; choose one of {known}")
        counts[part.name] += 1
        label = part.name + (str(counts[part.name]) if counts[part.name] > 1 else "")
        inner = _inner(config, part)
        parts.append(Part(label, _root(part, inner, where), inner))
    _check_apart(parts)
    return tuple(parts)


def common_root(config: DatasetConfig) -> Path:
    """The folder that the roots of all parts share; errors as from ``parts_of``."""
    return Path(os.path.commonpath([part.root for part in parts_of(config)]))


def part_cards(config: DatasetConfig) -> list[Card]:
    """The card of each part; one without classes takes those that its labels name.

    Raises:
        ConfigError: As from ``parts_of``, or a part has no card.
        InputError: The folder of a part without classes on its card does not hold its format.
    """
    return [card_of(part) for part in parts_of(config)]


def card_of(part: Part) -> Card:
    """The card of one part, with the classes that its labels name where it has none of its own."""
    if part.config.name == "fiftyone":
        from dataengine.adapters.fiftyone_dataset.adapter import card_of as of_fiftyone

        card = of_fiftyone(part.config)
    else:
        card = cards.load(part.config.name, part.config.card)
    if card.taxonomy.classes:
        return card
    check_root(part.root)
    return card.with_classes(tuple(dict.fromkeys(part.adapter().class_names())), {})


def mixed_card(config: DatasetConfig) -> Card:
    """One card for all parts: classes merged by ``dataset.class_map``, the strictest licence.

    The classes are those of the parts in order, after ``dataset.class_map``; or ``dataset.classes``,
    and then a class of a part that is in neither is told when ingest meets it.
    """
    own = cards.load("mixed", config.card)
    parts = list(zip(parts_of(config), part_cards(config), strict=True))
    found = [card for _, card in parts]
    labels = [part.label for part, _ in parts]
    return replace(
        own,
        title=f"{own.title}: {', '.join(labels)}",
        licence="; ".join(f"{label}: {card.licence}" for label, card in zip(labels, found, strict=True)),
        licence_kind=licences.strictest(card.licence_kind for card in found),
        source="; ".join(dict.fromkeys(card.source for card in found)),
        anonymised="; ".join(dict.fromkeys(card.anonymised for card in found if card.anonymised)),
        taxonomy=_merged(own.taxonomy, [card.taxonomy for card in found], config),
    )


def _merged(own: Taxonomy, parts: Sequence[Taxonomy], config: DatasetConfig) -> Taxonomy:
    merge = {**own.class_map, **config.class_map}
    every = dict.fromkeys(name for part in parts for name in part.classes)
    targets = [merge.get(name, name) for name in every]
    classes = tuple(config.classes) or own.classes or tuple(dict.fromkeys(t for t in targets if t != IGNORE))
    unknown = sorted({target for name, target in merge.items() if target not in (*classes, IGNORE)})
    if unknown:
        raise ConfigError(
            f"dataset.class_map leads to {', '.join(unknown)}, which is no class; classes are "
            f"{', '.join(classes)}"
        )
    known = (*classes, IGNORE)
    kept = {name: target for name, target in zip(every, targets, strict=True) if target in known}
    tail = dict.fromkeys(merge.get(name, name) for part in parts for name in part.tail_classes)
    conditions: dict[str, tuple[str, ...]] = {}
    for part in (own, *parts):
        for key, values in part.tail_conditions.items():
            conditions[key] = tuple(dict.fromkeys((*conditions.get(key, ()), *values)))
    return Taxonomy(
        classes=classes,
        class_map={**merge, **kept, IGNORE: IGNORE},
        tail_classes=tuple(name for name in (*own.tail_classes, *tail) if name in classes),
        tail_conditions=conditions,
    )


def _inner(config: DatasetConfig, part: PartConfig) -> DatasetConfig:
    return replace(
        config,
        name=part.name,
        root=part.root or None,
        card=part.card,
        fields=dict(part.fields),
        classes=[],
        class_map={},
        parts=[],
    )


def _root(part: PartConfig, inner: DatasetConfig, where: str) -> Path:
    if part.root:
        return Path(part.root).absolute()
    if part.name == "fiftyone":
        from dataengine.adapters.fiftyone_dataset.adapter import media_root

        return media_root(inner)
    raise ConfigError(f"{where}: {part.name} needs root=PATH, the folder of its recordings")


def _check_apart(parts: Sequence[Part]) -> None:
    """No file may be read twice: not under two names, and not as two frames."""
    for part, other in _pairs(parts):
        one, two = part.root.resolve(), other.root.resolve()
        if one == two:
            raise ConfigError(f"dataset.parts: {part.label} and {other.label} both read {part.root}")
        if one.is_relative_to(two) or two.is_relative_to(one):
            raise ConfigError(
                f"dataset.parts: of {part.label} ({part.root}) and {other.label} ({other.root}) one lies in "
                "the other, so its files would be read twice; give folders apart"
            )


def _pairs(parts: Sequence[Part]) -> Iterator[tuple[Part, Part]]:
    for number, part in enumerate(parts):
        for other in parts[number + 1 :]:
            yield part, other

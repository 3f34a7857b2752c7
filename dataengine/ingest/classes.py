"""Which classes a workspace gets, told before any frame is read."""

from __future__ import annotations

from pathlib import Path

from dataengine import cards, licences
from dataengine.adapters.base import Adapter
from dataengine.cards import Card
from dataengine.config import Config, DatasetConfig
from dataengine.errors import ConfigError
from dataengine.schema import IGNORE


def card_of(config: Config) -> Card:
    """The card of the dataset with the user's classes, its licence checked.

    Raises:
        ConfigError: There is no such card, or ``licence.allow`` forbids it.
    """
    if config.dataset.name == "mixed":
        from dataengine.adapters.mixed.adapter import mixed_card, part_cards

        for card in part_cards(config.dataset):
            _check_licence(card, config.licence.allow)
        return mixed_card(config.dataset)
    if config.dataset.name == "fiftyone":
        from dataengine.adapters.fiftyone_dataset.adapter import card_of as of_fiftyone

        card = of_fiftyone(config.dataset)
    else:
        card = cards.load(config.dataset.name, config.dataset.card)
    _check_licence(card, config.licence.allow)
    if not card.taxonomy.classes and not config.dataset.classes:
        return card  # ``settled`` names them
    return card.with_classes(config.dataset.classes, config.dataset.class_map)


def common_root(config: DatasetConfig) -> Path:
    """The folder that the roots of several datasets share."""
    from dataengine.adapters.mixed.adapter import common_root as shared

    return shared(config)


def media_root(config: DatasetConfig) -> Path:
    """The folder that the media of a FiftyOne dataset share."""
    from dataengine.adapters.fiftyone_dataset.adapter import media_root as shared

    return shared(config)


def settled(card: Card, adapter: Adapter, config: DatasetConfig) -> Card:
    """The card, provided that it maps every class that the adapter can name beforehand.

    A card without classes takes the adapter's, under their own names unless ``dataset.class_map`` has others.

    Raises:
        ConfigError: Some classes are in no class map; the message holds the map to add.
    """
    found = tuple(dict.fromkeys(adapter.class_names()))
    taxonomy = card.taxonomy
    if not taxonomy.classes:
        named = (config.class_map.get(name, name) for name in found)
        own = tuple(dict.fromkeys(name for name in named if name != IGNORE))
        return card.with_classes(own, config.class_map) if own else card
    unmapped = [name for name in found if name not in taxonomy.class_map and name not in taxonomy.classes]
    if unmapped:
        wanted = ", ".join(f'"{name}": {IGNORE}' for name in unmapped)
        raise ConfigError(
            f"dataset={card.name}: {len(unmapped)} of its classes are in no class map; add "
            f"'dataset.class_map={{{wanted}}}', each with one of {', '.join(taxonomy.classes)} or {IGNORE}"
        )
    return card


def _check_licence(card: Card, allow: list[str]) -> None:
    licences.check({}, allow)  # the names
    if allow and card.licence_kind not in allow:
        raise ConfigError(
            f"dataset={card.name} is licensed {card.licence_kind} ({card.licence}), which licence.allow="
            f"[{','.join(allow)}] forbids; leave the dataset out, or allow it"
        )

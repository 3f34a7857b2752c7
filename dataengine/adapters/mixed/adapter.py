"""Several datasets read as one: their paths below a common folder, their ids behind their names.

Each part keeps its own class map: boxes leave here with the classes of their part's card, so ``Car`` of
one dataset and ``Car`` of another mean what their cards say. The mixed card merges those classes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine.adapters.base import (
    Adapter,
    BrokenFileError,
    Encoded,
    LabelReader,
    Recording,
    Still,
    check_root,
)
from dataengine.adapters.labels import FrameLabels, target_class
from dataengine.adapters.mixed.parts import Part, card_of, common_root, mixed_card, part_cards, parts_of
from dataengine.adapters.telemetry import Telemetry
from dataengine.cards import Card
from dataengine.config import DatasetConfig
from dataengine.errors import ConfigError
from dataengine.quarantine import Outcome
from dataengine.schema import IGNORE

__all__ = ["Mixed", "common_root", "mixed_card", "part_cards"]

Rename = Callable[[str], str]


class Member:
    """One part at work: its adapter, its card, and the way between its names and the mix's.

    Args:
        part: Which one.
        root: The mix's root.
        card: The part's.
    """

    def __init__(self, part: Part, root: Path, card: Card) -> None:
        self.part = part
        self.label = part.label
        self.root = part.root
        self.adapter = part.adapter()
        self.card = card
        self.folder = Path(os.path.relpath(part.root, root.absolute())).as_posix()
        if self.folder.startswith(".."):
            raise ConfigError(
                f"dataset.root={root} must hold {part.root}; leave it empty to take their folder"
            )

    def outward(self, path: str) -> str:
        """A path of the part as one of the mix."""
        if not path or self.folder == ".":
            return path
        return self.folder if path == "." else f"{self.folder}/{path}"

    def inward(self, path: str) -> str:
        """A path of the mix as one of the part."""
        if not path or self.folder == ".":
            return path
        return "." if path == self.folder else path.removeprefix(f"{self.folder}/")

    def given(self, recording: Recording) -> Recording:
        """A recording of the part as one of the mix, with labels that were read already translated."""

        def inline(still: Still) -> FrameLabels | None:
            return None if still.inline is None else self.translated(still.inline, recording.source)

        moved = _moved(recording, self.outward, lambda name: f"{self.label}.{name}")
        return replace(moved, stills=tuple(replace(still, inline=inline(still)) for still in moved.stills))

    def taken(self, recording: Recording) -> Recording:
        """A recording of the mix as the part gave it, but for labels that are translated."""
        return _moved(recording, self.inward, lambda name: name.removeprefix(f"{self.label}."))

    def translated(self, labels: FrameLabels, where: str) -> FrameLabels:
        """Labels in the classes of the part's card; what it ignores is called so and flagged.

        Raises:
            ConfigError: A name is in no class map of the part.
        """
        names = tuple(target_class(name, self.card, where) for name in labels.names)
        ignored = np.array([name == IGNORE for name in names], np.bool_)
        return replace(labels, names=names, ignore=labels.ignore | ignored)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Name a broken file of the part by its path in the mix."""
        try:
            yield
        except BrokenFileError as error:
            raise BrokenFileError(self.outward(error.path), error.reason) from error


class Mixed(Adapter):
    """Several datasets read as one.

    Args:
        root: A folder that holds the folders of all parts, as from ``common_root``.
        config: ``parts``, each with a name and a folder, and where it needs them ``fields`` and a ``card``.
        known: The parts and their cards, where they are known already.
    """

    def __init__(self, root: Path, config: DatasetConfig, known: tuple[tuple[Part, Card], ...] = ()) -> None:
        self.root = root
        self.config = config
        self._known = known

    def __reduce__(self) -> tuple[type[Mixed], tuple[Any, ...]]:
        """Cross to a worker with the parts' cards, for which labels were perhaps read, and no more."""
        known = self._known
        if "members" in self.__dict__:
            known = tuple((member.part, member.card) for member in self.members.values())
        return type(self), (self.root, self.config, known)

    @cached_property
    def members(self) -> dict[str, Member]:
        """The parts by label; errors as from ``mixed.parts.parts_of``."""
        known = self._known or tuple((part, card_of(part)) for part in parts_of(self.config))
        return {part.label: Member(part, self.root, card) for part, card in known}

    def settings(self) -> dict[str, Any]:
        """What each part ingests by, and what it takes its classes for."""
        return {
            "parts": {
                label: {"class_map": dict(member.card.taxonomy.class_map), **member.adapter.settings()}
                for label, member in self.members.items()
            }
        }

    def class_names(self) -> Iterator[str]:
        """Classes of the parts' cards; ``ConfigError`` if a part names one that its own card does not map."""
        for member in self.members.values():
            yield from member.card.taxonomy.classes
            for name in member.adapter.class_names():
                yield target_class(name, member.card, str(member.root))

    def recordings(self) -> Iterator[Recording | Outcome]:
        """Everything of one part, then everything of the next."""
        for member in self.members.values():
            check_root(member.root)
            for item in member.adapter.recordings():
                if isinstance(item, Outcome):
                    yield replace(item, path=member.outward(item.path))
                else:
                    yield member.given(item)

    def card_of(self, recording: Recording) -> Card | None:
        """The card of the part that a recording comes from."""
        return self._member(recording).card

    def telemetry(self, recording: Recording) -> Telemetry | None:
        """The part's."""
        member = self._member(recording)
        with member.telling():
            return member.adapter.telemetry(member.taken(recording))

    def labels(self, recording: Recording) -> LabelReader | None:
        """The part's, in the classes of its card."""
        member = self._member(recording)
        with member.telling():
            inner = member.adapter.labels(member.taken(recording))
        if inner is None:
            return None
        reader: LabelReader = inner
        translated = {still.number for still in recording.stills if still.inline is not None}

        def read(number: int, size: tuple[int, int]) -> FrameLabels | None:
            with member.telling():
                found = reader(number, size)
            if found is None or number in translated:
                return found
            return member.translated(found, recording.source)

        return read

    def frame_times(self, recording: Recording) -> NDArray[np.float64] | None:
        """The part's."""
        member = self._member(recording)
        with member.telling():
            return member.adapter.frame_times(member.taken(recording))

    def encoded(self, recording: Recording) -> Iterator[Encoded]:
        """The part's."""
        member = self._member(recording)
        with member.telling():
            yield from member.adapter.encoded(member.taken(recording))

    def _member(self, recording: Recording) -> Member:
        return self.members[recording.clip_id.partition(".")[0]]


def _moved(recording: Recording, path: Rename, name: Rename) -> Recording:
    """A recording with other paths and ids."""
    return replace(
        recording,
        clip_id=name(recording.clip_id),
        drive_id=name(recording.drive_id),
        source=path(recording.source),
        files=tuple(map(path, recording.files)),
        shared=tuple(map(path, recording.shared)),
        stills=tuple(
            replace(still, image=path(still.image), mask=path(still.mask), labels=path(still.labels))
            for still in recording.stills
        ),
    )

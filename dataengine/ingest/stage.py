"""The ingest stage: an adapter's recordings into the lake of a workspace, in parallel and repeatably.

Clips that hold about a thousand frames make a batch. A batch is appended as one part of
each table, named by its clips, ``frames`` last: that part is the commit. A run killed at any
instant leaves either the whole batch or parts that the next run removes, and ends in the same lake.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from dataengine import files, progress
from dataengine.adapters.base import Adapter, Recording, adapter_for, check_root
from dataengine.cards import Card
from dataengine.config import Config
from dataengine.errors import InputError, WorkspaceError
from dataengine.executor import ordered_map
from dataengine.ingest import classes
from dataengine.ingest.extract import Extract, Job, extract
from dataengine.ingest.ledger import Ledger
from dataengine.ingest.names import with_good_names
from dataengine.ingest.summary import IngestSummary
from dataengine.privacy import Anonymiser, anonymiser
from dataengine.quarantine import Outcome
from dataengine.schema import Taxonomy
from dataengine.workspace import Workspace

_PARTS_OF_A_BATCH = ("clips", "oracle", "telemetry", "blurred")


def ingest(config: Config, root: Path) -> tuple[Workspace, IngestSummary]:
    """Bring a dataset's recordings into a workspace; what is there already is left alone.

    Args:
        config: Its ``dataset``, ``ingest``, ``licence``, ``compute`` and what ``curate`` says of anonymity.
        root: Folder of the workspace; created if need be. The embedded fleet is rendered into its
            ``recordings/`` where ``dataset.root`` is empty.

    Raises:
        InputError: The dataset's folder is missing, empty or of another format, or none of its
            recordings can be used.
        ConfigError: There is no such dataset, its licence is not among those allowed, or a class name
            is in no class map.
        WorkspaceError: The workspace holds another dataset or settings, or cannot be written.
    """
    started = time.monotonic()
    card = classes.card_of(config)
    source = _source(config, card, root)
    adapter = adapter_for(config.dataset, source)
    workspace = _existing(root, card)
    blurrer = anonymiser(config.curate, config.compute)  # its weights are checked before anything is written

    def marks(card: Card) -> str:
        return fingerprint(adapter, config, card, blurrer)

    if workspace is not None and card.taxonomy.classes:
        _check_settings(workspace, card, marks)
    _render(config, source)
    check_root(source)
    card = classes.settled(card, adapter, config.dataset)
    if workspace is not None and not card.taxonomy.classes:
        card = workspace.card  # named in an earlier run
    if workspace is not None:
        _check_settings(workspace, card, marks)
    if workspace is None:
        workspace = _created(adapter, config, card, root, marks(card))
    elif config.dataset.root is not None or config.dataset.name in ("mixed", "fiftyone"):
        _follow(workspace, source)
    _remove_leftovers(workspace)
    ledger = Ledger(workspace)
    for result in _extracts(adapter, config, workspace, ledger, blurrer):
        ledger.take(result)
    ledger.commit()
    return workspace, ledger.finish(source, time.monotonic() - started)


def fingerprint(adapter: Adapter, config: Config, card: Card, blurrer: Anonymiser | None) -> str:
    """Digest of everything that decides which frames, pixels and labels are ingested."""
    marks: dict[str, Any] = {
        "dataset": config.dataset.name,
        "classes": card.taxonomy.classes,
        "cameras": config.dataset.cameras,
        "ingest": asdict(config.ingest),
        **adapter.settings(),
    }
    if blurrer is not None:
        marks["anonymise"] = blurrer.settings()
    return files.digest(marks)


def _source(config: Config, card: Card, root: Path) -> Path:
    if config.dataset.root is not None:
        return Path(config.dataset.root)
    if config.dataset.name == "simulated":
        return root / "recordings"
    if config.dataset.name == "mixed":
        return classes.common_root(config.dataset)
    if config.dataset.name == "fiftyone":
        return classes.media_root(config.dataset)
    fetch = f"`dataengine datasets download={card.name}` fetches it, or: " if card.downloads else ""
    raise InputError(
        f"dataset={card.name} needs dataset.root=PATH, the folder it was unpacked in. {fetch}{card.obtain}"
    )


def _existing(root: Path, card: Card) -> Workspace | None:
    """The workspace in ``root``, if there is one, provided that it holds the same dataset."""
    if not Workspace.exists(root):
        return None
    workspace = Workspace.open(root)
    if workspace.card.name != card.name:
        raise WorkspaceError(
            f"{root} holds the dataset {workspace.card.name}, not {card.name}; choose another workspace=PATH"
        )
    return workspace


def _check_settings(workspace: Workspace, card: Card, marks: Callable[[Card], str]) -> None:
    """Raise ``WorkspaceError`` unless the workspace was ingested as it would be now.

    One that was ingested without classes, because its recordings have no labels, may get them later.
    """
    if workspace.fingerprint == marks(card):
        return
    bare = replace(card, taxonomy=Taxonomy(classes=()))
    if workspace.fingerprint == marks(bare):
        workspace.adopt_card(card, marks(card))
        return
    raise WorkspaceError(
        f"{workspace.root} was ingested from {card.name} with other settings (ingest, dataset.min_box_area, "
        "cameras, world, classes or curate.anonymise); set them back, or choose another workspace=PATH"
    )


def _render(config: Config, source: Path) -> None:
    if config.dataset.name == "simulated" and config.dataset.root is None:
        from dataengine.simulator import render_fleet

        render_fleet(config.dataset.world, source, workers=config.compute.workers)


def _created(adapter: Adapter, config: Config, card: Card, root: Path, marks: str) -> Workspace:
    # the first recording proves that the folder holds this format, before anything is written
    next(adapter.recordings(), None)
    rendered = config.dataset.name == "simulated" and config.dataset.root is None
    return Workspace.create(root, card, None if rendered else adapter.root, marks)


def _follow(workspace: Workspace, source: Path) -> None:
    """Record that the original recordings moved, after a look that these are the same ones."""
    if workspace.source_root is not None and workspace.source_root.resolve() == source.resolve():
        return
    for name in workspace.lake.read("clips", ["source"])["source"].unique().to_pylist():
        if not (source / name).exists():
            raise WorkspaceError(
                f"dataset.root={source} lacks {name}, which {workspace.root} was ingested from "
                f"({workspace.source_root}); give the same recordings, or choose another workspace=PATH"
            )
    workspace.relocate_source(source)


def _remove_leftovers(workspace: Workspace) -> None:
    """Remove what a killed run left half done; the workspace's lock says that it is not at work now."""
    lake = workspace.lake
    committed = {path.name for path in lake.parts("frames")}
    parts = [path for table in _PARTS_OF_A_BATCH for path in lake.parts(table)]
    half_written = [*lake.root.glob("*/.*.tmp"), *workspace.root.glob(".*.tmp")]
    for path in [*(path for path in parts if path.name not in committed), *half_written]:
        path.unlink()


def _extracts(
    adapter: Adapter, config: Config, workspace: Workspace, ledger: Ledger, blurrer: Anonymiser | None
) -> Iterator[Extract]:
    """Every new recording, extracted in the adapter's order; the ledger hears of the rest."""

    def jobs() -> Iterator[Job]:
        for found in with_good_names(adapter.recordings()):
            if isinstance(found, Outcome):
                ledger.stray(found)
                continue
            fresh = ledger.without_present(found)
            if fresh is not None:
                yield Job(
                    adapter=adapter,
                    recording=fresh,
                    workspace=workspace.root,
                    card=workspace.card,
                    origin=adapter.card_of(found) or workspace.card,
                    config=config.ingest,
                    anonymiser=blurrer,
                    known_clip=found.clip_id in ledger.known_clips,
                )

    results = ordered_map(extract, jobs(), workers=config.compute.workers)
    return progress.track(results, "ingest", total=_num_recordings(adapter), unit="clips")


def _num_recordings(adapter: Adapter) -> int | None:
    """How many recordings there are, where somebody is there to read how long they will take."""
    if not sys.stderr.isatty():
        return None
    return sum(isinstance(found, Recording) for found in adapter.recordings())

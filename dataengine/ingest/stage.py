"""The ingest stage: an adapter's recordings into the lake of a workspace, in parallel and repeatably.

Clips that hold about a thousand frames make a batch. A batch is appended as one part of
each table, named by its clips, ``frames`` last: that part is the commit. A run killed at any
instant leaves either the whole batch or parts that the next run removes, and ends in the same lake.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from dataengine import cards, files, progress
from dataengine.adapters.base import Adapter, adapter_for, check_root
from dataengine.cards import Card
from dataengine.config import Config
from dataengine.errors import InputError, WorkspaceError
from dataengine.executor import ordered_map
from dataengine.ingest.extract import Extract, Job, extract
from dataengine.ingest.ledger import Ledger
from dataengine.ingest.summary import IngestSummary
from dataengine.workspace import Outcome, Workspace


def ingest(config: Config, root: Path) -> tuple[Workspace, IngestSummary]:
    """Bring a dataset's recordings into a workspace; what is there already is left alone.

    Args:
        config: Its ``dataset``, ``curate.jpeg_quality`` and ``compute.workers`` are read.
        root: Folder of the workspace; created if need be. The embedded fleet is rendered into its
            ``recordings/`` where ``dataset.root`` is empty.

    Raises:
        InputError: The dataset's folder is missing, empty or of another format, or none of its
            recordings can be used.
        ConfigError: There is no such dataset, or a class name is in no class map.
        WorkspaceError: The workspace holds another dataset or settings, or cannot be written.
    """
    started = time.monotonic()
    card = cards.load(config.dataset.name)
    source = _source(config, card, root)
    adapter = adapter_for(config.dataset, source)
    workspace = _known(root, card, fingerprint(adapter, config, card))
    _render(config, source)
    check_root(source)
    if workspace is None:
        workspace = _created(adapter, config, card, root)
    elif config.dataset.root is not None:
        _follow(workspace, source)
    _remove_leftovers(workspace)
    ledger = Ledger(workspace)
    for result in _extracts(adapter, config, card, workspace, ledger):
        ledger.take(result)
    ledger.commit()
    return workspace, ledger.finish(source, time.monotonic() - started)


def fingerprint(adapter: Adapter, config: Config, card: Card) -> str:
    """Digest of everything that decides which frames, pixels and labels are ingested."""
    return files.digest(
        {
            "dataset": config.dataset.name,
            "classes": card.taxonomy.classes,
            "jpeg_quality": config.curate.jpeg_quality,
            **adapter.settings(),
        }
    )


def _source(config: Config, card: Card, root: Path) -> Path:
    if config.dataset.root is not None:
        return Path(config.dataset.root)
    if config.dataset.name == "simulated":
        return root / "recordings"
    raise InputError(
        f"dataset={card.name} needs dataset.root=PATH, the folder it was unpacked in. {card.obtain}"
    )


def _known(root: Path, card: Card, expected: str) -> Workspace | None:
    """The workspace in ``root``, if there is one, provided that it holds the same dataset and settings."""
    if not Workspace.exists(root):
        return None
    workspace = Workspace.open(root)
    if workspace.card.name != card.name:
        raise WorkspaceError(
            f"{root} holds the dataset {workspace.card.name}, not {card.name}; choose another workspace=PATH"
        )
    if workspace.fingerprint != expected:
        raise WorkspaceError(
            f"{root} was ingested from {card.name} with other settings (dataset.fps, min_box_area, world, "
            "curate.jpeg_quality or classes); set them back, or choose another workspace=PATH"
        )
    return workspace


def _render(config: Config, source: Path) -> None:
    if config.dataset.name == "simulated" and config.dataset.root is None:
        from dataengine.simulator import render_fleet

        render_fleet(config.dataset.world, source, workers=config.compute.workers)


def _created(adapter: Adapter, config: Config, card: Card, root: Path) -> Workspace:
    # the first recording proves that the folder holds this format, before anything is written
    next(adapter.recordings(), None)
    outside = adapter.root if config.dataset.root is not None else None
    return Workspace.create(root, card, outside, fingerprint(adapter, config, card))


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
    parts = [path for table in ("clips", "oracle") for path in lake.parts(table)]
    half_written = [*lake.root.glob("*/.*.tmp"), *workspace.root.glob(".*.tmp")]
    for path in [*(path for path in parts if path.name not in committed), *half_written]:
        path.unlink()


def _extracts(
    adapter: Adapter, config: Config, card: Card, workspace: Workspace, ledger: Ledger
) -> Iterator[Extract]:
    """Every new recording, extracted in the adapter's order; the ledger hears of the rest."""

    def jobs() -> Iterator[Job]:
        for found in adapter.recordings():
            if isinstance(found, Outcome):
                ledger.stray(found)
                continue
            fresh = ledger.without_present(found)
            if fresh is not None:
                yield Job(
                    adapter=adapter,
                    recording=fresh,
                    workspace=workspace.root,
                    card=card,
                    fps=config.dataset.fps,
                    jpeg_quality=config.curate.jpeg_quality,
                    known_clip=found.clip_id in ledger.known_clips,
                )

    return progress.track(
        ordered_map(extract, jobs(), workers=config.compute.workers), "ingest", unit="clips"
    )

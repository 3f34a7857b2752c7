"""A folder of BDD100K seen through its adapter."""

from __future__ import annotations

from pathlib import Path

from dataengine.adapters.base import Recording
from dataengine.adapters.bdd100k.adapter import Bdd100k
from dataengine.adapters.labels import FrameLabels
from dataengine.config import DatasetConfig
from tests.adapters.accounts import settled

SIZE = (36, 48)


def opened(root: Path) -> tuple[Bdd100k, dict[str, Recording], dict[str, tuple[str, str]]]:
    adapter = Bdd100k(root, DatasetConfig(name="bdd100k", root=str(root)))
    return adapter, *settled(adapter)


def labels_of(adapter: Bdd100k, recording: Recording) -> dict[int, FrameLabels | None]:
    read = adapter.labels(recording)
    assert read is not None
    return {still.number: read(still.number, SIZE) for still in recording.stills}


def names_of(adapter: Bdd100k, recording: Recording) -> dict[int, tuple[str, ...] | None]:
    return {n: None if found is None else found.names for n, found in labels_of(adapter, recording).items()}

"""Which embedder a setting names: the thumbnail, the newest detector, or published weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dataengine import files
from dataengine.config import ComputeConfig
from dataengine.curate.embedder import Embedder, thumbnail
from dataengine.errors import ConfigError
from dataengine.workspace import Workspace


def choose(workspace: Workspace, setting: str, compute: ComputeConfig) -> Embedder | None:
    """The embedder for ``curate.embed``; ``None`` for ``none``.

    ``detector`` is the newest one trained in the workspace, and the thumbnail before there is one.

    Raises:
        ConfigError: There is no such embedder.
        ModelError: Its weights cannot be fetched or read.
    """
    kind, _, path = setting.partition(" ")
    if setting == "none":
        return None
    if setting == "thumbnail":
        return thumbnail()
    if setting == "detector":
        newest = newest_detector(workspace)
        return thumbnail() if newest is None else _detector(workspace, newest, compute)
    if kind in {"dino", "clip"}:
        if not path.strip():
            raise ConfigError(
                f"curate.embed={setting} wants the weights: curate.embed='{kind} PATH.safetensors'"
            )
        from dataengine.curate.networks import transformer

        return transformer(kind, Path(path.strip()), compute)
    from dataengine.curate.networks import published

    return published(setting, compute)


def newest_detector(workspace: Workspace) -> Path | None:
    """The checkpoint that was written last by a run of the workspace."""
    found = [
        path
        for run in workspace.runs()
        for path in run.folder.glob("cycles/*/model.safetensors")
        if path.is_file()
    ]
    return max(found, key=lambda path: (path.stat().st_mtime_ns, str(path)), default=None)


def _detector(workspace: Workspace, path: Path, compute: ComputeConfig) -> Embedder:
    from dataengine import learn
    from dataengine.config import ModelConfig
    from dataengine.learn import checkpoint

    description = checkpoint.read(path)[1]
    model = ModelConfig(**description["model"])

    def embed(paths: Sequence[Path]) -> NDArray[np.float32]:
        ids = [str(number) for number in range(len(paths))]
        taxonomy = workspace.taxonomy
        found = learn.predict(
            paths, ids, checkpoint=path, taxonomy=taxonomy, model=model, compute=compute, label="embed"
        )
        return found.embeddings

    name = f"detector {path.relative_to(workspace.root / 'runs')}"
    return Embedder(name=name, key=files.sha256(path), embed=embed, batch=1024)

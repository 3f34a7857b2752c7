"""A map of the frames: one model's embeddings in two dimensions, by principal components."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine import files
from dataengine.cockpit.facts import Arm, Facts
from dataengine.cockpit.ownership import Ownership
from dataengine.frameboxes import flat

MAP = "frame_map"
"""Brain key of the map in the Embeddings panel."""
_VERSION = 1


def principal_components(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """``[N, D]`` vectors on their two directions of largest variance: ``[N, 2]`` float64 (Pearson 1901).

    Each direction is turned so that its largest weight is positive, which makes the map reproducible.
    """
    centred = vectors.astype(np.float64)
    centred -= centred.mean(0)
    if min(centred.shape) < 2:
        return np.zeros((len(vectors), 2))
    _, directions = np.linalg.eigh(centred.T @ centred)
    axes = directions[:, ::-1][:, :2]
    strongest = np.take_along_axis(axes, np.abs(axes).argmax(0)[None], 0)
    points: NDArray[np.float64] = centred @ (axes * np.where(strongest < 0, -1.0, 1.0))
    return points


def write(dataset: Any, facts: Facts, ours: Ownership) -> None:
    """Put the map of the primary arm's first model into the dataset, unless it is there already.

    The first cycle's model saw every frame that was mined later, so one map shows them all.
    """
    arm = facts.primary
    if arm is None or not arm.predicted:
        return
    source = files.digest([_VERSION, files.sha256(arm.run.cycle(arm.predicted[0]) / "predictions.parquet")])
    if ours.digests.get(MAP) == source and dataset.has_brain_run(MAP):
        return
    frame_ids, vectors = _embeddings(arm)
    if not vectors.size:
        return
    if dataset.has_brain_run(MAP):
        dataset.delete_brain_run(MAP)
    sample_of = dict(zip(*dataset.values(["frame_id", "id"]), strict=True))
    points = dict(zip(frame_ids, principal_components(vectors), strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import fiftyone.brain as fob

        placed = {sample_of[frame_id]: point for frame_id, point in points.items() if frame_id in sample_of}
        view = dataset.select(list(placed))
        fob.compute_visualization(view, points=placed, brain_key=MAP, method="manual", num_dims=2)
    ours.digests[MAP] = source
    ours.save()


def _embeddings(arm: Arm) -> tuple[list[str], NDArray[np.float32]]:
    table = arm.table(arm.predicted[0], "predictions").select(["frame_id", "embedding"])
    values: NDArray[np.float32] = np.asarray(flat(table["embedding"]), np.float32)
    return table["frame_id"].to_pylist(), values.reshape(table.num_rows, -1)

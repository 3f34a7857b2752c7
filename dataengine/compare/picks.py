"""What a cycle bought: what turned out to be in each frame, and how near it was to others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataengine.compare.tables import PICKS
from dataengine.config import EvaluateConfig
from dataengine.evaluate import count_errors
from dataengine.frameboxes import FrameBoxes, flat, positions, ragged
from dataengine.lake import read_parquet
from dataengine.schema import FRAME_BOXES
from dataengine.workspace import Run

COLUMNS = ("frame_id", "clip_id", "drive_id", "conditions")
"""What has to be known of the frames."""

_BLOCK = 2048


def describe(
    run: Run, cycle: int, frames: pa.Table, *, num_classes: int, judging: EvaluateConfig
) -> pa.Table:
    """The picks of one cycle.

    All of it is bought: truth is read from the labels of the cycle, embeddings and mistakes from the
    predictions of the model that picked.

    Args:
        run: The arm's run.
        cycle: From 1.
        frames: ``COLUMNS`` of (at least) the pool.
        num_classes: Length of the class counts.
        judging: What is a mistake.

    Returns:
        Table with the columns of ``PICKS`` but for those that name the cell.
    """
    folder, before = run.cycle(cycle), run.cycle(cycle - 1)
    selection = read_parquet(folder / "selection.parquet").sort_by("rank")
    ids = selection["frame_id"].to_pylist()
    truth = FrameBoxes.from_table(read_parquet(folder / "labels.parquet")).select(ids)
    earlier = read_parquet(before / "labels.parquet", ["frame_id"])["frame_id"].to_pylist()
    table = _of(
        read_parquet(before / "predictions.parquet", [*FRAME_BOXES.names, "embedding"]), ids + earlier
    )
    predicted = FrameBoxes.from_table(table)
    embeddings = np.asarray(flat(table["embedding"]), np.float32).reshape(table.num_rows, -1)
    known = frames.take(pa.array(positions(np.array(frames["frame_id"].to_pylist(), object), ids)))
    counts = truth.class_counts(num_classes)
    errors = count_errors(truth, predicted.take(np.arange(len(ids))), judging)
    columns = {
        **{name: known[name] for name in COLUMNS},
        "rank": selection["rank"],
        "trigger": selection["trigger"],
        "class_counts": ragged(np.arange(len(ids) + 1) * num_classes, counts.ravel(), pa.int32()),
        "nearest": pa.array(nearest(embeddings[: len(ids)], embeddings[len(ids) :]), pa.float32()),
        "had_error": pa.array(errors > 0),
    }
    return pa.table({name: columns[name] for name in PICKS.names if name in columns})


def _of(predictions: pa.Table, ids: list[str]) -> pa.Table:
    """The rows of the named frames, in that order."""
    wanted = predictions.filter(pc.is_in(predictions["frame_id"], pa.array(ids, pa.string())))
    return wanted.take(pa.array(positions(np.array(wanted["frame_id"].to_pylist(), object), ids)))


def nearest(picked: NDArray[np.float32], earlier: NDArray[np.float32]) -> NDArray[np.float32]:
    """``[P]`` cosine distance, 0..2, of each pick to the nearest other pick or earlier frame; NaN if none.

    Args:
        picked: ``[P, D]`` embeddings.
        earlier: ``[E, D]`` embeddings of the frames that were labelled before.
    """
    everything = np.concatenate([picked, earlier])
    length = np.linalg.norm(everything, axis=1, keepdims=True)
    everything = everything / np.where(length > 0, length, 1)
    if len(everything) < 2:
        return np.full(len(picked), np.nan, np.float32)
    distances = np.empty(len(picked), np.float32)
    for start in range(0, len(picked), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(picked)))
        likeness = everything[rows] @ everything.T
        likeness[rows - start, rows] = -np.inf
        distances[rows] = 1 - likeness.max(axis=1)
    return np.clip(distances, 0, 2)

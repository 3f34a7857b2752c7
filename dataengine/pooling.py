"""The pool as a miner sees it: gathered from the files of a run, without the truth of what is not bought."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataengine import files, learn
from dataengine.config import Config, TrainConfig
from dataengine.errors import InputError, WorkspaceError
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.lake import read_parquet, write_parquet
from dataengine.learn import pseudo
from dataengine.mine import VIEWS, Known, Need, Pool
from dataengine.schema import POOL, VAL
from dataengine.workspace import Run, Workspace


def build(
    workspace: Workspace, run: Run, config: Config, cycle: int, *, needs: frozenset[Need], shut: set[str]
) -> Pool:
    """What may be bought in a cycle, and what is known of it from the cycle before.

    Args:
        workspace: The frames.
        run: The arm's run; the files of ``cycle - 1`` are read.
        config: Detector and machine, where a view of the pool has to be predicted first.
        cycle: The cycle that selects, from 1.
        needs: What the arm has to know; the rest is left out.
        shut: Frames that may not be bought.
    """
    classes = workspace.taxonomy.classes
    previous = run.cycle(cycle - 1)
    labels = FrameBoxes.from_table(read_parquet(previous / "labels.parquet").sort_by("frame_id"))
    predictions = read_predictions(previous / "predictions.parquet", len(classes))
    frames = workspace.frames(POOL)
    # frames that were ingested after the last prediction join in the next cycle
    open_ids = set(predictions.boxes.frame_ids) - set(labels.frame_ids) - shut
    candidates = _rows(frames, sorted(open_ids))
    ids = candidates["frame_id"].to_pylist()
    labelled = predictions.select(labels.frame_ids)
    known = Known(frames=_rows(frames, labels.frame_ids.tolist()), truth=labels, predictions=labelled)
    return Pool(
        frames=candidates,
        predictions=predictions.select(ids),
        labelled_embeddings=labelled.embeddings,
        labelled_class_counts=np.bincount(labels.class_id[~labels.ignore], minlength=len(classes)),
        classes=classes,
        labelled=known if Need.labelled in needs else None,
        val=_val(workspace, predictions) if Need.val in needs else None,
        views={
            need.value: _view(workspace, run, config, cycle - 1, need.value, candidates)
            for need in VIEWS
            if need in needs
        },
    )


def pseudo_labels(
    workspace: Workspace, run: Run, train: TrainConfig, cycle: int, shut: set[str]
) -> FrameBoxes:
    """What the model of the cycle before is sure to see in pool frames that nobody labelled.

    Args:
        workspace: The frames; of labels only those of val are read.
        run: The arm's run; the predictions of ``cycle - 1`` are read.
        train: How sure is sure.
        cycle: The cycle that trains, from 1.
        shut: Frames that may not be used: labelled ones, and those that people rejected.
    """
    num_classes = len(workspace.taxonomy)
    predictions = read_predictions(run.cycle(cycle - 1) / "predictions.parquet", num_classes)
    val = _val(workspace, predictions)
    sure_from = pseudo.thresholds(
        val.predictions.boxes if val else None, val.truth if val else None, num_classes, train
    )
    pool = set(workspace.frames(POOL)["frame_id"].to_pylist())
    open_ids = sorted((set(predictions.boxes.frame_ids) & pool) - shut)
    return pseudo.pseudo_labels(predictions.boxes.select(open_ids), sure_from, train)


def read_predictions(path: Path, num_classes: int) -> Predictions:
    """Predictions that a cycle wrote."""
    return Predictions.from_table(read_parquet(path), num_classes)


def _rows(frames: pa.Table, ids: Sequence[str]) -> pa.Table:
    """The named frames; ``frames`` and ``ids`` are in the order of ids, and so is the answer."""
    return frames.filter(pc.is_in(frames["frame_id"], pa.array(ids, pa.string())))


def _val(workspace: Workspace, predictions: Predictions) -> Known | None:
    """Val with its labels; None where nobody labelled any of it."""
    frames = workspace.frames(VAL)
    truth = workspace.lake.truth(frames["frame_id"].to_pylist())
    if not truth.num_frames:
        return None
    return Known(
        frames=_rows(frames, truth.frame_ids.tolist()),
        truth=truth,
        predictions=predictions.select(truth.frame_ids),
    )


def _view(
    workspace: Workspace, run: Run, config: Config, cycle: int, name: str, frames: pa.Table
) -> Predictions:
    """What the model of a cycle says of frames seen otherwise; computed once and kept beside the model.

    Runs that share the model, as arms of one seed do in cycle 0, share this too.
    """
    folder, file = run.cycle(cycle), f"predictions-{name}.parquet"
    checkpoint = folder / ("snapshot.safetensors" if name == "snapshot" else "model.safetensors")
    if not checkpoint.is_file():
        raise InputError(
            f"{checkpoint} is missing, and the arm asks what it says of the pool: the cycle was trained "
            "before snapshots were kept; start a run with another seed, or choose another arm"
        )
    weights, wanted = files.sha256(checkpoint), set(frames["frame_id"].to_pylist())
    for owner in (run, *workspace.runs()):
        table = _of_weights(owner.cycle(cycle) / file, weights)
        if table is not None and wanted <= set(table["frame_id"].to_pylist()):
            return Predictions.from_table(table, len(workspace.taxonomy))
    found = learn.predict(
        workspace.image_paths(frames),
        frames["frame_id"].to_pylist(),
        checkpoint=checkpoint,
        taxonomy=workspace.taxonomy,
        model=config.model,
        compute=config.compute,
        label=f"predict the pool again ({name})",
        view="" if name == "snapshot" else name,
    )
    write_parquet(folder / file, found.to_table().replace_schema_metadata({"weights": weights}))
    return found


def _of_weights(path: Path, weights: str) -> pa.Table | None:
    """The table, if there is one that says it was made by these weights; a damaged one is made again."""
    try:
        known = path.is_file() and (pq.read_schema(path).metadata or {}).get(b"weights") == weights.encode()
        return read_parquet(path) if known else None
    except (pa.ArrowInvalid, WorkspaceError):
        return None

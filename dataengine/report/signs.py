"""Signs of where a next euro is best spent, measured on one finished cycle of one run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataengine.evaluate.coco import AREA_LIMIT, average_precision
from dataengine.forecast import Signs
from dataengine.frameboxes import FrameBoxes
from dataengine.report.data import Gathered, RunRecord
from dataengine.report.training import total_losses
from dataengine.schema import POOL, VAL

SURE = 0.3
"""Predictions below it are not counted as objects."""

MOST_FRAMES = 400
"""Labelled frames that are judged at most: AP50 to a few hundredths is enough."""

LARGEST_POOL = 100_000
"""Pools beyond it are not counted through for a sign."""


def signs(gathered: Gathered, record: RunRecord, cycle: int) -> Signs:
    """What was measured; a sign whose files are missing stays NaN or empty."""
    labels = record.labels(cycle)
    nearest, first_nearest = _nearest(record, cycle)
    return Signs(
        loss_fall=loss_fall(record, cycle),
        labelled_ap=math.nan if labels is None else _labelled_ap(gathered, record, cycle, labels),
        val_ap=record.values.get((cycle, VAL, "all", "ap50"), math.nan),
        nearest=nearest,
        first_nearest=first_nearest,
        rare_left={} if labels is None else _rare_left(gathered, record, cycle, labels),
    )


def loss_fall(record: RunRecord, cycle: int) -> float:
    """Share by which the mean loss of the last tenth of the steps is below that of the tenth before."""
    losses = [loss for _, loss in total_losses(record.losses(cycle)) if math.isfinite(loss)]
    tenth = len(losses) // 10
    before = fmean(losses[-2 * tenth : -tenth]) if tenth else 0.0
    return 1 - fmean(losses[-tenth:]) / before if before > 0 else math.nan


def _labelled_ap(gathered: Gathered, record: RunRecord, cycle: int, labels: FrameBoxes) -> float:
    """AP50 over all classes on frames the model was trained on, spread evenly over them."""
    step = max(1, math.ceil(labels.num_frames / MOST_FRAMES))
    truth = labels.take(np.arange(0, labels.num_frames, step))
    predicted = record.boxes_of(cycle, "predictions", list(truth.frame_ids))
    if predicted is None or set(predicted.frame_ids) != set(truth.frame_ids) or not truth.num_boxes:
        return math.nan
    whole = [(0.0, AREA_LIMIT)]
    found = average_precision(truth, predicted.select(truth.frame_ids), len(gathered.taxonomy), whole)[0, 0]
    return float(np.nanmean(found)) if np.isfinite(found).any() else math.nan


def _rare_left(
    gathered: Gathered, record: RunRecord, cycle: int, labels: FrameBoxes
) -> dict[str, tuple[float, float]]:
    """Rare class -> sure predicted boxes in the frames that were not bought, and labelled boxes."""
    frames = gathered.frames
    pool = frames["frame_id"].filter(pc.equal(frames["split"], POOL)).to_pylist()
    if len(pool) > LARGEST_POOL:
        return {}
    bought = set(labels.frame_ids)
    free = [frame_id for frame_id in pool if frame_id not in bought]
    predicted = record.boxes_of(cycle, "predictions", free)
    if predicted is None or len(predicted.frame_ids) < len(free):
        return {}
    sure = predicted.class_id[predicted.score >= SURE]
    kept = labels.class_id[~labels.ignore]
    taxonomy = gathered.taxonomy
    numbers = {name: taxonomy.index(name) for name in taxonomy.tail_classes if name in taxonomy.classes}
    return {name: (float((sure == k).sum()), float((kept == k).sum())) for name, k in numbers.items()}


def _nearest(record: RunRecord, cycle: int) -> tuple[float, float]:
    """Mean cosine distance of the latest and of the first bought batch to what was labelled before each."""
    table = record.table(cycle, "predictions", ["frame_id", "embedding"])
    batches = [record.table(number, "selection", ["frame_id"]) for number in range(cycle + 1)]
    if table is None or cycle < 2 or any(batch is None for batch in batches):
        return math.nan, math.nan
    ids = [batch["frame_id"].to_pylist() for batch in batches if batch is not None]
    wanted = {frame_id for batch in ids for frame_id in batch}
    rows = table.filter(pc.is_in(table["frame_id"], pa.array(sorted(wanted), pa.string()))).to_pylist()
    vectors = {row["frame_id"]: np.asarray(row["embedding"], np.float64) for row in rows}
    if wanted - vectors.keys() or len({len(vector) for vector in vectors.values()}) != 1:
        return math.nan, math.nan
    latest = _mean_distance(_unit(vectors, ids[cycle]), _unit(vectors, [i for b in ids[:cycle] for i in b]))
    return latest, _mean_distance(_unit(vectors, ids[1]), _unit(vectors, ids[0]))


def _unit(vectors: dict[str, NDArray[np.float64]], ids: Sequence[str]) -> NDArray[np.float64]:
    """``[N, D]`` vectors of length 1; zeros stay zeros."""
    if not ids:
        return np.zeros((0, 1))
    found = np.stack([vectors[frame_id] for frame_id in ids])
    length = np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
    return np.asarray(found / length, np.float64)


def _mean_distance(picks: NDArray[np.float64], earlier: NDArray[np.float64]) -> float:
    if not len(picks) or not len(earlier):
        return math.nan
    return float(np.mean(1 - (picks @ earlier.T).max(axis=1)))

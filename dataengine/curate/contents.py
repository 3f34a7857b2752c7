"""What each drive holds: the one look at hidden labels that curating takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataengine.curate.timeline import Timeline
from dataengine.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Amounts of each kind of content in each drive.

    Attributes:
        names: What is counted: ``weather=rain`` (frames), ``class car`` (boxes).
        amounts: ``[D, K]`` float64.
    """

    names: tuple[str, ...]
    amounts: NDArray[np.float64]


def drive_contents(workspace: Workspace, timeline: Timeline) -> Contents:
    """Frames of each condition and boxes of each class, drive by drive.

    This reads the hidden labels, in sums over whole drives and only to draw val and test: a publisher who
    splits a dataset knows its labels as well. No frame is chosen for labelling by it, and no other
    function of the package opens that table for more than the names of its frames.
    """
    conditions, amounts = _conditions(workspace, timeline)
    classes = workspace.taxonomy.classes
    boxes = _boxes(workspace, timeline, len(classes))
    names = (*conditions, *(f"class {name}" for name in classes))
    return Contents(names=names, amounts=np.concatenate([amounts, boxes], axis=1))


def _conditions(workspace: Workspace, timeline: Timeline) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    frames = workspace.lake.read("frames", ["frame_id", "conditions"]).combine_chunks()
    column = frames["conditions"].combine_chunks()
    offsets = column.offsets.to_numpy()
    counts = np.diff(offsets)
    drives = np.repeat(_drives(timeline, frames["frame_id"]), counts)
    part = slice(int(offsets[0]), int(offsets[-1]))
    pairs = pc.binary_join_element_wise(
        column.keys[part].fill_null(""), column.items[part].fill_null("unknown"), "="
    )
    encoded = pairs.dictionary_encode()
    known = encoded.dictionary.to_pylist()
    order = np.argsort(np.array(known, object)) if known else np.zeros(0, np.int64)
    table = _table(drives, encoded.indices.to_numpy(), len(timeline.drive_names), len(known))
    return tuple(known[number] for number in order), table[:, order]


def _boxes(workspace: Workspace, timeline: Timeline, num_classes: int) -> NDArray[np.float64]:
    labels = workspace.lake.read("oracle", ["frame_id", "class_id", "ignore"]).combine_chunks()
    classes, ignored = (labels[name].combine_chunks() for name in ("class_id", "ignore"))
    drives = np.repeat(_drives(timeline, labels["frame_id"]), pc.list_value_length(classes).to_numpy())
    counted = (~pc.list_flatten(ignored).to_numpy(zero_copy_only=False)) & (drives >= 0)
    class_id = pc.list_flatten(classes).to_numpy()
    counted &= class_id >= 0
    return _table(drives[counted], class_id[counted], len(timeline.drive_names), num_classes)


def _drives(timeline: Timeline, frame_ids: pa.ChunkedArray) -> NDArray[np.int64]:
    """The drive of each named frame; -1 where the frame is not in the timeline."""
    place = pc.index_in(frame_ids, timeline.frame_ids).fill_null(-1).to_numpy()
    return np.where(place < 0, -1, timeline.drives[place]).astype(np.int64)


def _table(
    rows: NDArray[np.integer], columns: NDArray[np.integer], height: int, width: int
) -> NDArray[np.float64]:
    flat = (
        np.bincount(rows * width + columns, minlength=height * width)
        if len(rows)
        else np.zeros(height * width)
    )
    return flat.reshape(height, width).astype(np.float64)

"""Boxes of many frames as flat arrays, ragged by frame: what labels and predictions are in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataengine.schema import FRAME_BOXES, PREDICTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameBoxes:
    """The boxes of many frames, ragged by frame: frame ``i`` owns rows ``offsets[i]:offsets[i + 1]``.

    Attributes:
        frame_ids: ``[F]`` object array of ``str``.
        offsets: ``[F + 1]`` int64, from 0 to ``B``.
        xyxy: ``[B, 4]`` float32, pixels.
        class_id: ``[B]`` int16.
        score: ``[B]`` float32 in 0..1; 1 for labels.
        ignore: ``[B]`` bool: neither a hit nor a miss in loss and evaluation.
        visibility: ``[B]`` float32 in 0..1, NaN where unknown.
        track_id: ``[B]`` int32, -1 where there is no track.
    """

    frame_ids: NDArray[np.object_]
    offsets: NDArray[np.int64]
    xyxy: NDArray[np.float32]
    class_id: NDArray[np.int16]
    score: NDArray[np.float32]
    ignore: NDArray[np.bool_]
    visibility: NDArray[np.float32]
    track_id: NDArray[np.int32]

    @property
    def num_frames(self) -> int:
        """Number of frames, those without boxes counted too."""
        return len(self.frame_ids)

    @property
    def num_boxes(self) -> int:
        """Number of boxes, ignore regions counted too."""
        return len(self.xyxy)

    @property
    def counts(self) -> NDArray[np.int64]:
        """``[F]`` boxes of each frame."""
        return np.diff(self.offsets)

    @property
    def frame_index(self) -> NDArray[np.int64]:
        """``[B]`` index of the frame that each box belongs to."""
        return np.repeat(np.arange(self.num_frames), self.counts)

    def class_counts(self, num_classes: int) -> NDArray[np.int64]:
        """``[F, K]`` boxes of each class in each frame; ignore regions are none."""
        kept = ~self.ignore
        place = self.frame_index[kept] * num_classes + self.class_id[kept]
        return np.bincount(place, minlength=self.num_frames * num_classes).reshape(-1, num_classes)

    def rows(self, frame: int) -> slice:
        """The rows of frame number ``frame`` in the box arrays."""
        return slice(int(self.offsets[frame]), int(self.offsets[frame + 1]))

    @classmethod
    def build(
        cls,
        frame_ids: Sequence[str] | NDArray[np.object_],
        counts: Sequence[int] | NDArray[np.int64],
        xyxy: Any,
        class_id: Any,
        *,
        score: Any = None,
        ignore: Any = None,
        visibility: Any = None,
        track_id: Any = None,
    ) -> FrameBoxes:
        """Assemble from plain sequences; omitted columns take their neutral value."""
        boxes = np.asarray(xyxy, np.float32).reshape(-1, 4)
        number = len(boxes)
        ids = np.empty(len(frame_ids), object)
        ids[:] = list(frame_ids)
        offsets = np.zeros(len(ids) + 1, np.int64)
        np.cumsum(np.asarray(counts, np.int64), out=offsets[1:])
        if offsets[-1] != number:
            raise ValueError(f"counts add up to {offsets[-1]} boxes, xyxy holds {number}")
        return cls(
            frame_ids=ids,
            offsets=offsets,
            xyxy=boxes,
            class_id=np.asarray(class_id, np.int16).reshape(number),
            score=_column(score, number, np.float32, 1.0),
            ignore=_column(ignore, number, np.bool_, False),
            visibility=_column(visibility, number, np.float32, np.nan),
            track_id=_column(track_id, number, np.int32, -1),
        )

    @classmethod
    def from_table(cls, table: pa.Table) -> FrameBoxes:
        """Read a table of schema ``FRAME_BOXES`` (more columns are allowed)."""
        counts = pc.list_value_length(table["class_id"]).to_numpy(zero_copy_only=False)
        return cls.build(
            table["frame_id"].to_pylist(),
            counts,
            flat(table["xyxy"]),
            flat(table["class_id"]),
            score=flat(table["score"]),
            ignore=flat(table["ignore"]),
            visibility=flat(table["visibility"]),
            track_id=flat(table["track_id"]),
        )

    def to_table(self) -> pa.Table:
        """The table of schema ``FRAME_BOXES``."""
        columns = [
            pa.array(self.frame_ids, pa.string()),
            ragged(self.offsets * 4, self.xyxy.ravel(), pa.float32()),
            ragged(self.offsets, self.class_id, pa.int16()),
            ragged(self.offsets, self.score, pa.float32()),
            ragged(self.offsets, self.ignore, pa.bool_()),
            ragged(self.offsets, self.visibility, pa.float32()),
            ragged(self.offsets, self.track_id, pa.int32()),
        ]
        return pa.Table.from_arrays(columns, schema=FRAME_BOXES)

    def take(self, frames: NDArray[np.int64] | Sequence[int]) -> FrameBoxes:
        """The boxes of the given frame numbers, in that order."""
        index = np.asarray(frames, np.int64)
        counts = self.counts[index]
        rows = box_rows(self.offsets, index)
        return FrameBoxes.build(
            self.frame_ids[index],
            counts,
            self.xyxy[rows],
            self.class_id[rows],
            score=self.score[rows],
            ignore=self.ignore[rows],
            visibility=self.visibility[rows],
            track_id=self.track_id[rows],
        )

    def select(self, frame_ids: Sequence[str] | NDArray[np.object_]) -> FrameBoxes:
        """The boxes of the named frames, in that order; raises ``KeyError`` for an unknown id."""
        return self.take(positions(self.frame_ids, frame_ids))

    def filter(self, keep: NDArray[np.bool_]) -> FrameBoxes:
        """The same frames with only the boxes where ``keep`` ``[B]`` is true."""
        counts = np.bincount(self.frame_index[keep], minlength=self.num_frames)
        return FrameBoxes.build(
            self.frame_ids,
            counts,
            self.xyxy[keep],
            self.class_id[keep],
            score=self.score[keep],
            ignore=self.ignore[keep],
            visibility=self.visibility[keep],
            track_id=self.track_id[keep],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """What one model says of many frames.

    Attributes:
        boxes: Predicted boxes, best score first within a frame.
        class_scores: ``[B, K]`` float32 in 0..1: the score of every class for each box.
        embeddings: ``[F, D]`` float32, pooled backbone features of each frame, not normalised.
        features: ``[B, E]`` float16, what the network computed at the middle of each box, not normalised;
            E is 0 where that was not kept.
    """

    boxes: FrameBoxes
    class_scores: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    features: NDArray[np.float16] = field(default_factory=lambda: np.zeros((0, 0), np.float16))

    def __post_init__(self) -> None:
        if self.features.shape[1] == 0:
            object.__setattr__(self, "features", np.zeros((self.boxes.num_boxes, 0), np.float16))

    @classmethod
    def from_table(cls, table: pa.Table, num_classes: int) -> Predictions:
        """Read a table of schema ``PREDICTIONS``."""
        return cls(
            boxes=FrameBoxes.from_table(table),
            class_scores=np.asarray(flat(table["class_scores"]), np.float32).reshape(-1, num_classes),
            embeddings=np.asarray(flat(table["embedding"]), np.float32).reshape(table.num_rows, -1)
            if table.num_rows
            else np.zeros((0, 0), np.float32),
            features=_features(table),
        )

    def to_table(self) -> pa.Table:
        """The table of schema ``PREDICTIONS``."""
        num_classes, dim = self.class_scores.shape[1], self.embeddings.shape[1]
        num_features = self.features.shape[1]
        frame_offsets = np.arange(self.boxes.num_frames + 1, dtype=np.int64) * dim
        return (
            self.boxes.to_table()
            .append_column(
                PREDICTIONS.field("class_scores"),
                ragged(self.boxes.offsets * num_classes, self.class_scores.ravel(), pa.float32()),
            )
            .append_column(
                PREDICTIONS.field("embedding"), ragged(frame_offsets, self.embeddings.ravel(), pa.float32())
            )
            .append_column(
                PREDICTIONS.field("features"),
                ragged(self.boxes.offsets * num_features, self.features.ravel(), pa.float16()),
            )
        )

    def select(self, frame_ids: Sequence[str] | NDArray[np.object_]) -> Predictions:
        """The predictions of the named frames, in that order; raises ``KeyError`` for an unknown id."""
        index = positions(self.boxes.frame_ids, frame_ids)
        rows = box_rows(self.boxes.offsets, index)
        return Predictions(
            boxes=self.boxes.take(index),
            class_scores=self.class_scores[rows],
            embeddings=self.embeddings[index],
            features=self.features[rows],
        )


def _features(table: pa.Table) -> NDArray[np.float16]:
    """``[B, E]`` features of a predictions table; E is 0 where it holds none."""
    if "features" not in table.column_names:
        return np.zeros((0, 0), np.float16)
    num_boxes = int(pc.sum(pc.list_value_length(table["class_id"])).as_py() or 0)
    values = np.asarray(flat(table["features"]), np.float16)
    return values.reshape(num_boxes, -1) if num_boxes else np.zeros((0, 0), np.float16)


def box_rows(offsets: NDArray[np.int64], frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row numbers of the boxes of ``frames``, frame after frame, for CSR ``offsets``."""
    counts = np.diff(offsets)[frames]
    starts = np.repeat(offsets[frames] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    return starts.astype(np.int64) + np.arange(int(counts.sum()))


def positions(ids: NDArray[np.object_], wanted: Sequence[str] | NDArray[np.object_]) -> NDArray[np.int64]:
    """Where each of ``wanted`` stands in ``ids``; raises ``KeyError`` for an id that is not there."""
    where = {frame_id: index for index, frame_id in enumerate(ids)}
    return np.fromiter((where[frame_id] for frame_id in wanted), np.int64, len(wanted))


def flat(column: pa.ChunkedArray) -> NDArray[Any]:
    """The values of a list column, one after the other."""
    values = pc.list_flatten(column)
    array: NDArray[Any] = values.combine_chunks().to_numpy(zero_copy_only=False)
    return array


def ragged(offsets: NDArray[np.int64], values: NDArray[Any], kind: pa.DataType) -> pa.ListArray:
    """A list column from CSR offsets and flat values."""
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(values, kind))


def _column(values: Any, number: int, dtype: Any, neutral: Any) -> NDArray[Any]:
    if values is None:
        return np.full(number, neutral, dtype)
    column: NDArray[Any] = np.asarray(values, dtype).reshape(number)
    return column

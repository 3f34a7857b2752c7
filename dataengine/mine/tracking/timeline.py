"""The frames of every clip in time order, with the boxes that a model predicts in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataengine.frameboxes import Predictions
from dataengine.mine.candidates import Candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Frames by clip, then time, then id; boxes by frame, then by falling score.

    Attributes:
        clip: ``[F]`` int64 number of the clip of each frame, rising.
        time_s: ``[F]`` float64 time within the clip; NaN where unknown.
        candidate: ``[F]`` int64 number of the candidate, -1 for a frame that is labelled already.
        size: ``[F, 2]`` float64 width and height of the image in pixels, NaN where unknown.
        offsets: ``[F + 1]`` int64: frame ``i`` owns the boxes ``offsets[i]:offsets[i + 1]``.
        xyxy: ``[B, 4]`` float32 pixels.
        score: ``[B]`` float32 in 0..1.
        class_id: ``[B]`` int64.
        class_scores: ``[B, K]`` float32 in 0..1.
        row: ``[B]`` int64 row of the box in the predictions of the candidates, -1 in a labelled frame.
    """

    clip: NDArray[np.int64]
    time_s: NDArray[np.float64]
    candidate: NDArray[np.int64]
    size: NDArray[np.float64]
    offsets: NDArray[np.int64]
    xyxy: NDArray[np.float32]
    score: NDArray[np.float32]
    class_id: NDArray[np.int64]
    class_scores: NDArray[np.float32]
    row: NDArray[np.int64]

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(self.clip)

    @property
    def num_boxes(self) -> int:
        """Number of boxes."""
        return len(self.row)

    @property
    def frame(self) -> NDArray[np.int64]:
        """``[B]`` number of the frame that each box is in."""
        return np.repeat(np.arange(self.num_frames), np.diff(self.offsets))

    @classmethod
    def of(cls, candidates: Candidates, min_score: float) -> Timeline:
        """The candidates and the labelled frames of their clips; boxes below ``min_score`` are left out.

        Labelled frames join, with what the model predicts in them, so that buying a frame breaks no track.
        """
        parts = [_part(candidates.frames, candidates.predictions, min_score, are_candidates=True)]
        if candidates.labelled is not None:
            known = candidates.labelled
            parts.append(_part(known.frames, known.predictions, min_score, are_candidates=False))
        return _merged(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    frames: pa.Table
    candidate: NDArray[np.int64]
    predictions: Predictions
    rows: NDArray[np.int64]
    """Boxes that count."""
    row: NDArray[np.int64]
    """Their number among the predictions of the candidates, or -1."""


def _part(frames: pa.Table, predictions: Predictions, min_score: float, *, are_candidates: bool) -> _Part:
    boxes = predictions.boxes
    with np.errstate(invalid="ignore"):
        sound = np.isfinite(boxes.xyxy).all(axis=1) & (boxes.xyxy[:, 2:] > boxes.xyxy[:, :2]).all(axis=1)
        rows = np.flatnonzero(sound & (boxes.score >= min_score))
    number = np.arange(frames.num_rows)
    return _Part(
        frames=frames,
        candidate=number if are_candidates else np.full_like(number, -1),
        predictions=predictions,
        rows=rows,
        row=rows if are_candidates else np.full_like(rows, -1),
    )


def _merged(parts: list[_Part]) -> Timeline:
    """One timeline of several sets of frames; clips without a candidate are left out."""
    names = [part.frames.select(["frame_id", "clip_id"]).combine_chunks() for part in parts]
    table = pa.concat_tables(names).combine_chunks()
    clip = table["clip_id"].combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    wanted = np.unique(clip[: len(parts[0].candidate)])
    time_s = np.concatenate([_column(part.frames, "time_s") for part in parts])
    by_id = np.empty(table.num_rows, np.int64)
    by_id[np.asarray(pc.sort_indices(table["frame_id"]))] = np.arange(table.num_rows)
    order = np.lexsort((by_id, time_s, clip))
    order = order[np.isin(clip[order], wanted)]
    place = np.full(table.num_rows, -1, np.int64)
    place[order] = np.arange(len(order))

    begin = np.cumsum([0, *(part.frames.num_rows for part in parts[:-1])])
    frame = np.concatenate(
        [
            place[first + part.predictions.boxes.frame_index[part.rows]]
            for first, part in zip(begin, parts, strict=True)
        ]
    )
    boxes = np.lexsort((-_of_boxes(parts, "score").astype(np.float64), frame))
    boxes = boxes[frame[boxes] >= 0]
    scores = np.concatenate([part.predictions.class_scores[part.rows] for part in parts])[boxes]
    return Timeline(
        clip=clip[order].astype(np.int64),
        time_s=time_s[order],
        candidate=np.concatenate([part.candidate for part in parts])[order],
        size=np.concatenate(
            [np.column_stack([_column(part.frames, side) for side in ("width", "height")]) for part in parts]
        )[order],
        offsets=np.searchsorted(frame[boxes], np.arange(len(order) + 1)),
        xyxy=_of_boxes(parts, "xyxy")[boxes],
        score=_of_boxes(parts, "score")[boxes],
        class_id=_of_boxes(parts, "class_id")[boxes].astype(np.int64),
        class_scores=np.clip(np.nan_to_num(scores, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0),
        row=np.concatenate([part.row for part in parts])[boxes],
    )


def _of_boxes(parts: list[_Part], name: str) -> NDArray[Any]:
    values: NDArray[Any] = np.concatenate(
        [getattr(part.predictions.boxes, name)[part.rows] for part in parts]
    )
    return values


def _column(frames: pa.Table, name: str) -> NDArray[np.float64]:
    """A column of numbers; NaN where it is null, or not there at all."""
    if name not in frames.column_names:
        return np.full(frames.num_rows, np.nan)
    values = frames[name].cast(pa.float64()).combine_chunks()
    return np.asarray(values.fill_null(np.nan).to_numpy(zero_copy_only=False), np.float64)

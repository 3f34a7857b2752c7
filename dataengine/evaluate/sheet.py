"""The figures of one split, slice by slice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine import boxes
from dataengine.config import EvaluateConfig
from dataengine.evaluate import bootstrap, coco, slices
from dataengine.evaluate.errors import FrameErrors
from dataengine.evaluate.judging import Judged
from dataengine.evaluate.precision import average_precision
from dataengine.frameboxes import FrameBoxes
from dataengine.schema import Taxonomy


class Row(NamedTuple):
    """One figure of one slice.

    Attributes:
        slice: Its name.
        metric: What was measured.
        value: NaN where there is nothing to measure it on.
        replicates: ``[R]`` the same figure on each resample of the drives; None where none was made.
    """

    slice: str
    metric: str
    value: float
    replicates: NDArray[np.float64] | None = None


Figures = NDArray[np.float64]
"""``[R, T, K]`` average precision: first of the split as it is, then of its resamples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Everything the figures of one split are made from; the frames stand in one order in all.

    Attributes:
        truth: Labels.
        predictions: Predicted boxes.
        frames: Rows of schema ``FRAMES``.
        judged: The two, matched.
        errors: Mistakes at one score.
        taxonomy: Classes and the declared tail.
        config: Thresholds, sizes and the bootstrap.
    """

    truth: FrameBoxes
    predictions: FrameBoxes
    frames: pa.Table
    judged: Judged
    errors: FrameErrors
    taxonomy: Taxonomy
    config: EvaluateConfig

    def rows(self, rng: np.random.Generator) -> Iterator[Row]:
        """All figures of the split."""
        ranges = coco.area_ranges(self.config.small_area, self.config.large_area)
        reference = dict(
            zip(
                ranges,
                coco.average_precision(
                    self.truth, self.predictions, len(self.taxonomy), list(ranges.values())
                ),
                strict=True,
            )
        )
        shown, drive = slices.drive_slices(self.frames)
        num_drives = int(drive.max()) + 1 if len(drive) else 0
        weights = bootstrap.drive_weights(num_drives, self.config.bootstrap, rng)
        yield from self._classes(reference.pop("all"), drive, weights)
        yield from self._conditions(drive, weights)
        for size, figures in reference.items():
            yield from self._size(size, figures, ranges[size])
        yield from self._drives(shown, drive, num_drives)

    def _classes(
        self, reference: Figures, drive: NDArray[np.int64], weights: NDArray[np.int32]
    ) -> Iterator[Row]:
        """``all``, every class and the tail: values by faster-coco-eval, intervals by resampling."""
        figures = average_precision(self.judged, drive, weights)
        figures[0] = reference
        everyone = list(range(len(self.taxonomy)))
        groups = {"all": everyone}
        groups |= {f"class:{name}": [number] for number, name in enumerate(self.taxonomy.classes)}
        if self.taxonomy.tail_classes:
            groups["tail"] = [self.taxonomy.index(name) for name in self.taxonomy.tail_classes]
        for name, classes in groups.items():
            labels = np.isin(self.truth.class_id, classes)
            predicted = np.isin(self.predictions.class_id, classes)
            yield from self._precision(name, figures[:, :, classes], drive[self._holders(labels)])
            yield from self._counts(name, labels, predicted, self.truth.num_frames)

    def _conditions(self, drive: NDArray[np.int64], weights: NDArray[np.int32]) -> Iterator[Row]:
        tail = slices.tail_condition_names(self.taxonomy)
        for name, members in slices.condition_slices(self.frames, self.taxonomy).items():
            used = weights if name in tail else weights[:1]
            figures = average_precision(self.judged.within(members), drive, used)
            labels = members[self.truth.frame_index]
            yield from self._precision(name, figures, drive[self._holders(labels)])
            yield from self._counts(name, labels, members[self.predictions.frame_index], int(members.sum()))

    def _size(self, size: str, reference: Figures, area_range: coco.AreaRange) -> Iterator[Row]:
        low, high = area_range
        truth_area, predicted_area = boxes.area(self.truth.xyxy), boxes.area(self.predictions.xyxy)
        labels = (truth_area >= low) & (truth_area <= high)
        predicted = (predicted_area >= low) & (predicted_area <= high)
        yield from self._precision(f"size:{size}", reference[None], self._holders(labels))
        yield from self._counts(f"size:{size}", labels, predicted, self.truth.num_frames)

    def _drives(self, shown: list[str], drive: NDArray[np.int64], num_drives: int) -> Iterator[Row]:
        alone = np.eye(len(shown), num_drives, dtype=np.int32)
        figures = bootstrap.mean_of_known(average_precision(self.judged, drive, alone)[:, 0], axis=1)
        objects = np.bincount(drive[self.judged.truth_frame], minlength=num_drives)
        for number, name in enumerate(shown):
            yield Row(f"drive:{name}", "ap50", float(figures[number]))
            yield Row(f"drive:{name}", "num_objects", float(objects[number]))

    def _holders(self, labels: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Frame of every label that counts among ``labels`` ``[G]``."""
        frames: NDArray[np.int64] = self.truth.frame_index[labels & ~self.truth.ignore]
        return frames

    def _precision(self, name: str, figures: Figures, owners: NDArray[np.int64]) -> Iterator[Row]:
        """``map50_95`` and ``ap50``, with an interval where there are resamples.

        Args:
            name: The slice.
            figures: ``[R, T, K]`` for the classes of the slice.
            owners: Drive of every object of the slice. One drive alone says nothing of others.
        """
        for metric, levels in (("map50_95", slice(None)), ("ap50", slice(0, 1))):
            per_class = figures[:, levels].mean(axis=1)
            values = bootstrap.mean_of_known(per_class, axis=1)
            resampled = values[1:]
            enough = len(resampled) > 0 and len(np.unique(owners)) > 1
            yield Row(name, metric, float(values[0]), resampled if enough else None)
            if len(resampled):
                low, high = (
                    bootstrap.interval(resampled, self.config.confidence) if enough else (np.nan, np.nan)
                )
                yield Row(name, f"{metric}_lower", low)
                yield Row(name, f"{metric}_upper", high)

    def _counts(
        self, name: str, labels: NDArray[np.bool_], predicted: NDArray[np.bool_], num_frames: int
    ) -> Iterator[Row]:
        """Objects, frames and errors per frame of the slice's labels ``[G]`` and predictions ``[P]``."""
        frames = float(num_frames)
        yield Row(name, "num_objects", float((labels & ~self.truth.ignore).sum()))
        yield Row(name, "num_frames", frames)
        misses, alarms = (self.errors.unfound & labels).sum(), (self.errors.wrong & predicted).sum()
        yield Row(name, "misses_per_frame", float(misses / frames) if num_frames else np.nan)
        yield Row(name, "false_alarms_per_frame", float(alarms / frames) if num_frames else np.nan)

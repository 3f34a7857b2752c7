"""The headline figures, from faster-coco-eval: the public reference for COCO's average precision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine import boxes
from dataengine.frameboxes import FrameBoxes

AREA_LIMIT = 1e10
"""COCO's own upper end of the area range ``all``, in square pixels."""

AreaRange = tuple[float, float]
"""Least and greatest area of a box in square pixels, both ends included."""


def area_ranges(small_area: float, large_area: float) -> dict[str, AreaRange]:
    """COCO's area ranges, made disjoint: its own share their end points.

    Args:
        small_area: Boxes below it are ``small``.
        large_area: Boxes from it on are ``large``; between the two, ``medium``.
    """
    return {
        "all": (0.0, AREA_LIMIT),
        "small": (0.0, float(np.nextafter(small_area, -1.0))),
        "medium": (small_area, float(np.nextafter(large_area, -1.0))),
        "large": (large_area, AREA_LIMIT),
    }


def average_precision(
    truth: FrameBoxes, predictions: FrameBoxes, num_classes: int, ranges: Sequence[AreaRange]
) -> NDArray[np.float64]:
    """Average precision by faster-coco-eval.

    Boxes outside an area range are ignored in COCO's way: a label outside it may be matched without
    effect, an unmatched prediction outside it is dropped, and a prediction of any size that finds a
    label inside it is a hit. Ignore regions enter as crowds of every class.

    Args:
        truth: Labels.
        predictions: Predicted boxes of the same frames, in the same order.
        num_classes: K.
        ranges: ``[A]`` area ranges.

    Returns:
        ``[A, T, K]`` float64 in 0..1 at IoU 0.50, 0.55, ... 0.95; NaN where a class has no label.
    """
    from faster_coco_eval import COCO, COCOeval_faster

    dataset = COCO(
        {
            "info": {},
            "images": [{"id": number + 1} for number in range(truth.num_frames)],
            "categories": [{"id": number + 1, "name": str(number)} for number in range(num_classes)],
            "annotations": _annotations(truth, num_classes),
        }
    )
    results = dataset.loadRes(_results(predictions))
    evaluator = COCOeval_faster(dataset, results, iouType="bbox")
    evaluator.params.imgIds = list(range(1, truth.num_frames + 1))
    evaluator.params.catIds = list(range(1, num_classes + 1))
    evaluator.params.areaRng = [list(limits) for limits in ranges]
    evaluator.params.areaRngLbl = [str(number) for number in range(len(ranges))]
    evaluator.evaluate()
    evaluator.accumulate()
    precision = np.asarray(evaluator.eval["precision"], np.float64)[..., -1]  # [T, 101, K, A] at 100 boxes
    means = np.where(precision[:, 0] < 0, np.nan, precision.mean(axis=1))
    return np.moveaxis(means, 2, 0)


def _annotations(truth: FrameBoxes, num_classes: int) -> list[dict[str, Any]]:
    """COCO annotations; an ignore region appears once for every class. Ids start at 1: 0 is "none"."""
    repeats = np.where(truth.ignore, num_classes, 1)
    rows = np.repeat(np.arange(truth.num_boxes), repeats)
    turn = np.arange(len(rows)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    category = np.where(truth.ignore[rows], turn, truth.class_id[rows]) + 1
    columns = zip(
        (truth.frame_index[rows] + 1).tolist(),
        category.tolist(),
        boxes.to_xywh(truth.xyxy[rows]).tolist(),
        boxes.area(truth.xyxy[rows]).tolist(),
        truth.ignore[rows].astype(int).tolist(),
        strict=True,
    )
    return [
        {"id": number, "image_id": image, "category_id": kind, "bbox": box, "area": area, "iscrowd": crowd}
        for number, (image, kind, box, area, crowd) in enumerate(columns, start=1)
    ]


def _results(predictions: FrameBoxes) -> list[dict[str, Any]]:
    columns = zip(
        (predictions.frame_index + 1).tolist(),
        (predictions.class_id + 1).tolist(),
        boxes.to_xywh(predictions.xyxy).tolist(),
        predictions.score.tolist(),
        strict=True,
    )
    # loadRes builds a polygon for every result that brings no segmentation; boxes need none.
    return [
        {"image_id": image, "category_id": kind, "bbox": box, "score": score, "segmentation": []}
        for image, kind, box, score in columns
    ]

"""Evaluation against FiftyOne's own, in the same run on the same boxes: the same mAP, much sooner."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dataengine.config import EvaluateConfig
from dataengine.evaluate import Evaluation, evaluate
from dataengine.frameboxes import FrameBoxes
from tests.evaluate.scenes import CLASSES, TAXONOMY, frames_table, scene

SIDE = 400.0
"""Pixels of the square image that holds every box; FiftyOne keeps boxes relative to it."""


def ours(truth: FrameBoxes, predictions: FrameBoxes) -> Evaluation:
    return evaluate(
        truth,
        predictions,
        frames_table(truth.num_frames),
        taxonomy=TAXONOMY,
        config=EvaluateConfig(),
        split="val",
        rng=np.random.default_rng(0),
    )


def detections(fo: Any, boxes: FrameBoxes, *, predicted: bool) -> list[Any]:
    sizes = (
        np.concatenate([boxes.xyxy[:, :2], boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]], axis=1).astype(float)
        / SIDE
    )
    found = []
    for number in range(boxes.num_frames):
        rows = range(boxes.offsets[number], boxes.offsets[number + 1])
        found.append(
            fo.Detections(
                detections=[
                    fo.Detection(
                        label=CLASSES[boxes.class_id[row]],
                        bounding_box=sizes[row].tolist(),
                        confidence=float(boxes.score[row]) if predicted else None,
                        iscrowd=bool(boxes.ignore[row]),
                    )
                    for row in rows
                ]
            )
        )
    return found


def dataset_of(fo: Any, truth: FrameBoxes, predictions: FrameBoxes) -> Any:
    dataset = fo.Dataset()
    labels, found = detections(fo, truth, predicted=False), detections(fo, predictions, predicted=True)
    samples = [
        fo.Sample(filepath=f"/tmp/{frame_id}.jpg", ground_truth=label, predictions=box)
        for frame_id, label, box in zip(truth.frame_ids, labels, found, strict=True)
    ]
    dataset.add_samples(samples, dynamic=True, progress=False)
    return dataset


def theirs(dataset: Any) -> float:
    results = dataset.evaluate_detections(
        "predictions", gt_field="ground_truth", eval_key="bench", compute_mAP=True, progress=False
    )
    return float(results.mAP())


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    answer = work()
    return time.perf_counter() - start, answer


@pytest.mark.mongo
@pytest.mark.parametrize("frames", [400, pytest.param(5000, marks=pytest.mark.slow)])
def test_twenty_times_evaluate_detections_with_the_same_map(fo: Any, frames: int) -> None:
    """Ours is timed with everything it does: slices, 200 resamples, errors. Theirs does mAP alone."""
    truth, predictions = scene(1, frames, ignore=0.0)
    dataset = dataset_of(fo, truth, predictions)
    ours(*scene(0, 10))  # imports
    # Ours before and after theirs, so that a busy machine slows both alike.
    first, _ = timed(lambda: ours(truth, predictions))
    long, reference = timed(lambda: theirs(dataset))
    second, found = timed(lambda: ours(truth, predictions))
    mean, short = found.value("all", "map50_95"), (first + second) / 2
    sys.stdout.write(
        f"\n{frames} frames: {short:.2f} s against {long:.1f} s, {long / short:.0f}x; "
        f"mAP {mean:.6f} and {reference:.6f}\n"
    )
    assert mean == pytest.approx(reference, abs=1e-4)
    assert long / short >= 20


@pytest.mark.mongo
def test_ignore_regions_are_fiftyones_crowds(fo: Any) -> None:
    """With one class; with more, FiftyOne excuses predictions of the region's class alone."""
    truth, predictions = (
        FrameBoxes.build(b.frame_ids, b.counts, b.xyxy, np.zeros(b.num_boxes), score=b.score, ignore=b.ignore)
        for b in scene(2, 60, ignore=0.2)
    )
    assert truth.ignore.any()
    reference = theirs(dataset_of(fo, truth, predictions))
    assert ours(truth, predictions).value("all", "map50_95") == pytest.approx(reference, abs=1e-4)


@pytest.mark.slow
def test_intervals_of_two_thousand_frames_take_seconds() -> None:
    truth, predictions = scene(3, 2000)
    ours(*scene(0, 10))
    took, found = timed(lambda: ours(truth, predictions))
    sys.stdout.write(f"\n2,000 frames, 250 drives, 200 resamples: {took:.2f} s\n")
    assert found.value("all", "ap50_lower") < found.value("all", "ap50")

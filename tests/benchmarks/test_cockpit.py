"""Writing into FiftyOne, as ratios to its own calls in the same run."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dataengine.cockpit import documents, writer
from dataengine.frameboxes import FrameBoxes

pytestmark = pytest.mark.mongo
BOXES = 5
CLASSES = ("car", "truck", "pedestrian", "cyclist", "cone")
SIZES = [1000, pytest.param(5000, marks=pytest.mark.slow)]


def boxes_of(frames: int) -> tuple[FrameBoxes, Any]:
    rng = np.random.default_rng(1)
    corner = rng.uniform(0, 200, (frames * BOXES, 2))
    xyxy = np.concatenate([corner, corner + rng.uniform(8, 60, corner.shape)], 1)
    ids = [f"clip{number // 10}/{number % 10:06d}" for number in range(frames)]
    classes, scores = rng.integers(0, 5, len(xyxy)), rng.random(len(xyxy))
    boxes = FrameBoxes.build(ids, [BOXES] * frames, xyxy, classes, score=scores)
    return boxes, np.full((frames, 2), (320.0, 192.0))


def whole_documents(boxes: FrameBoxes, sizes: Any) -> list[dict[str, Any]]:
    encoded = documents.detections(boxes, sizes, CLASSES)
    return [
        {
            "filepath": f"/tmp/{frame_id}.jpg",
            "frame_id": frame_id,
            "metadata": {"_cls": "ImageMetadata", "width": 320, "height": 192},
            "ground_truth": value,
        }
        for frame_id, value in zip(boxes.frame_ids, encoded, strict=True)
    ]


def fiftyone_detections(fo: Any, boxes: FrameBoxes, sizes: Any, predicted: bool) -> list[Any]:
    relative = documents.relative_boxes(boxes, sizes).tolist()
    scores = boxes.score.tolist() if predicted else [None] * boxes.num_boxes
    flat = [
        fo.Detection(label=CLASSES[number], bounding_box=box, confidence=score)
        for number, box, score in zip(boxes.class_id, relative, scores, strict=True)
    ]
    return [fo.Detections(detections=flat[i : i + BOXES]) for i in range(0, len(flat), BOXES)]


def declared(fo: Any) -> Any:
    dataset = fo.Dataset(persistent=True)
    dataset.add_sample_field("frame_id", fo.StringField)
    for name in ("ground_truth", "predictions"):
        dataset.add_sample_field(name, fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    return dataset


def blocks(frames: int) -> list[slice]:
    """Five equal parts in which ours and theirs take turns; the best of each is compared."""
    return [slice(start, start + frames // 5) for start in range(0, frames, frames // 5)]


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(name: str, frames: int, ours: list[float], theirs: list[float]) -> float:
    found = min(theirs) / min(ours)
    sys.stdout.write(
        f"\n{frames / min(ours):.0f} frames/s, {name} {frames / min(theirs):.0f} frames/s: {found:.1f}x\n"
    )
    return found


@pytest.mark.parametrize("frames", SIZES)
def test_inserting_whole_documents_is_ten_times_add_samples(fo: Any, frames: int) -> None:
    boxes, sizes = boxes_of(frames)
    quick, plain = declared(fo), declared(fo)
    samples = [
        fo.Sample(
            filepath=f"/tmp/{frame_id}.jpg",
            frame_id=frame_id,
            metadata=fo.ImageMetadata(width=320, height=192),
            ground_truth=found,
        )
        for frame_id, found in zip(
            boxes.frame_ids, fiftyone_detections(fo, boxes, sizes, predicted=False), strict=True
        )
    ]
    ours, theirs = [], []
    for part in blocks(frames):
        index = range(frames)[part]
        # Ours pays for building its documents too; their samples are built outside the measured time.
        ours.append(
            seconds(
                lambda index=index: writer.insert(quick, whole_documents(boxes.take(index), sizes[index]))
            )
        )
        theirs.append(seconds(lambda part=part: plain.add_samples(samples[part], progress=False)))
    assert len(quick) == len(plain) == frames
    assert ratio("add_samples", frames // 5, ours, theirs) >= 10


@pytest.mark.parametrize("frames", SIZES)
def test_writing_predictions_is_five_times_set_values(fo: Any, frames: int) -> None:
    boxes, sizes = boxes_of(frames)
    dataset = declared(fo)
    writer.insert(dataset, whole_documents(boxes, sizes))
    ids = dict(zip(*dataset.values(["frame_id", "_id"]), strict=True))

    # Both start from the same arrays.
    def set_values(chosen: FrameBoxes, chosen_sizes: Any) -> None:
        found = fiftyone_detections(fo, chosen, chosen_sizes, predicted=True)
        values = {str(ids[f]): value for f, value in zip(chosen.frame_ids, found, strict=True)}
        dataset.set_values("predictions", values, key_field="id", progress=False)

    def write(chosen: FrameBoxes, chosen_sizes: Any) -> None:
        encoded = documents.detections(chosen, chosen_sizes, CLASSES, predicted=True)
        changes = [
            writer.Update(sample_id=ids[frame_id], set={"predictions": value})
            for frame_id, value in zip(chosen.frame_ids, encoded, strict=True)
        ]
        assert writer.update(dataset, changes) == len(changes)

    ours, theirs = [], []
    for part in blocks(frames):
        index = range(frames)[part]
        ours.append(seconds(lambda index=index: write(boxes.take(index), sizes[index])))
        theirs.append(seconds(lambda index=index: set_values(boxes.take(index), sizes[index])))
    assert ratio("set_values", frames // 5, ours, theirs) >= 5

"""Run a trained detector over any frames: boxes, scores of every class and one embedding a frame."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dataengine import progress
from dataengine.config import ComputeConfig, ModelConfig
from dataengine.executor import num_cores
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.learn import device, models, views
from dataengine.learn.ahead import ahead
from dataengine.learn.batch import padded
from dataengine.learn.detector import Detector
from dataengine.learn.device import Session
from dataengine.learn.frames import read_scaled, stack
from dataengine.schema import Taxonomy

BATCH_PIXELS = 32 * 320 * 192
"""Pixels of one batch: 32 frames of 320 x 192, and at least one of any size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found in one frame, in pixels of the stored image.

    Attributes:
        xyxy: ``[B, 4]`` float32, best score first.
        class_id: ``[B]`` int16.
        class_scores: ``[B, K]`` float32.
        embedding: ``[D]`` float32.
        features: ``[B, F]`` float16.
    """

    xyxy: NDArray[np.float32]
    class_id: NDArray[np.int16]
    class_scores: NDArray[np.float32]
    embedding: NDArray[np.float32]
    features: NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Image:
    """A decoded frame.

    Attributes:
        rgb: ``[H, W, 3]`` uint8, as the detector sees it.
        share: Its size as a share of the stored image's, before a view.
        view: One of ``views.NAMES``.
        plain: Height and width before the view; unused where there is none.
    """

    rgb: NDArray[np.uint8]
    share: float
    view: str = ""
    plain: tuple[int, int] = (0, 0)

    @property
    def canvas(self) -> tuple[int, int]:
        """Height and width of the batch that it fits in."""
        return padded(self.rgb.shape[0]), padded(self.rgb.shape[1])


def predict(
    images: Sequence[Path],
    frame_ids: Sequence[str],
    *,
    checkpoint: Path,
    taxonomy: Taxonomy,
    model: ModelConfig,
    compute: ComputeConfig,
    label: str = "predict",
    view: str = "",
) -> Predictions:
    """Run a detector over frames, each once.

    Args:
        images: One path a frame.
        frame_ids: The frames' ids, in the same order.
        checkpoint: A ``model.safetensors`` or ``snapshot.safetensors`` written by ``fit``.
        taxonomy: The classes; the checkpoint must have been trained on the same.
        model: Which detector the checkpoint holds.
        compute: Device, threads, precision.
        label: What the progress bar says.
        view: How the frames are shown: empty as they are, ``flip`` mirrored, ``scale`` at 0.8 of their size.
            Boxes come back in pixels of the stored image either way.

    Returns:
        At most 100 boxes a frame, best score first, doubles suppressed class by class.

    Raises:
        ConfigError: The device or the detector does not exist.
        InputError: An image cannot be read; the message names it.
        ModelError: The checkpoint cannot be read, or belongs to another taxonomy or detector.
    """
    if len(images) != len(frame_ids):
        raise ValueError(f"{len(images)} images for {len(frame_ids)} frame ids")
    with device.session(compute) as session:
        detector = models.trained(checkpoint, model, taxonomy).eval()
        detector.to(session.device).to(memory_format=torch.channels_last)
        found = []
        with (
            progress.bar(label, len(images)) as advance,
            closing(decoded(images, model.max_side, session, view)) as read,
        ):
            for batch in same_canvas(read):
                found.extend(run_batch(detector, batch, session))
                advance(len(batch))
    return _collect(frame_ids, found, len(taxonomy))


def decoded(images: Sequence[Path], max_side: int, session: Session, view: str = "") -> Generator[Image]:
    """The frames in order, decoded in the background."""

    def read(path: Path) -> Image:
        rgb, share = read_scaled(path, max_side)
        return Image(views.shown(rgb, view), share, view, (rgb.shape[0], rgb.shape[1]))

    threads = 1 if session.device.type == "cpu" else num_cores()
    return ahead(read, images, depth=64, threads=threads)


def same_canvas(images: Iterable[Image]) -> Iterator[list[Image]]:
    """Runs of images with one padded size, so that no frame's result depends on its neighbours' sizes."""
    batch: list[Image] = []
    for image in images:
        if batch and (image.canvas != batch[0].canvas or (len(batch) + 1) * _pixels(image) > BATCH_PIXELS):
            yield batch
            batch = []
        batch.append(image)
    if batch:
        yield batch


def _pixels(image: Image) -> int:
    return image.canvas[0] * image.canvas[1]


def run_batch(detector: Detector, batch: Sequence[Image], session: Session) -> list[Found]:
    """What the detector finds in a few images of one padded size."""
    canvas = stack([image.rgb for image in batch])
    with torch.inference_mode(), session.autocast(detector.bf16):
        detections = detector.detect(canvas.to(session.device))
    counts = torch.bincount(detections.image, minlength=len(batch)).cpu().numpy()
    ends = np.cumsum(counts)
    xyxy = detections.xyxy.float().cpu().numpy()
    class_id = detections.class_id.cpu().numpy().astype(np.int16)
    class_scores = detections.class_scores.float().cpu().numpy()
    embedding = detections.embedding.float().cpu().numpy()
    features = detections.features.half().cpu().numpy()
    found = []
    for number, image in enumerate(batch):
        rows = slice(ends[number] - counts[number], ends[number])
        inside, kept = _in_original(xyxy[rows], image)
        found.append(
            Found(
                xyxy=inside,
                class_id=class_id[rows][kept],
                class_scores=class_scores[rows][kept],
                embedding=embedding[number],
                features=features[rows][kept],
            )
        )
    return found


def _in_original(xyxy: NDArray[np.float32], image: Image) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Boxes clipped to the image, in pixels of the stored one, and which of the given ones those are."""
    height, width = image.rgb.shape[:2]
    clipped = np.clip(xyxy, 0, np.array([width, height, width, height], np.float32))
    kept = np.all(clipped[:, 2:] > clipped[:, :2], axis=1)
    plain = views.unseen(clipped[kept], (height, width), image.plain, image.view)
    return plain / np.float32(image.share), kept


def _collect(frame_ids: Sequence[str], found: Sequence[Found], num_classes: int) -> Predictions:
    if not found:
        boxes = FrameBoxes.build([], [], [], [])
        empty = np.zeros((0, num_classes), np.float32)
        return Predictions(boxes=boxes, class_scores=empty, embeddings=np.zeros((0, 0), np.float32))
    class_id = np.concatenate([one.class_id for one in found])
    class_scores = np.concatenate([one.class_scores for one in found])
    boxes = FrameBoxes.build(
        frame_ids,
        [len(one.xyxy) for one in found],
        np.concatenate([one.xyxy for one in found]),
        class_id,
        score=class_scores[np.arange(len(class_id)), class_id],
    )
    return Predictions(
        boxes=boxes,
        class_scores=class_scores,
        embeddings=np.stack([one.embedding for one in found]),
        features=np.concatenate([one.features for one in found]),
    )

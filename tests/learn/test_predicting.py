from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dataengine.config import ModelConfig, TrainConfig
from dataengine.errors import InputError, ModelError
from dataengine.frameboxes import Predictions
from dataengine.learn import FitResult, predict, predicting
from dataengine.learn.torchvision_detectors import FACTORIES
from dataengine.schema import Taxonomy
from tests.learn.conftest import CPU
from tests.learn.painted import TAXONOMY, paint

MODEL = ModelConfig(width=16)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector that has learned the painted shapes."""
    from dataengine.learn import fit
    from dataengine.streams import Streams

    folder = tmp_path_factory.mktemp("trained")
    images, labels = paint(folder / "images", 48, seed=1)
    return fit(
        images,
        labels,
        taxonomy=TAXONOMY,
        model=MODEL,
        train=TrainConfig(steps=150, batch_size=8),
        compute=CPU,
        streams=Streams(0),
        folder=folder,
    ).checkpoint


def run(trained: Path, images: list[Path], **changes: Any) -> Predictions:
    arguments: dict[str, Any] = {
        "checkpoint": trained,
        "taxonomy": TAXONOMY,
        "model": MODEL,
        "compute": CPU,
    } | changes
    return predict(images, [f"c/{i:06d}" for i in range(len(images))], **arguments)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    inner = np.prod(np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None))
    return float(inner / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - inner))


def found_share(predictions: Predictions, labels: Any, scale: float = 1.0) -> float:
    """Share of the labels that a prediction of their class with a score of at least 0.3 covers."""
    found = 0
    for frame in range(labels.num_frames):
        rows = predictions.boxes.rows(frame)
        for box, k in zip(
            labels.xyxy[labels.rows(frame)] * scale, labels.class_id[labels.rows(frame)], strict=True
        ):
            found += any(
                score >= 0.3 and k == own and overlap(box, candidate) >= 0.5
                for candidate, own, score in zip(
                    predictions.boxes.xyxy[rows],
                    predictions.boxes.class_id[rows],
                    predictions.boxes.score[rows],
                    strict=True,
                )
            )
    return found / labels.num_boxes


def test_it_finds_what_it_learned(trained: Path, tmp_path: Path) -> None:
    images, labels = paint(tmp_path, 24, seed=2)
    predictions = run(trained, images)
    assert found_share(predictions, labels) > 0.8


def test_shape_of_the_answer(trained: Path, tmp_path: Path) -> None:
    images, _ = paint(tmp_path, 5, seed=2)
    predictions = run(trained, images)
    boxes = predictions.boxes
    assert boxes.frame_ids.tolist() == [f"c/{i:06d}" for i in range(5)]
    assert predictions.class_scores.shape == (boxes.num_boxes, 2)
    assert predictions.embeddings.shape == (5, 64)
    assert (boxes.counts <= 100).all()
    assert ((predictions.class_scores >= 0) & (predictions.class_scores <= 1)).all()
    np.testing.assert_array_equal(
        boxes.score, predictions.class_scores[np.arange(boxes.num_boxes), boxes.class_id]
    )
    for frame in range(5):
        assert (np.diff(boxes.score[boxes.rows(frame)]) <= 0).all()
    assert (boxes.xyxy >= 0).all()
    assert (boxes.xyxy <= (96, 64, 96, 64)).all()
    assert (boxes.xyxy[:, 2:] > boxes.xyxy[:, :2]).all()
    Predictions.from_table(predictions.to_table(), 2)


def test_embeddings_differ_between_frames(trained: Path, tmp_path: Path) -> None:
    images, _ = paint(tmp_path, 3, seed=2)
    embeddings = run(trained, [*images, images[0]]).embeddings
    assert not np.allclose(embeddings[0], embeddings[1])
    np.testing.assert_allclose(embeddings[0], embeddings[3], rtol=1e-5)


def test_the_same_call_gives_the_same_bits(trained: Path, tmp_path: Path) -> None:
    images, _ = paint(tmp_path, 9, seed=2)
    first, second = run(trained, images), run(trained, images)
    for name in ("xyxy", "class_id", "score"):
        np.testing.assert_array_equal(getattr(first.boxes, name), getattr(second.boxes, name))
    np.testing.assert_array_equal(first.class_scores, second.class_scores)
    np.testing.assert_array_equal(first.embeddings, second.embeddings)


def test_boxes_are_in_pixels_of_the_stored_image(trained: Path, tmp_path: Path) -> None:
    images, labels = paint(tmp_path / "small", 12, seed=2)
    doubled = []
    for number, path in enumerate(images):
        large = cv2.resize(cv2.imread(str(path)), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
        doubled.append(tmp_path / f"{number}.png")
        cv2.imwrite(str(doubled[-1]), large)
    predictions = run(trained, doubled, model=ModelConfig(width=16, max_side=96))
    assert found_share(predictions, labels, scale=2) > 0.8


def test_sizes_may_change_from_frame_to_frame(trained: Path, tmp_path: Path) -> None:
    small, _ = paint(tmp_path / "s", 3, seed=2)
    large, _ = paint(tmp_path / "l", 3, seed=3, width=150, height=100)
    mixed = [path for pair in zip(small, large, strict=True) for path in pair]
    predictions = run(trained, mixed)
    alone = run(trained, small)
    for number in range(3):
        ours = predictions.boxes.xyxy[predictions.boxes.rows(2 * number)]
        np.testing.assert_allclose(ours, alone.boxes.xyxy[alone.boxes.rows(number)], atol=0.2)


def test_batches_hold_at_least_one_frame(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predicting, "BATCH_PIXELS", 1)
    images, _ = paint(tmp_path, 3, seed=2)
    assert run(trained, images).boxes.num_frames == 3


def test_no_frames(trained: Path) -> None:
    predictions = run(trained, [])
    assert predictions.boxes.num_frames == 0
    assert predictions.to_table().num_rows == 0


@pytest.mark.parametrize("position", [0, 2])
def test_an_unreadable_image_is_named(trained: Path, tmp_path: Path, position: int) -> None:
    images, _ = paint(tmp_path, 3, seed=2)
    images[position].write_bytes(b"")
    with pytest.raises(InputError, match=images[position].name):
        run(trained, images)


def test_another_taxonomy_is_refused(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="red, blue; this workspace has car"):
        run(trained, [], taxonomy=Taxonomy(classes=("car",)))


@pytest.mark.parametrize("name", FACTORIES)
def test_torchvision_detectors_predict(tiny_fit: Callable[..., FitResult], painted: Any, name: str) -> None:
    model = ModelConfig(name=name)
    checkpoint = tiny_fit(model=model, train=TrainConfig(steps=1, batch_size=2)).checkpoint
    predictions = run(checkpoint, painted[0][:3], model=model)
    assert predictions.boxes.num_frames == len(predictions.embeddings) == 3
    assert (predictions.boxes.counts <= 100).all()
    assert predictions.class_scores.shape == (predictions.boxes.num_boxes, 2)

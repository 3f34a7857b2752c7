"""Frames shown otherwise, and the boxes' way back."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataengine.config import ModelConfig, TrainConfig
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.learn import fit, predict, views
from dataengine.streams import Streams
from tests.learn.conftest import CPU, TINY
from tests.learn.painted import TAXONOMY, paint


def test_what_is_shown() -> None:
    rgb = np.arange(5 * 10 * 3, dtype=np.uint8).reshape(5, 10, 3)
    np.testing.assert_array_equal(views.shown(rgb, ""), rgb)
    np.testing.assert_array_equal(views.shown(rgb, "flip")[2, 3], rgb[2, 6])
    assert views.shown(rgb, "scale").shape == (4, 8, 3)
    assert views.shown(rgb[:1, :1], "scale").shape == (1, 1, 3)


def test_a_view_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="view 'mirror' is none of flip, scale"):
        views.shown(np.zeros((4, 4, 3), np.uint8), "mirror")


def test_boxes_come_back() -> None:
    box = np.array([[10, 5, 30, 20]], np.float32)
    back = views.unseen(box, (64, 96), (64, 96), "flip")
    np.testing.assert_array_equal(back, [[66, 5, 86, 20]])
    # 192 * 0.8 is 153.6: the image has 154 rows, each worth 192 / 154 of the stored ones.
    back = views.unseen(box, (154, 256), (192, 320), "scale")
    np.testing.assert_allclose(back, [[12.5, 5 * 192 / 154, 37.5, 20 * 192 / 154]], rtol=1e-6)
    assert views.unseen(box[:0], (64, 96), (64, 96), "flip").shape == (0, 4)


@given(
    st.lists(st.tuples(*[st.floats(0, 1)] * 4), max_size=5),
    st.integers(1, 400),
    st.integers(1, 400),
    st.sampled_from(views.NAMES),
)
def test_the_way_back_stays_within_the_image(
    shares: list[tuple[float, ...]], width: int, height: int, view: str
) -> None:
    seen = views.shown(np.zeros((height, width, 3), np.uint8), view).shape[:2]
    corners = np.array(shares, np.float32).reshape(-1, 4)
    corners = np.concatenate(
        [np.minimum(corners[:, :2], corners[:, 2:]), corners.reshape(-1, 2, 2).max(1)], 1
    )
    boxes = (corners * np.tile(seen[::-1], 2)).astype(np.float32)
    back = views.unseen(boxes, (seen[0], seen[1]), (height, width), view)
    assert (back[:, 2:] >= back[:, :2]).all()
    assert (back >= -1e-3).all()
    assert (back <= np.tile([width, height], 2) * 1.0001).all()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    images, labels = paint(folder / "images", 48, seed=1)
    train = TrainConfig(steps=150, batch_size=8)
    fit(
        images,
        labels,
        taxonomy=TAXONOMY,
        model=TINY,
        train=train,
        compute=CPU,
        streams=Streams(0),
        folder=folder,
    )
    return folder


def run(folder: Path, images: list[Path], view: str, **changes: ModelConfig) -> Predictions:
    return predict(
        images,
        [str(number) for number in range(len(images))],
        checkpoint=folder / "model.safetensors",
        taxonomy=TAXONOMY,
        compute=CPU,
        view=view,
        **{"model": TINY, **changes},
    )


def offsets(predictions: Predictions, labels: FrameBoxes) -> np.ndarray:
    """``[N, 4]`` pixels from each label to the nearest prediction with a score of 0.3, if within 8 a side."""
    found = []
    boxes = predictions.boxes
    for frame in range(labels.num_frames):
        sure = boxes.xyxy[boxes.rows(frame)][boxes.score[boxes.rows(frame)] >= 0.3]
        for box in labels.xyxy[labels.rows(frame)]:
            away = np.abs(sure - box).max(axis=1, initial=0)
            if len(sure) and away.min() < 8:
                found.append(sure[away.argmin()] - box)
    return np.array(found)


@pytest.mark.parametrize("view", views.NAMES)
@pytest.mark.parametrize("max_side", [0, 90])
def test_every_view_answers_in_pixels_of_the_stored_image(
    trained: Path, tmp_path: Path, view: str, max_side: int
) -> None:
    images, labels = paint(tmp_path, 24, seed=2)
    model = ModelConfig(width=TINY.width, max_side=max_side)
    found = offsets(run(trained, images, view, model=model), labels)
    assert len(found) > 0.6 * labels.num_boxes
    assert np.abs(np.median(found, axis=0)).max() < 2  # no side is shifted


def test_a_mirrored_image_seen_mirrored_is_the_image(trained: Path, tmp_path: Path) -> None:
    images, _ = paint(tmp_path, 4, seed=2)
    mirrored = []
    for number, path in enumerate(images):
        mirrored.append(tmp_path / f"mirrored{number}.png")
        cv2.imwrite(str(mirrored[-1]), cv2.imread(str(path))[:, ::-1])
    plain, back = run(trained, images, ""), run(trained, mirrored, "flip")
    np.testing.assert_array_equal(back.class_scores, plain.class_scores)
    width = np.float32(96)
    np.testing.assert_allclose(width - back.boxes.xyxy[:, [2, 0]], plain.boxes.xyxy[:, [0, 2]], atol=1e-4)


def test_a_view_is_another_opinion(trained: Path, tmp_path: Path) -> None:
    images, _ = paint(tmp_path, 6, seed=2)
    plain = run(trained, images, "")
    for view in ("flip", "scale"):
        other = run(trained, images, view)
        assert not np.allclose(other.embeddings, plain.embeddings)

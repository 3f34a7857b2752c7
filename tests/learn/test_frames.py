from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dataengine.config import TrainConfig
from dataengine.errors import InputError
from dataengine.frameboxes import FrameBoxes
from dataengine.learn import frames as frames_module
from dataengine.learn.frames import LabelledFrames, read_scaled, stack

PLAIN = TrainConfig(flip=0, scale=0, translate=0, colour=0)


def write(path: Path, height: int, width: int, value: int = 80) -> Path:
    cv2.imwrite(str(path), np.full((height, width, 3), value, np.uint8))
    return path


def labelled(
    paths: list[Path], boxes: list[tuple[int, ...]], counts: list[int], **kwargs: object
) -> LabelledFrames:
    labels = FrameBoxes.build([f"c/{i}" for i in range(len(paths))], counts, boxes, [0] * len(boxes))
    return LabelledFrames(paths, labels, num_classes=1, max_side=0, **kwargs)


def test_scaled_images_shrink_and_never_grow(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", 60, 120)
    for max_side, shape, share in [(0, (60, 120), 1.0), (200, (60, 120), 1.0), (40, (20, 40), 1 / 3)]:
        rgb, got = read_scaled(path, max_side)
        assert (rgb.shape[:2], got) == (shape, pytest.approx(share))


def test_images_of_many_sizes_share_a_canvas() -> None:
    images = [np.full((20, 70, 3), 1, np.uint8), np.full((33, 10, 3), 2, np.uint8)]
    canvas = stack(images)
    assert canvas.shape == (2, 3, 64, 96)
    assert (canvas[0, :, :20, :70] == 1).all()
    assert (canvas[1, :, :33, :10] == 2).all()
    assert (canvas[1, :, 33:] == 114).all()


def test_a_batch_holds_the_boxes_of_its_frames(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{i}.png", 32, 64, 10 * i) for i in range(3)]
    frames = labelled(paths, [(1, 2, 11, 12), (20, 3, 40, 30), (5, 5, 9, 9)], [1, 0, 2])
    batch = frames.batch(np.array([2, 1, 0, 2]), PLAIN, np.random.default_rng(0))
    assert batch.images[:, 0, 0, 0].tolist() == [20, 10, 0, 20]
    assert batch.image.tolist() == [0, 0, 2, 3, 3]
    assert batch.xyxy[:3].tolist() == [[20, 3, 40, 30], [5, 5, 9, 9], [1, 2, 11, 12]]
    assert batch.images.is_contiguous(memory_format=frames_module.torch.channels_last)


def test_boxes_follow_the_scale_of_their_image(tmp_path: Path) -> None:
    paths = [write(tmp_path / "a.png", 64, 128)]
    labels = FrameBoxes.build(["c/0"], [1], [(20, 10, 60, 40)], [0])
    frames = LabelledFrames(paths, labels, num_classes=1, max_side=64)
    batch = frames.batch(np.array([0]), PLAIN, np.random.default_rng(0))
    assert batch.xyxy.tolist() == [[10, 5, 30, 20]]


@pytest.mark.parametrize(("room", "reads"), [(10**6, 2), (32 * 64 * 3, 3), (0, 4)])
def test_frames_are_decoded_once_while_they_fit(
    tmp_path: Path, room: int, reads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    original = frames_module.read_image
    monkeypatch.setattr(frames_module, "read_image", lambda path: read.append(path) or original(path))
    frames = labelled([write(tmp_path / f"{i}.png", 32, 64) for i in range(2)], [], [0, 0], cache_bytes=room)
    for _ in range(2):
        frames.batch(np.array([0, 1]), PLAIN, np.random.default_rng(0))
    assert len(read) == reads


@pytest.mark.parametrize(
    ("box", "class_id"),
    [
        ((0, 0, np.nan, 5), 0),
        ((0, 0, np.inf, 5), 0),
        ((9, 0, 3, 5), 0),  # inverted
        ((3, 0, 3, 5), 0),  # no area
        ((0, 0, 3, 5), 2),  # no such class
        ((0, 0, 3, 5), -1),
    ],
)
def test_broken_labels_name_their_frame(tmp_path: Path, box: tuple[float, ...], class_id: int) -> None:
    paths = [write(tmp_path / "a.png", 32, 32)] * 2
    labels = FrameBoxes.build(["c/0", "c/1"], [0, 1], [box], [class_id])
    with pytest.raises(InputError, match="frame c/1"):
        LabelledFrames(paths, labels, num_classes=2, max_side=0)


def test_no_frames_at_all() -> None:
    with pytest.raises(InputError, match="no labelled frames"):
        LabelledFrames([], FrameBoxes.build([], [], [], []), num_classes=1, max_side=0)


def test_a_broken_image_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG not really")
    frames = labelled([path], [], [0])
    with pytest.raises(InputError, match=r"broken\.png"):
        frames.batch(np.array([0]), PLAIN, np.random.default_rng(0))

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine.config import TrainConfig
from dataengine.frameboxes import FrameBoxes
from dataengine.learn import copy_paste
from dataengine.learn.copy_paste import MAX_COVER, Paster, Scene, clear_objects, cover, cut, room
from dataengine.learn.frames import LabelledFrames
from dataengine.learn.pseudo import PseudoFrames
from tests.learn.painted import paint

HEIGHT, WIDTH = 64, 96
RED, GREY = (220, 40, 40), 110


def frame(*boxes: tuple[int, int, int, int], colour: tuple[int, int, int] = RED) -> np.ndarray:
    image = np.full((HEIGHT, WIDTH, 3), GREY, np.uint8)
    for x1, y1, x2, y2 in boxes:
        image[y1:y2, x1:x2] = colour
    return image


def scene(*boxes: tuple[float, ...], visibility: float = 1.0, ignore: bool = False) -> Scene:
    return Scene(
        rgb=frame(),
        xyxy=np.array(boxes, np.float32).reshape(-1, 4),
        class_id=np.zeros(len(boxes), np.int16),
        ignore=np.full(len(boxes), ignore),
        visibility=np.full(len(boxes), visibility, np.float32),
    )


def paster(images: list[np.ndarray], labels: FrameBoxes, num_classes: int = 2, share: float = 1.0) -> Paster:
    return Paster(labels, num_classes, lambda number: (images[number], share))


def giver_and_taker(x: int = 40, y: int = 20, w: int = 20, h: int = 24, **columns: Any) -> Paster:
    """A frame with one red object, and an empty one."""
    labels = FrameBoxes.build(["c/0", "c/1"], [1, 0], [(x, y, x + w, y + h)], [1], **columns)
    return paster([frame((x, y, x + w, y + h)), frame()], labels)


@pytest.mark.parametrize("seed", range(30))
def test_a_pasted_object_has_its_label_exactly_where_its_pixels_are(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy_paste, "MAX_OBJECTS", 1)
    pasted = giver_and_taker().paste(1, np.random.default_rng(seed))
    assert pasted.class_id.tolist() == [1]
    y, x = np.nonzero(pasted.rgb[..., 0].astype(int) - pasted.rgb[..., 1] > 90)  # half copied, or more
    assert (x.min(), y.min(), x.max() + 1, y.max() + 1) == pytest.approx(pasted.xyxy[0].tolist(), abs=1.5)
    x1, y1, x2, y2 = pasted.xyxy[0].astype(int).tolist()
    pasted.rgb[y1 - 3 : y2 + 5, x1 - 3 : x2 + 5] = GREY
    assert (pasted.rgb == GREY).all()


@pytest.mark.parametrize("seed", range(10))
def test_objects_stay_near_their_row_and_size(seed: int) -> None:
    for x1, y1, x2, y2 in giver_and_taker().paste(1, np.random.default_rng(seed)).xyxy.tolist():
        assert abs(y2 - 44) <= 0.02 * HEIGHT + 1
        assert 0.8 * 20 <= x2 - x1 <= 1.2 * 20
        assert 0.8 * 24 <= y2 - y1 <= 1.2 * 24


def test_objects_come_along_in_an_image_of_another_size() -> None:
    labels = FrameBoxes.build(["c/0", "c/1"], [1, 0], [(40, 20, 60, 44)], [1])
    double = np.full((2 * HEIGHT, 2 * WIDTH, 3), GREY, np.uint8)
    pasted = paster([frame((40, 20, 60, 44)), double], labels).paste(1, np.random.default_rng(0))
    assert np.abs(pasted.xyxy[:, 3] - 88).max() <= 4
    assert np.abs((pasted.xyxy[:, 3] - pasted.xyxy[:, 1]) - 48).max() <= 0.2 * 48


def test_boxes_are_taken_at_the_scale_of_their_image() -> None:
    labels = FrameBoxes.build(["c/0", "c/1"], [1, 0], [(80, 40, 120, 88)], [1])  # of an image twice as large
    pasted = paster([frame((40, 20, 60, 44)), frame()], labels, share=0.5).paste(1, np.random.default_rng(0))
    (x1, y1, x2, y2) = pasted.xyxy[0].astype(int).tolist()
    middle = pasted.rgb[(y1 + y2) // 2, (x1 + x2) // 2]
    assert middle.tolist() == pytest.approx(RED, abs=6)


def test_rare_classes_are_pasted_more_often() -> None:
    boxes = [(20, 20, 40, 44)] * 17
    labels = FrameBoxes.build([f"c/{i:02d}" for i in range(17)], [1] * 17, boxes, [0] * 16 + [1])
    images = [frame(boxes[0])] * 17
    chance = paster(images, labels, 3).class_chance
    assert chance.tolist() == pytest.approx([0.2, 0.8, 0])  # 1/sqrt(16) against 1/sqrt(1), and no third class
    one = [paster(images, labels, 3).paste(0, np.random.default_rng(seed)).class_id[1:] for seed in range(60)]
    classes = np.concatenate(one)
    assert np.mean(classes == 1) == pytest.approx(0.8, abs=0.12)


@pytest.mark.parametrize(
    ("boxes", "columns", "clear"),
    [
        ([(10, 10, 30, 30)], {}, [0]),
        ([(10, 10, 30, 30)], {"ignore": [True]}, []),
        ([(10, 10, 30, 30)], {"visibility": [0.8]}, []),
        ([(10, 10, 30, 30)], {"visibility": [np.nan]}, [0]),  # unknown
        ([(10, 10, 30, 30), (28, 10, 60, 30)], {}, [1]),  # 10% of the first, 6% of the second
        ([(10, 10, 30, 30), (29, 10, 49, 30)], {}, [0, 1]),  # 5% of each
        ([(10, 10, 30, 30), (10, 10, 30, 30)], {}, []),
        (
            [(10, 10, 30, 30), (0, 0, 90, 60)],
            {"ignore": [False, True]},
            [],
        ),  # nobody knows what else is there
        ([], {}, []),
    ],
)
def test_only_objects_that_show_wholly_are_copied(
    boxes: list[tuple[int, ...]], columns: dict[str, Any], clear: list[int]
) -> None:
    labels = FrameBoxes.build(["c/0"], [len(boxes)], boxes, [0] * len(boxes), **columns)
    assert clear_objects(labels).tolist() == clear


@pytest.mark.parametrize(
    "columns",
    [
        {"ignore": [True]},
        {"x": 0},  # cut off by the image
        {"w": 4, "h": 4},  # too small
        {"w": 96, "x": 0},
    ],
)
def test_a_frame_stays_as_it_is_where_nothing_can_be_pasted(columns: dict[str, Any]) -> None:
    pasted = giver_and_taker(**columns).paste(1, np.random.default_rng(0))
    assert pasted.xyxy.shape == (0, 4)
    np.testing.assert_array_equal(pasted.rgb, frame())


def test_nothing_is_pasted_into_the_frame_that_it_is_from() -> None:
    for seed in range(10):
        assert len(giver_and_taker().paste(0, np.random.default_rng(seed)).xyxy) == 1


def test_a_pasted_image_is_a_copy() -> None:
    images = [frame((40, 20, 60, 44)), frame()]
    labels = FrameBoxes.build(["c/0", "c/1"], [1, 0], [(40, 20, 60, 44)], [0])
    pasted = paster(images, labels).paste(1, np.random.default_rng(0))
    assert (pasted.rgb != images[1]).any()
    np.testing.assert_array_equal(images[1], frame())


PLACE = np.array([40.0, 20, 60, 40])


@pytest.mark.parametrize(
    ("other", "shown", "expected"),
    [
        ((0, 0, 10, 10), 1.0, 1.0),  # apart
        ((30, 10, 50, 30), 1.0, 0.75),  # farther away, a quarter covered
        ((30, 10, 50, 30), 0.9, None),  # 67.5% left after an earlier paste
        ((36, 10, 56, 30), 1.0, None),  # 40% covered
        ((50, 30, 70, 50), 1.0, None),  # nearer, and it would hide a quarter of the pasted one
        ((58, 38, 90, 50), 1.0, 1 - 4 / 384),  # nearer, 1% of the pasted one
        ((42, 22, 46, 26), 1.0, None),  # wholly covered
        ((40, 40, 60, 60), 1.0, 1.0),  # they touch
    ],
)
def test_places_that_may_be_taken(other: tuple[float, ...], shown: float, expected: float | None) -> None:
    found = room(PLACE, scene(other), np.array([shown]))
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert found.tolist() == pytest.approx([expected])


def test_ignore_regions_may_be_covered() -> None:
    assert room(PLACE, scene((42, 22, 46, 60), ignore=True), np.ones(1)) is not None


@pytest.mark.parametrize(("visibility", "ignored"), [(0.4, True), (0.9, False), (np.nan, False)])
def test_a_box_that_is_mostly_hidden_becomes_an_ignore_region(visibility: float, ignored: bool) -> None:
    """A far object of 30 x 40 pixels, of which the pasted one covers a bit; 0.4 of it showed before."""
    boxes = [(40, 20, 60, 44), (38, 2, 58, 42)]
    labels = FrameBoxes.build(["c/0", "c/1"], [1, 1], boxes, [0, 1], visibility=[1.0, visibility])
    images = [frame(boxes[0]), frame()]
    seen = []
    for seed in range(60):
        pasted = paster(images, labels).paste(1, np.random.default_rng(seed))
        x1, y1, x2, y2 = pasted.xyxy[-1]
        shared = max(0, min(x2, 58) - max(x1, 38)) * max(0, min(y2, 42) - max(y1, 2)) / 800
        if len(pasted.xyxy) == 2 and shared > 0.14:
            seen.append(bool(pasted.ignore[0]))
    assert seen
    assert set(seen) == {ignored}


@given(seed=st.integers(0, 2**32 - 1), number=st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_pasted_boxes_are_inside_and_the_others_as_they_were(seed: int, number: int) -> None:
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, (60, 30), (2 * number, 2))
    xyxy = np.concatenate([low, low + rng.uniform(3, 34, (2 * number, 2))], 1).astype(np.float32)
    labels = FrameBoxes.build(["c/0", "c/1"], [number, number], xyxy, rng.integers(0, 2, 2 * number))
    images = [rng.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8) for _ in range(2)]
    made = [paster(images, labels).paste(1, np.random.default_rng(seed)) for _ in range(2)]
    np.testing.assert_array_equal(made[0].rgb, made[1].rgb)
    np.testing.assert_array_equal(made[0].xyxy, made[1].xyxy)
    pasted = made[0]
    np.testing.assert_array_equal(pasted.xyxy[:number], xyxy[number:])
    np.testing.assert_array_equal(pasted.class_id[:number], labels.class_id[number:])
    new = pasted.xyxy[number:]
    assert len(new) <= 2
    assert (new >= 0).all()
    assert (new <= (WIDTH, HEIGHT, WIDTH, HEIGHT)).all()
    assert (new[:, 2:] - new[:, :2] >= 5.99).all()
    for x1, y1, x2, y2 in xyxy[number:].tolist():
        for box in new.tolist():
            w, h = min(x2, box[2]) - max(x1, box[0]), min(y2, box[3]) - max(y1, box[1])
            assert max(w, 0) * max(h, 0) <= MAX_COVER * (x2 - x1) * (y2 - y1) + 1e-3


def test_edges_are_soft_and_the_middle_is_copied_whole() -> None:
    box = np.array([30.0, 20, 60, 50])
    patch = cut(frame((30, 20, 60, 50)), box, 1.0, np.array([45.0, 50]), 4.0)
    np.testing.assert_allclose(patch.box, box)
    share = cover(patch)
    y, x = 35 - patch.top, 45 - patch.left
    assert (share[y - 9 : y + 9, x - 9 : x + 9] == 1).all()
    assert share[0, 0] == share[-1, -1] == 0
    assert share[y, 30 - patch.left] == pytest.approx(0.5, abs=0.4)
    assert 0 < share[y, 31 - patch.left] < 1


def test_crops_take_on_the_brightness_of_their_surroundings() -> None:
    labels = FrameBoxes.build(["c/0", "c/1"], [1, 0], [(40, 20, 60, 44)], [1])
    dark = np.full((HEIGHT, WIDTH, 3), 77, np.uint8)  # 0.7 of the grey that the object came from
    pasted = paster([frame((40, 20, 60, 44)), dark], labels).paste(1, np.random.default_rng(1))
    x1, y1, x2, y2 = pasted.xyxy[0].astype(int).tolist()
    assert pasted.rgb[(y1 + y2) // 2, (x1 + x2) // 2, 0] == pytest.approx(0.7 * RED[0], rel=0.1)


def labelled(folder: Path, pseudo: bool = False) -> LabelledFrames:
    images, labels = paint(folder / "own", 12, seed=3)
    more = None
    if pseudo:
        paths, found = paint(folder / "more", 6, seed=4)
        ids = np.array([f"more/{i}" for i in range(6)], object)
        more = PseudoFrames(images=paths, labels=replace(found, frame_ids=ids))
    return LabelledFrames(images, labels, num_classes=2, max_side=0, pseudo=more)


PLAIN = TrainConfig(flip=0, scale=0, translate=0, colour=0)


def test_batches_hold_the_pasted_objects(tmp_path: Path) -> None:
    frames = labelled(tmp_path)
    chosen = np.arange(12)
    plain = frames.batch(chosen, PLAIN, np.random.default_rng(0))
    half = frames.batch(chosen, replace(PLAIN, copy_paste=0.5), np.random.default_rng(0))
    whole = frames.batch(chosen, replace(PLAIN, copy_paste=1.0), np.random.default_rng(0))
    assert len(plain.xyxy) < len(half.xyxy) < len(whole.xyxy)
    changed = (plain.images != whole.images).flatten(1).any(1)
    more = np.bincount(whole.image, minlength=12) > np.bincount(plain.image, minlength=12)
    assert changed.tolist() == more.tolist()


def test_pseudo_labelled_frames_neither_give_nor_take(tmp_path: Path) -> None:
    frames = labelled(tmp_path, pseudo=True)
    chosen = np.arange(12, 18)
    train = replace(PLAIN, copy_paste=1.0)
    pasted, plain = (frames.batch(chosen, one, np.random.default_rng(0)) for one in (train, PLAIN))
    assert (pasted.images == plain.images).all()
    assert pasted.xyxy.tolist() == plain.xyxy.tolist()
    asked: list[int] = []
    original = frames.image
    frames.image = lambda number: asked.append(number) or original(number)  # type: ignore[method-assign]
    for seed in range(20):
        frames.batch(np.arange(12), train, np.random.default_rng(seed))
    assert max(asked) < 12

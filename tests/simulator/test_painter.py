"""Boxes hold what is painted, tightly; visibility is what is left of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from dataengine.config import WorldConfig
from dataengine.simulator import people, vehicles
from dataengine.simulator.painter import Painter
from dataengine.simulator.plan import plan_fleet
from dataengine.simulator.scene import Scene
from dataengine.simulator.traffic import Actor
from dataengine.simulator.truth import FrameTruth, judge, outline
from tests.simulator import worlds

SHAPES = {
    "car": vehicles.car("sedan", False),
    "truck": vehicles.truck("box", False),
    "pedestrian": people.pedestrian(0, 1),
    "cyclist": people.cyclist(1, False),
    "cone": people.cone(),
}


def paint(actors: Sequence[Actor], frames: int = 1) -> tuple[list[FrameTruth], Painter]:
    painter = Painter(worlds.scene(actors, frames=frames), np.random.default_rng(0))
    return [painter.frame(k)[1] for k in range(frames)], painter


def mask_box(painter: Painter, actor: int) -> np.ndarray:
    rows, columns = np.nonzero(painter._ids == actor + 1)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], float)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    both = np.prod(np.maximum(high - low, 0))
    return float(both / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - both))


@pytest.mark.parametrize("turn", [0.0, 0.6, np.pi / 2, np.pi, 4.0])
@pytest.mark.parametrize("name", SHAPES)
def test_a_box_fits_the_painted_object(name, turn):
    (truth,), painter = paint([worlds.actor(name, SHAPES[name], 14.0, 1.5, turn=turn, stride=(1.0,))])
    (box,) = truth.xyxy
    painted = mask_box(painter, 0)
    assert (painted[:2] >= box[:2] - 1.5).all()
    assert (painted[2:] <= box[2:] + 1.5).all()
    assert iou(painted, box) > (0.62 if name in {"pedestrian", "cyclist"} else 0.8)
    assert truth.visibility[0] == 1
    assert not truth.ignore[0]


def test_the_box_of_a_walker_does_not_jitter_with_the_gait():
    strides = (-1.0, -0.4, 0.0, 0.7, 1.0)
    truths, _ = paint([worlds.actor("pedestrian", SHAPES["pedestrian"], 12, 2, stride=strides)], frames=5)
    boxes = np.concatenate([truth.xyxy for truth in truths])
    assert np.ptp(boxes, axis=0).max() == 0


def test_a_nearer_object_takes_visibility_and_leaves_the_box():
    far = worlds.actor("car", SHAPES["car"], 25, 0.0)
    (alone,), _ = paint([far])
    (both,), _ = paint([far, worlds.actor("truck", SHAPES["truck"], 14, 1.4)])
    np.testing.assert_array_equal(both.xyxy[0], alone.xyxy[0])  # amodal
    assert 0.1 < both.visibility[0] < 0.9
    assert both.visibility[1] == 1


def test_a_hidden_object_is_an_ignore_region():
    hidden = worlds.actor("car", SHAPES["car"], 30, 0.0)
    (truth,), _ = paint([hidden, worlds.actor("truck", SHAPES["truck"], 12, 0.0)])
    assert truth.visibility[0] == 0
    assert truth.ignore.tolist() == [True, False]


def test_an_object_half_outside_is_cut_and_half_visible():
    (truth,), _ = paint([worlds.actor("car", SHAPES["car"], 12, -160 / 368 * 9.7)])
    assert truth.xyxy[0, 0] == 0
    assert 0.3 < truth.visibility[0] < 0.7


def test_objects_behind_or_far_away_are_not_labelled():
    (truth,), painter = paint(
        [worlds.actor("car", SHAPES["car"], -8, 0), worlds.actor("pedestrian", SHAPES["pedestrian"], 60, 1)]
    )
    assert len(truth.actor) == 0
    assert not painter._ids.any()  # what is not labelled is not drawn


def test_small_objects_are_ignore_regions_before_they_vanish():
    for distance, expected in ((20, False), (33, True)):
        (truth,), _ = paint([worlds.actor("pedestrian", SHAPES["pedestrian"], distance, 1)])
        assert truth.ignore.tolist() == [expected]


@pytest.mark.parametrize("time_of_day", ["day", "dusk", "night"])
@pytest.mark.parametrize("weather", ["clear", "rain", "fog"])
def test_every_condition_renders_and_keeps_its_brightness(time_of_day, weather):
    scene = worlds.scene(
        [worlds.actor("car", vehicles.car("suv", True), 15, 0)], time_of_day=time_of_day, weather=weather
    )
    image, truth = Painter(scene, np.random.default_rng(0)).frame(0)
    low, high = {"day": (90, 200), "dusk": (40, 140), "night": (8, 70)}[time_of_day]
    assert image.shape == (192, 320, 3)
    assert low < image.mean() < high
    assert len(truth.actor) == 1


def test_an_empty_road_renders():
    image, truth = Painter(worlds.scene([]), np.random.default_rng(0)).frame(0)
    assert image.std() > 10
    assert truth.xyxy.shape == (0, 4)


def test_judging_by_hand():
    """Pixels painted and left, box in and out of the picture, haze."""
    actors = [worlds.actor("car", SHAPES["car"], 15, 0)]
    painter = Painter(worlds.scene(actors), np.random.default_rng(0))
    placed = painter._actors.seen_from(0, 0, 0, 0, 0)
    envelope = placed.to_camera(placed.batch.envelope, placed.batch.envelope_object)
    found = outline(worlds.CAMERA, envelope, placed.batch, np.array([10], np.float32))
    for pixels, contrast, visibility, ignore in (
        ((400, 400), 1.0, 1.0, False),
        ((400, 200), 1.0, 0.5, False),
        ((400, 100), 1.0, 0.25, True),  # below MIN_VISIBILITY
        ((400, 400), 0.1, 1.0, True),  # lost in fog
    ):
        truth = judge(worlds.CAMERA, found, np.array([pixels]), np.array([contrast], np.float32))
        assert truth.visibility[0] == pytest.approx(visibility)
        assert truth.ignore[0] == ignore
    assert len(judge(worlds.CAMERA, found, np.array([[0, 0]]), np.ones(1, np.float32)).actor) == 0


def test_a_scene_is_the_same_every_time():
    plan = plan_fleet(WorldConfig())[5]
    frames = [Painter(Scene.sample(WorldConfig(), plan), np.random.default_rng(1)).frame(3) for _ in range(2)]
    np.testing.assert_array_equal(frames[0][0], frames[1][0])
    np.testing.assert_array_equal(frames[0][1].xyxy, frames[1][1].xyxy)


def test_rare_classes_appear_in_their_scenes_alone():
    world = WorldConfig()
    for plan in plan_fleet(world)[::9]:
        names = {actor.class_name for actor in Scene.sample(world, plan).actors}
        assert names & {"truck", "cyclist", "cone"} <= plan.tail
        assert names >= plan.tail, plan.clip_id

"""Scenes built by hand: an empty straight road, and actors where a test wants them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dataengine.simulator.camera import Camera
from dataengine.simulator.ground import Ground
from dataengine.simulator.layout import Layout
from dataengine.simulator.light import Light
from dataengine.simulator.mesh import Mesh
from dataengine.simulator.road import Ego, Road
from dataengine.simulator.scene import Scene
from dataengine.simulator.sky import Sky
from dataengine.simulator.traffic import Actor

CAMERA = Camera(width=320, height=192, focal=368.0, height_m=1.5, pitch=0.04)


def straight_road(length: float = 300) -> Road:
    return Road(np.zeros(int(length / 0.5)))


def standing(road: Road, frames: int, s: float = 0.0) -> Ego:
    still = np.zeros(frames)
    return Ego(
        time_s=np.arange(frames) / 4,
        s=still + s,
        speed_mps=still + 1,
        acceleration_mps2=still,
        yaw_rate_radps=still,
    )


def actor(
    name: str, mesh: Mesh, s: float, d: float, *, turn: float = 0.0, stride: Sequence[float] = (0.0,)
) -> Actor:
    frames = len(stride)
    return Actor(
        class_name=name,
        mesh=mesh,
        paint=(200, 40, 40),
        s=np.full(frames, s),
        d=np.full(frames, d),
        turn=turn,
        stride=np.array(stride, float),
    )


def scene(
    actors: Sequence[Actor],
    *,
    frames: int = 1,
    camera: Camera = CAMERA,
    time_of_day: str = "day",
    weather: str = "clear",
) -> Scene:
    rng = np.random.default_rng(0)
    road = straight_road()
    layout = Layout.sample(rng, cycle_street=False)
    light = Light.sample(rng, time_of_day, weather)
    ground = Ground(layout, 100, rng)
    ground.finish()
    return Scene(
        camera=camera,
        road=road,
        ego=standing(road, frames),
        light=light,
        ground=ground,
        sky=Sky(camera, light, built_up=True, rng=rng),
        props=[],
        actors=list(actors),
    )

"""One clip's world: road, motion, light, everything that stands and everybody who moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataengine.config import WorldConfig
from dataengine.simulator import props, shadows
from dataengine.simulator.camera import Camera
from dataengine.simulator.ground import Ground
from dataengine.simulator.layout import Layout
from dataengine.simulator.light import Light
from dataengine.simulator.plan import ClipPlan
from dataengine.simulator.road import Ego, Road
from dataengine.simulator.roadside import Prop, furnish
from dataengine.simulator.sky import Sky
from dataengine.simulator.traffic import CONE, CYCLIST, VIEW_M, Actor, Traffic
from dataengine.streams import Streams

FOCAL_SHARE = 1.2
"""Focal length per image width: a field of view of 45 degrees, so that a person 20 m away is 34 px tall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that the painter needs, and nothing random any more (but the sensor's noise).

    Attributes:
        camera: The vehicle's camera.
        road: Where the road goes.
        ego: The recording vehicle's motion.
        light: Time of day and weather.
        ground: The finished ground texture.
        sky: The panorama.
        props: Unlabelled things, ordered along the road.
        actors: Labelled objects; their number is their track.
    """

    camera: Camera
    road: Road
    ego: Ego
    light: Light
    ground: Ground
    sky: Sky
    props: list[Prop]
    actors: list[Actor]

    @classmethod
    def sample(cls, world: WorldConfig, plan: ClipPlan) -> Scene:
        """The scene of one clip; depends on the world's seed and the clip's place in the plan alone."""
        rng = Streams(world.seed).generator(f"clip/{plan.split}", plan.drive_index, plan.clip_index)
        frames = max(round(world.fps * world.clip_seconds), 1)
        scenes = frozenset() if world.tail_alone else plan.tail
        layout = Layout.sample(rng, cycle_street=CYCLIST in scenes)
        slow = CYCLIST in scenes or CONE in scenes
        cruise = rng.uniform(4.0, 6.5) if slow else rng.uniform(6, 12 if layout.area == "city" else 15)
        length = 1.6 * cruise * world.clip_seconds + VIEW_M + 40
        road = Road.sample(rng, length, curved=plan.road == "curved")
        ego = Ego.sample(rng, road, frames=frames, fps=world.fps, cruise_mps=cruise)
        reach = float(ego.s[-1]) + VIEW_M
        light = Light.sample(rng, plan.time_of_day, plan.weather)
        camera = vehicle_camera(world, plan.vehicle)
        traffic = Traffic(
            rng=rng,
            layout=layout,
            ego=ego,
            tail=plan.tail,
            lit=light.lit,
            alone=world.tail_alone,
            plain_trucks=world.plain_trucks,
        )
        actors = traffic.fill()
        things = furnish(rng, layout, reach, lit=light.lit, works_start=traffic.works_start)
        things.sort(key=lambda prop: prop.s)
        ground = Ground(layout, reach, rng)
        shadows.cast(ground, things, light)
        _light_lamps(ground, things, light)
        ground.finish()
        sky = Sky(camera, light, built_up=layout.area != "rural", rng=rng)
        return cls(
            camera=camera,
            road=road,
            ego=ego,
            light=light,
            ground=ground,
            sky=sky,
            props=things,
            actors=actors,
        )


def vehicle_camera(world: WorldConfig, vehicle: int) -> Camera:
    """The camera that a vehicle of the fleet carries: mounted at its own height and pitch."""
    rng = Streams(world.seed).generator("vehicle", vehicle)
    return Camera(
        width=world.width,
        height=world.height,
        focal=FOCAL_SHARE * world.width,
        height_m=float(rng.uniform(1.35, 1.65)),
        pitch=float(rng.uniform(0.02, 0.07)),
    )


def _light_lamps(ground: Ground, things: list[Prop], light: Light) -> None:
    """Brighten the road below street lamps, the more the darker it is."""
    share = {"day": 0.0, "dusk": 0.25, "night": 0.9}[light.time_of_day]
    if not share:
        return
    for prop in things:
        if prop.mesh is props.lamp(light.lit):
            ground.lighten(prop.s, prop.d - 1.75 * np.cos(prop.turn), 6.5, share)

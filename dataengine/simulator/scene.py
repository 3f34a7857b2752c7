"""One clip's world: road, motion, light, everything that stands and everybody who moves."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dataengine.config import WorldConfig
from dataengine.simulator import props
from dataengine.simulator.camera import Camera
from dataengine.simulator.ground import Ground
from dataengine.simulator.layout import Layout
from dataengine.simulator.light import Light
from dataengine.simulator.mesh import Floats
from dataengine.simulator.plan import ClipPlan
from dataengine.simulator.road import Ego, Road
from dataengine.simulator.roadside import Prop, furnish
from dataengine.simulator.sky import Sky
from dataengine.simulator.traffic import CONE, CYCLIST, VIEW_M, Actor, Traffic
from dataengine.streams import Streams

FOCAL_SHARE = 1.15
"""Focal length per image width: a field of view of 47 degrees, so that a person 20 m away is 32 px tall."""


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
        layout = Layout.sample(rng, cycle_street=CYCLIST in plan.tail)
        slow = CYCLIST in plan.tail or CONE in plan.tail
        cruise = rng.uniform(4.0, 6.5) if slow else rng.uniform(6, 12 if layout.area == "city" else 15)
        length = 1.6 * cruise * world.clip_seconds + VIEW_M + 40
        road = Road.sample(rng, length, curved=plan.road == "curved")
        ego = Ego.sample(rng, road, frames=frames, fps=world.fps, cruise_mps=cruise)
        reach = float(ego.s[-1]) + VIEW_M
        light = Light.sample(rng, plan.time_of_day, plan.weather)
        camera = vehicle_camera(world, plan.vehicle)
        traffic = Traffic(rng=rng, layout=layout, ego=ego, tail=plan.tail, lit=light.lit)
        actors = traffic.fill()
        things = furnish(rng, layout, reach, lit=light.lit, works_start=traffic.works_start)
        things.sort(key=lambda prop: prop.s)
        ground = Ground(layout, reach, rng)
        _cast_shadows(ground, things, light)
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


def _cast_shadows(ground: Ground, things: list[Prop], light: Light) -> None:
    """Darken the ground where props stand in the sun's way, or just below them under clouds."""
    sun = light.sun_direction
    reach = min(1.0 / max(float(sun[1]), 0.2), 2.6)
    away = -np.array([float(sun[2]), float(sun[0])]) * reach
    for prop in things:
        height = prop.mesh.height
        corners = _corners(prop)
        if not light.casts_shadows:
            if not prop.wall:
                ground.darken(corners, 0.25)
            continue
        top = corners + away * height
        if prop.wall:
            _hull(ground, np.concatenate([corners, top]), 0.40)
        elif height > 4.0:
            middle = corners.mean(0) + away * height * 0.72
            radius = min(float(np.ptp(corners[:, 0])), float(np.ptp(corners[:, 1]))) * 0.5
            angles = np.arange(10) * np.pi / 5
            stretch = np.column_stack([np.cos(angles), np.sin(angles)]) * radius
            if radius > 0.8:
                ground.darken(middle + stretch + np.outer(stretch @ away, away) * 0.25, 0.36)
            foot = corners.mean(0)
            side = np.array([-away[1], away[0]]) / max(float(np.hypot(*away)), 1e-6) * 0.12
            ground.darken(np.array([foot - side, foot + side, middle + side, middle - side]), 0.32)
        else:
            _hull(ground, np.concatenate([corners, top]), 0.36)


def _light_lamps(ground: Ground, things: list[Prop], light: Light) -> None:
    """Brighten the road below street lamps, the more the darker it is."""
    share = {"day": 0.0, "dusk": 0.25, "night": 0.9}[light.time_of_day]
    if not share:
        return
    for prop in things:
        if prop.mesh is props.lamp(light.lit):
            ground.lighten(prop.s, prop.d - 1.75 * np.cos(prop.turn), 6.5, share)


def _hull(ground: Ground, points: Floats, share: float) -> None:
    hull = np.asarray(cv2.convexHull(points.astype(np.float32)), np.float64)
    ground.darken(hull[:, 0], share)


def _corners(prop: Prop) -> Floats:
    """The footprint of a prop in ``(s, d)``."""
    x, _, z = prop.mesh.footprint.T
    cosine, sine = np.cos(prop.turn), np.sin(prop.turn)
    return np.column_stack([prop.s + x * sine + z * cosine, prop.d + x * cosine - z * sine])

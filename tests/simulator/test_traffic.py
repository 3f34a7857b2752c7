"""What a clip of the long tail holds: a scene of many, or one object alone."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.simulator import vehicles
from dataengine.simulator.layout import Layout
from dataengine.simulator.road import Ego, Road
from dataengine.simulator.traffic import Actor, Traffic

CLIPS = 20


def clip(seed: int, name: str, **settings: bool) -> list[Actor]:
    """The actors of one clip that passes through the scene of one rare class."""
    rng = np.random.default_rng(seed)
    road = Road.sample(rng, 300.0, curved=False)
    traffic = Traffic(
        rng=rng,
        layout=Layout.sample(rng, cycle_street=name == "cyclist"),
        ego=Ego.sample(rng, road, frames=20, fps=4.0, cruise_mps=6.0),
        tail=frozenset({name}),
        lit=False,
        **settings,
    )
    return [actor for actor in traffic.fill() if actor.class_name == name]


@pytest.mark.parametrize("name", ["truck", "cyclist", "cone"])
def test_alone_a_rare_class_is_one_object(name: str) -> None:
    alone = [len(clip(seed, name, alone=True)) for seed in range(CLIPS)]
    assert max(alone) == 1
    assert sum(alone) >= 0.9 * CLIPS
    assert sum(len(clip(seed, name)) for seed in range(CLIPS)) >= 2 * CLIPS


def test_plain_trucks_are_large_vans() -> None:
    shape = vehicles.large_van(False).envelope
    found = [actor for seed in range(CLIPS) for actor in clip(seed, "truck", plain_trucks=True)]
    assert found
    assert all(np.array_equal(actor.mesh.envelope, shape) for actor in found)
    assert all(actor.paint in vehicles.PAINTS for actor in found)

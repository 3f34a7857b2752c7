"""Every shape: closed where it should be, standing on the ground, of a believable size."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.simulator import buildings, people, props, vehicles
from dataengine.simulator.mesh import Builder, Mesh

# name, shape, and the bounds in metres that its height, width and length must keep
SIZES = [
    *((f"car-{b}", vehicles.car(b, False), (1.4, 2.1), (1.7, 2.4), (3.8, 5.2)) for b in vehicles.CAR_BODIES),
    *(
        (f"truck-{k}", vehicles.truck(k, True), (2.5, 3.8), (2.3, 2.6), (6.5, 12))
        for k in vehicles.TRUCK_KINDS
    ),
    ("large-van", vehicles.large_van(True), (2.4, 2.6), (2.6, 2.9), (6.0, 6.5)),
    *((f"person-{b}", people.pedestrian(b, 0), (1.3, 1.9), (0.6, 0.9), (0.6, 0.9)) for b in range(4)),
    ("cyclist", people.cyclist(0, True), (1.7, 1.9), (0.6, 0.8), (1.7, 1.9)),
    ("cone", people.cone(), (0.7, 0.9), (0.4, 0.6), (0.4, 0.6)),
]


@pytest.mark.parametrize(("name", "mesh", "height", "width", "length"), SIZES, ids=[row[0] for row in SIZES])
def test_labelled_shapes_have_real_sizes(name, mesh, height, width, length):
    low, high = mesh.envelope.min(0), mesh.envelope.max(0)
    for axis, (least, most) in ((1, height), (0, width), (2, length)):
        assert least <= high[axis] - low[axis] <= most
    assert -0.01 <= low[1] <= 0.3  # on the ground


@pytest.mark.parametrize(("name", "mesh", "height", "width", "length"), SIZES, ids=[row[0] for row in SIZES])
@pytest.mark.parametrize("stride", [-1.0, 0.0, 1.0])
def test_no_vertex_leaves_the_envelope(name, mesh, height, width, length, stride):
    """Swung limbs included, or the box would cut them off; a finger's width is forgiven."""
    points = mesh.points.copy()
    points[:, 2] += mesh.swing * stride
    assert (points >= mesh.envelope.min(0) - 0.06).all()
    assert (points <= mesh.envelope.max(0) + 0.06).all()


EVERYTHING = [
    *(row[1] for row in SIZES),
    *(buildings.building(look, True) for look in range(buildings.NUM_LOOKS)),
    *(props.tree(k) for k in range(12)),
    *(make() for make in (props.hydrant, props.pillar, props.shelter, props.barrier, props.fence)),
    *(
        make(k)
        for make in (props.sign, props.bin_, props.bollard, props.cabinet, props.container)
        for k in range(4)
    ),
    props.lamp(True),
    props.traffic_light(1, True),
    props.conifer(0),
    props.bush(0),
    people.parked_bicycle(0),
]


@pytest.mark.parametrize("mesh", EVERYTHING)
def test_shapes_are_sound(mesh: Mesh):
    assert mesh.counts.sum() == len(mesh.points)
    assert np.isfinite(mesh.points).all()
    length = np.linalg.norm(mesh.normals, axis=1)
    assert (np.isclose(length, 1, atol=1e-3) | (length == 0)).all()
    assert ((mesh.colours >= 0) & (mesh.colours <= 255)).all()
    assert (mesh.radius[mesh.counts == 1] > 0).all()
    assert mesh.points[:, 1].min() >= -0.02


def test_a_box_shows_three_sides_at_most_and_they_are_the_near_ones():
    mesh = Builder().part(0, 0.5, 0).box((-1, 1), (0, 1), (-1, 1), (10, 10, 10)).done()
    first = mesh.points[np.cumsum(mesh.counts) - mesh.counts]
    lens = np.array([0.5, 3, -5])  # before it, above it, within its width
    towards = (mesh.normals * (lens - first)).sum(1) > 0
    assert towards.sum() == 2
    assert {tuple(n) for n in mesh.normals[towards].tolist()} == {(0.0, 0.0, -1.0), (0.0, 1.0, 0.0)}

"""Places and headings on the ellipsoid, at points whose coordinates are known."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.adapters.comma2k19.pose import forward_axis, geodetic, heading_deg
from dataengine.adapters.comma2k19.signals import slope

MAJOR_M, MINOR_M = 6_378_137.0, 6_356_752.314245

# ECEF in metres; latitude, longitude in degrees; height above the ellipsoid in metres
PLACES = [
    ((MAJOR_M, 0, 0), (0, 0, 0)),
    ((0, MAJOR_M + 100, 0), (0, 90, 100)),
    ((-MAJOR_M, 0, 0), (0, 180, 0)),
    ((0, 0, MINOR_M), (90, 0, 0)),
    ((0, 0, -MINOR_M - 50), (-90, 0, 50)),
]


@pytest.mark.parametrize(("ecef", "place"), PLACES)
def test_places_whose_coordinates_are_known(ecef, place):
    found = np.stack(geodetic(np.array([ecef], float)), 1)[0]
    assert found == pytest.approx(place, abs=1e-4)


def test_geodetic_undoes_the_closed_form_the_other_way():
    rng = np.random.default_rng(1)
    latitude, longitude = np.radians(rng.uniform(-89, 89, 500)), np.radians(rng.uniform(-180, 180, 500))
    height = rng.uniform(-400, 9000, 500)
    squared = 1 - (MINOR_M / MAJOR_M) ** 2
    across = MAJOR_M / np.sqrt(1 - squared * np.sin(latitude) ** 2)
    ecef = np.stack(
        [
            (across + height) * np.cos(latitude) * np.cos(longitude),
            (across + height) * np.cos(latitude) * np.sin(longitude),
            (across * (1 - squared) + height) * np.sin(latitude),
        ],
        axis=1,
    )
    found = geodetic(ecef)
    np.testing.assert_allclose(found[0], np.degrees(latitude), atol=1e-9)
    np.testing.assert_allclose(found[1], np.degrees(longitude), atol=1e-9)
    np.testing.assert_allclose(found[2], height, atol=1e-5)


def test_a_damaged_position_is_nan_without_a_word():
    found = geodetic(np.array([[np.nan, 0, 0], [np.inf, np.inf, np.inf], [1e308, 1e308, 1e308]]))
    assert np.isnan(found[0][0])


# at equator and zero meridian east is y, north is z
HEADINGS = [((0, 0, 1), 0), ((0, 1, 0), 90), ((0, 0, -1), 180), ((0, -1, 0), 270), ((0, 1, 1), 45)]


@pytest.mark.parametrize(("direction", "heading"), HEADINGS)
def test_headings_count_clockwise_from_north(direction, heading):
    found = heading_deg(np.array([direction], float), np.zeros(1), np.zeros(1))
    assert found.tolist() == pytest.approx([heading])


def test_a_camera_without_rotation_looks_along_x():
    assert forward_axis(np.array([[1.0, 0, 0, 0]])).tolist() == [[1, 0, 0]]


def test_slope_is_taken_over_half_a_second_and_over_less_at_the_ends():
    times = np.arange(5) * 0.25
    assert slope(times, times**2).tolist() == pytest.approx([0.25, 0.5, 1.0, 1.5, 1.75])
    assert np.isnan(slope(np.zeros(1), np.ones(1))).all()
    assert slope(np.zeros(0), np.zeros(0)).tolist() == []

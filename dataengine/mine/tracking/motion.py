"""Where boxes will be: a Kalman filter of constant velocity for every track at once, in plain numpy.

A box is its centre in pixels and the logarithms of its sides. The four coordinates are filtered apart, each
with a position and a velocity, as SORT does for its own choice of coordinates (Bewley 2016, arXiv
1602.00763). Noise is in units of the box's size, as in ByteTrack (Zhang 2022, arXiv 2110.06864), and in
seconds instead of frames, so that one setting serves 30 and 2 frames a second.

Two things are otherwise. What comes nearer at constant speed grows hyperbolically, and so does its motion
through the image: at 2 frames a second the straight line of the usual filter falls far short. And surprise
has the heavy tails of Student's t: boxes are cut by the image's border and by what stands before them.

The figures below come from tracks of KITTI and BDD100K thinned out to 1-5 frames a second and of a simulated
world, by trial: see ``tests/benchmarks/test_tracking.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

MEASURED = np.array([0.06, 0.06, 0.2, 0.15])
"""Standard deviation of a measured box: of the centre in sizes, of the logarithms of width and height."""

FIRST_SPEED = np.array([4.0, 0.5, 1.2, 0.9])
"""Standard deviation of the speed of an object that has just appeared, per second."""

SPEED_DRIFT = np.array([0.9, 0.3, 0.3, 0.2])
"""Standard deviation of the change of a speed within one second."""

TAIL = 8.0
"""Degrees of freedom of Student's t: how gently a coordinate that is far off counts."""

NEAREST = 0.5
"""Share of the time to a collision that a prediction looks ahead at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """What is known of the boxes of ``[T]`` tracks; every array is ``[T, 4]``.

    Attributes:
        place: Centre x and y in pixels, logarithm of width and of height.
        speed: Their change per second.
        place_var: Variance of ``place``.
        shared_var: Covariance of ``place`` and ``speed``.
        speed_var: Variance of ``speed``.
    """

    place: Floats
    speed: Floats
    place_var: Floats
    shared_var: Floats
    speed_var: Floats

    @classmethod
    def begin(cls, coordinates: Floats) -> Motion:
        """Tracks that begin at ``[T, 4]`` coordinates."""
        units = _units(coordinates)
        return cls(
            place=coordinates,
            speed=np.zeros_like(coordinates),
            place_var=(MEASURED * units) ** 2,
            shared_var=np.zeros_like(coordinates),
            speed_var=(FIRST_SPEED * units) ** 2,
        )

    def take(self, rows: Rows | NDArray[np.bool_]) -> Motion:
        """Some of the tracks."""
        return Motion(**{name: getattr(self, name)[rows] for name in _NAMES})

    def join(self, *others: Motion) -> Motion:
        """These tracks, then the others."""
        every = (self, *others)
        return Motion(**{n: np.concatenate([getattr(motion, n) for motion in every]) for n in _NAMES})

    def after(self, seconds: Floats) -> Motion:
        """Where the tracks will be ``[T]`` seconds later."""
        time = seconds[:, None]
        drift = (SPEED_DRIFT * _units(self.place)) ** 2
        growth = self._growth(seconds)[:, None]
        excess = np.log(growth) - (1 - 1 / growth)  # of hyperbolic growth over exponential, in logarithms
        path = time * growth**_CENTRE
        return Motion(
            place=self.place + self.speed * path + excess * (1 - _CENTRE),
            speed=self.speed * growth ** (1 + _CENTRE),
            place_var=self.place_var
            + 2 * self.shared_var * time
            + self.speed_var * time**2
            + drift * time**3 / 3,
            shared_var=self.shared_var + self.speed_var * time + drift * time**2 / 2,
            speed_var=self.speed_var + drift * time,
        )

    def _growth(self, seconds: Floats) -> Floats:
        """``[T]`` by what factor objects will seem larger if they come nearer, or go, at constant speed."""
        rate, doubt = self.speed[:, 2:].mean(axis=1), self.speed_var[:, 2:].mean(axis=1) / 2
        rate = rate * rate**2 / (rate**2 + doubt)
        growth: Floats = 1 / (1 - np.clip(rate * seconds, -1.0, NEAREST))
        return growth

    def seen(self, coordinates: Floats) -> Motion:
        """The tracks once each has been measured at ``[T, 4]`` coordinates."""
        total = self.place_var + (MEASURED * _units(coordinates)) ** 2
        gain, speed_gain = self.place_var / total, self.shared_var / total
        surprise = coordinates - self.place
        return Motion(
            place=self.place + gain * surprise,
            speed=self.speed + speed_gain * surprise,
            place_var=self.place_var * (1 - gain),
            shared_var=self.shared_var * (1 - gain),
            speed_var=self.speed_var - speed_gain * self.shared_var,
        )


_NAMES = tuple(Motion.__dataclass_fields__)
_CENTRE = np.array([1, 1, 0, 0])
"""Which coordinates are of the centre."""


def coordinates(xyxy: NDArray[np.floating]) -> Floats:
    """``[B, 4]`` centre and logarithms of the sides of boxes in pixels; sides count at least one pixel."""
    boxes = np.asarray(xyxy, np.float64)
    sides = np.log(np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0))
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, sides], axis=1)


def corners(place: Floats) -> Floats:
    """``[B, 4]`` boxes in pixels from their coordinates."""
    half = np.exp(place[:, 2:]) / 2
    return np.concatenate([place[:, :2] - half, place[:, :2] + half], axis=1)


def surprise(
    predicted: Motion, measured: Floats, shake_px: Floats, track: Rows, box: Rows
) -> tuple[Floats, Floats]:
    """How badly boxes fit predicted tracks, for ``P`` pairs.

    Args:
        predicted: The tracks at the time of the measurement.
        measured: ``[M, 4]`` coordinates of the boxes.
        shake_px: ``[T]`` standard deviation of what the camera's own shaking moves the image, in pixels.
        track: ``[P]`` row of the track of each pair.
        box: ``[P]`` row of its box.

    Returns:
        ``[P]`` distance, about the square in standard deviations where it is small (four degrees of
        freedom), and ``[P]`` the logarithm of the predicted spread in sizes: of two tracks at the same
        distance, the one that was more certain of where it would be fits better.
    """
    units = _units(measured)
    noise = (MEASURED * units) ** 2
    doubt = predicted.place_var + shake_px[:, None] ** 2 * _CENTRE
    distance, volume = np.ones(len(track)), np.ones(len(track))
    for axis in range(4):  # columns: a third of the time of whole rows
        spread = doubt[:, axis][track] + noise[:, axis][box]
        miss = measured[:, axis][box] - predicted.place[:, axis][track]
        distance *= 1 + miss**2 / (TAIL * spread)
        volume *= spread / units[:, axis][box] ** 2
    return TAIL * np.log(distance), np.log(volume)


def farthest(max_cost: float) -> float:
    """Square in standard deviations at which one coordinate alone makes a distance of ``max_cost``."""
    return TAIL * float(np.expm1(max_cost / TAIL))


def _units(place: Floats) -> Floats:
    """``[T, 4]`` units of the coordinates: sizes (the mean of the two sides) for the centre, else 1."""
    size = np.exp(np.clip(place[:, 2:], 0, 12)).mean(axis=1)
    return np.column_stack([size, size, np.ones_like(size), np.ones_like(size)])

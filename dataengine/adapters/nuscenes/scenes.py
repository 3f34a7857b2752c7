"""What the tables of nuScenes describe once they are joined: scenes, their images, poses and boxes."""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dataengine.adapters.nuscenes.projection import Camera
from dataengine.adapters.rigid import Array

_RAIN = re.compile(r"\brain(ing|y|s)?\b")
_DRY_AGAIN = re.compile(r"\b(after|no|without)\s+(the\s+)?rain\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One keyframe of one camera, as ``sample_data`` lists it.

    Attributes:
        filename: Relative to the dataset's root.
        time_us: When it was taken.
        sample: Number of its sample within the scene, in order of time.
        sample_token: Names it in messages and finds its boxes.
        size: Height and width in pixels as listed.
        pose: Index into ``Tables.poses``.
        sensor: Index into ``Tables.sensors``.
    """

    filename: str
    time_us: int
    sample: int
    sample_token: str
    size: tuple[int, int]
    pose: int
    sensor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One scene: 20 seconds of one drive.

    Attributes:
        name: ``scene-0061``.
        description: In words; empty in the test set.
        location: Of its log.
        vehicle: Of its log.
        images: Channel -> keyframes.
        track: Indices into ``Tables.poses`` of one camera's images, keyframes or not, as listed.
    """

    name: str
    description: str
    location: str
    vehicle: str
    images: dict[str, list[Image]] = field(default_factory=lambda: defaultdict(list))
    track: array[int] = field(default_factory=lambda: array("q"))


@dataclass(slots=True)
class Poses:
    """Ego poses: ``[P]`` microseconds, ``[P, 3]`` metres, ``[P, 4]`` w, x, y, z; NaN where unlisted."""

    time_us: NDArray[np.int64]
    position: Array
    quaternion: Array

    def take(self, rows: NDArray[np.int64]) -> Poses:
        """Some of them."""
        return Poses(self.time_us[rows], self.position[rows], self.quaternion[rows])


@dataclass(slots=True)
class Boxes3d:
    """Annotated cuboids in the global frame, ordered by sample.

    Attributes:
        centre: ``[B, 3]`` metres.
        size: ``[B, 3]`` width, length, height in metres.
        quaternion: ``[B, 4]``.
        category: ``[B]`` index into ``Tables.categories``.
        instance: ``[B]`` int32, number of the object; an object does not continue in another scene.
        visibility: ``[B]`` 0..1, NaN where nobody rated it.
    """

    centre: Array
    size: Array
    quaternion: Array
    category: NDArray[np.int32]
    instance: NDArray[np.int32]
    visibility: NDArray[np.float32]

    def take(self, rows: NDArray[np.int64]) -> Boxes3d:
        """Some of them."""
        return Boxes3d(*(getattr(self, name)[rows] for name in self.__slots__))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A camera as it was calibrated for some scenes."""

    channel: str
    position: Array
    quaternion: Array
    intrinsic: Array


@dataclass(slots=True, kw_only=True)
class Tables:
    """One version, joined.

    Attributes:
        scenes: In the order of their names.
        sensors: Every calibrated camera.
        poses: Of the images and tracks of the scenes.
        categories: Class names.
        boxes: Of every sample, those without a lidar or radar point left out, as the benchmark does.
        rows: Sample token -> rows of ``boxes``.
        labelled: Whether the version has annotations at all; the test set has none.
        channels: Camera channels that the version lists.
    """

    scenes: list[Scene]
    sensors: list[Sensor]
    poses: Poses
    categories: tuple[str, ...]
    boxes: Boxes3d
    rows: dict[str, NDArray[np.int64]]
    labelled: bool
    channels: tuple[str, ...]

    def camera(self, image: Image) -> Camera:
        """The camera at the moment of an image; its poses may be NaN."""
        sensor = self.sensors[image.sensor]
        return Camera(
            ego_position=self.poses.position[image.pose],
            ego_quaternion=self.poses.quaternion[image.pose],
            position=sensor.position,
            quaternion=sensor.quaternion,
            intrinsic=sensor.intrinsic,
        )


def conditions(scene: Scene) -> dict[str, str]:
    """Location, and night and rain where the description names them; nothing where there is none.

    "After rain" is no rain: the air is clear, the road is wet.
    """
    found = {"location": scene.location} if scene.location else {}
    words = scene.description.lower()
    if words.strip():
        found["time_of_day"] = "night" if re.search(r"\bnight\b", words) else "day"
        found["weather"] = "rain" if _RAIN.search(_DRY_AGAIN.sub("", words)) else "dry"
    return found

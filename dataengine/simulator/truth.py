"""What a perfect annotator draws: amodal boxes with visibility, and regions that nobody should judge.

A box spans the projection of the whole object, hidden parts included, cut at the picture's edge.
Visibility is the share of the whole object that can be seen: pixels that survive occlusion / pixels
painted, times the share of the uncut box that lies inside the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataengine.simulator.batch import Batch
from dataengine.simulator.camera import NEAR_M, Camera
from dataengine.simulator.mesh import Floats

MIN_LABEL_HEIGHT = {"car": 12.0, "truck": 16.0, "pedestrian": 25.0, "cyclist": 25.0, "cone": 16.0}
"""Pixels, at an image width of 320, below which an object is an ignore region."""
DRAWN_SHARE = 0.75
"""Objects below this share of the label size are not drawn at all."""
MIN_VISIBILITY = 0.4
"""Objects of which less can be seen are ignore regions."""
MIN_CONTRAST = 0.16
"""Objects whose contrast is below this share in fog are ignore regions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The projected envelopes of all actors in one frame.

    Attributes:
        full: ``[A, 4]`` xyxy in pixels, not cut.
        distance: ``[A]`` metres to the nearest point of the envelope along the axis.
        drawn: ``[A]`` large enough to be drawn, and in front of the camera.
        large: ``[A]`` large enough to be labelled.
    """

    full: Floats
    distance: Floats
    drawn: NDArray[np.bool_]
    large: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameTruth:
    """The labels of one frame, by track.

    Attributes:
        xyxy: ``[B, 4]`` float32 pixels, inside the picture.
        actor: ``[B]`` number of the actor, which is its track.
        visibility: ``[B]`` float32 in 0..1.
        ignore: ``[B]`` bool.
    """

    xyxy: Floats
    actor: NDArray[np.int64]
    visibility: Floats
    ignore: NDArray[np.bool_]


def outline(camera: Camera, envelope: Floats, batch: Batch, min_height: Floats) -> Outline:
    """Project the envelopes of a batch.

    Args:
        camera: The camera.
        envelope: ``[E, 3]`` the batch's envelope points in camera coordinates.
        batch: The actors.
        min_height: ``[A]`` label size of each actor in pixels.
    """
    if not batch.number:
        none = np.zeros(0, np.float32)
        return Outline(full=np.zeros((0, 4), np.float32), distance=none, drawn=none > 0, large=none > 0)
    pixels, depth = camera.project(envelope)
    starts = batch.envelope_starts
    low = np.minimum.reduceat(pixels, starts)
    high = np.maximum.reduceat(pixels, starts)
    height = high[:, 1] - low[:, 1]
    ahead = np.maximum.reduceat(depth, starts) > NEAR_M
    return Outline(
        full=np.concatenate([low, high], axis=1),
        distance=np.minimum.reduceat(depth, starts),
        drawn=ahead & (height >= min_height * DRAWN_SHARE),
        large=height >= min_height,
    )


def judge(camera: Camera, outlines: Outline, pixels: NDArray[np.int64], contrast: Floats) -> FrameTruth:
    """Turn outlines and pixel counts into labels.

    Args:
        camera: The camera.
        outlines: Projected envelopes.
        pixels: ``[A, 2]`` pixels of each actor when painted, and those left at the end.
        contrast: ``[A]`` share of contrast left by the haze.
    """
    size = np.array([camera.width, camera.height, camera.width, camera.height], np.float32)
    full = outlines.full
    cut = np.clip(full, 0, size)
    area = (cut[:, 2] - cut[:, 0]) * (cut[:, 3] - cut[:, 1])
    whole = (full[:, 2] - full[:, 0]) * (full[:, 3] - full[:, 1])
    seen = pixels[:, 1] / np.maximum(pixels[:, 0], 1)
    visibility = np.clip(seen * area / np.maximum(whole, 1e-6), 0, 1).astype(np.float32)
    inside = ((cut[:, 2:] - cut[:, :2]) >= 2).all(1)
    kept = np.flatnonzero(outlines.drawn & inside & (pixels[:, 0] > 0))
    ignore = ~outlines.large | (visibility < MIN_VISIBILITY) | (contrast < MIN_CONTRAST)
    return FrameTruth(xyxy=cut[kept], actor=kept, visibility=visibility[kept], ignore=ignore[kept])

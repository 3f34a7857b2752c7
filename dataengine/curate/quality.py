"""Quality flags of frames: what a person would not want to label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.curate.timeline import Timeline

DARK, BRIGHT = 0.04, 0.96
"""Mean grey level below and above which hardly anything can be seen."""

BLUR = 0.2
"""A frame below this share of its clip's median sharpness is blurred beside its neighbours. Sharpness
depends on the camera and the scene, so it has no absolute threshold."""


def flags(timeline: Timeline) -> dict[str, NDArray[np.bool_]]:
    """Flag -> ``[F]`` which frames have it: ``dark``, ``bright``, ``blurred``, ``frozen``.

    ``frozen`` frames have the very hash of the frame before in their clip.
    """
    blurred = np.zeros(len(timeline.frame_ids), np.bool_)
    frozen = np.zeros(len(timeline.frame_ids), np.bool_)
    for frames in timeline.by_clip().values():
        sharpness = timeline.sharpness[frames]
        blurred[frames] = sharpness < BLUR * np.median(sharpness)
        frozen[frames[1:]] = timeline.phash[frames[1:]] == timeline.phash[frames[:-1]]
    return {
        "dark": timeline.brightness < DARK,
        "bright": timeline.brightness > BRIGHT,
        "blurred": blurred,
        "frozen": frozen,
    }

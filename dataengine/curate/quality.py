"""Quality flags of frames: what a person would not want to label, and why. Nothing is deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine.config import CurateConfig
from dataengine.curate.hashes import hamming
from dataengine.curate.timeline import Timeline, runs_of
from dataengine.schema import QUALITY_FLAGS

FROZEN_BITS, FROZEN_SHARPNESS, FROZEN_BRIGHTNESS = 2, 0.0005, 0.0002
"""A still that a camera repeats keeps its hash but for this many of 64 bits, which compression or lines
drawn in may move, its sharpness within this share, and its mean grey level within this. A repeated still in
real video moved by less than 0.00004 and 0.00002; of the 104 pairs of CamVid that look alike, from a car
waiting at lights, one stays within both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One kind of flaw.

    Attributes:
        name: ``dark``, ``bright``, ``blurred``, ``frozen`` or ``blocked``.
        flagged: ``[F]`` which frames have it.
        value: ``[F]`` float32, the figure that decided.
        reason: From that figure to the reason in words.
    """

    name: str
    flagged: NDArray[np.bool_]
    value: NDArray[np.float32]
    reason: Callable[[float], str]


def flags(timeline: Timeline, config: CurateConfig) -> list[Flag]:
    """Every flag, thresholds as in ``config``."""
    sharp = _beside_its_clip(timeline)
    still = _frames_in_still(timeline)
    dark, bright, blur, blocked = config.dark, config.bright, config.blur, config.blocked_share
    return [
        Flag(
            name="dark",
            flagged=timeline.brightness < dark,
            value=timeline.brightness,
            reason=lambda value: f"mean grey level {value:.3f}, below curate.dark={dark:g}",
        ),
        Flag(
            name="bright",
            flagged=timeline.brightness > bright,
            value=timeline.brightness,
            reason=lambda value: f"mean grey level {value:.3f}, above curate.bright={bright:g}",
        ),
        Flag(
            name="blurred",
            flagged=sharp < blur,
            value=sharp,
            reason=lambda value: f"{value:.0%} of its clip's median sharpness, below curate.blur={blur:.0%}",
        ),
        Flag(
            name="frozen",
            flagged=still >= config.frozen_frames,
            value=still,
            reason=lambda value: f"one of {value:.0f} frames in a row that show the same still",
        ),
        Flag(
            name="blocked",
            flagged=timeline.plain_share > blocked,
            value=timeline.plain_share,
            reason=lambda value: (
                f"{value:.0%} of its tiles show no detail, above curate.blocked_share={blocked:.0%}"
            ),
        ),
    ]


def table(timeline: Timeline, found: list[Flag]) -> pa.Table:
    """Rows of schema ``QUALITY_FLAGS``: by flag, then by frame id."""
    parts = []
    for flag in found:
        frames = np.flatnonzero(flag.flagged)
        values = flag.value[frames].astype(np.float32)
        distinct, which = np.unique(values, return_inverse=True)
        reasons = pa.array([flag.reason(float(value)) for value in distinct], pa.string())
        columns = [
            timeline.frame_ids.take(pa.array(frames)),
            pa.repeat(pa.scalar(flag.name), len(frames)),
            pa.array(values),
            reasons.take(pa.array(which)),
        ]
        parts.append(pa.Table.from_arrays(columns, schema=QUALITY_FLAGS))
    return pa.concat_tables(parts).combine_chunks()


def _beside_its_clip(timeline: Timeline) -> NDArray[np.float32]:
    """``[F]`` sharpness as a share of its clip's median.

    Sharpness depends on the camera and the scene, so a frame is compared with its neighbours alone.
    """
    order = np.lexsort((timeline.sharpness, timeline.clips))
    begins = runs_of(timeline.clips[order])
    if not len(begins):
        return np.ones(0, np.float32)
    counts = np.diff(np.append(begins, len(order)))
    ranked = timeline.sharpness[order]
    median = (ranked[begins + (counts - 1) // 2] + ranked[begins + counts // 2]) / 2
    share = np.ones(len(order), np.float32)
    own = np.repeat(median, counts)
    share[order] = np.divide(ranked, own, out=np.ones_like(ranked), where=own > 0)
    return share


def _frames_in_still(timeline: Timeline) -> NDArray[np.float32]:
    """``[F]`` length of the run of frames around each one that show the same still; 1 for a live camera."""
    order = timeline.clip_order()
    clips, hashes, sharpness = timeline.clips[order], timeline.phash[order], timeline.sharpness[order]
    if len(order) < 2:
        return np.ones(len(order), np.float32)
    same = clips[1:] == clips[:-1]
    same &= hamming(hashes[1:], hashes[:-1]) <= FROZEN_BITS
    same &= np.abs(np.diff(sharpness)) <= FROZEN_SHARPNESS * np.maximum(sharpness[1:], sharpness[:-1])
    same &= np.abs(np.diff(timeline.brightness[order])) <= FROZEN_BRIGHTNESS
    begins = np.flatnonzero(np.concatenate([[True], ~same]))
    lengths = np.diff(np.append(begins, len(order)))
    still = np.empty(len(order), np.float32)
    still[order] = np.repeat(lengths, lengths)
    return still

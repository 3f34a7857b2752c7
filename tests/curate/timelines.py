"""Timelines written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from dataengine.curate.splits import CODE
from dataengine.curate.timeline import Timeline


def timeline(
    drives: Mapping[str, Sequence[float]],
    *,
    hints: Sequence[str] = (),
    phash: Sequence[int] = (),
    sharpness: Sequence[float] = (),
    brightness: Sequence[float] = (),
    plain_share: Sequence[float] = (),
    labelled: Sequence[bool] = (),
    clips: Sequence[str] = (),
    datasets: Sequence[int] = (),
) -> Timeline:
    """Drive -> times of its frames; one clip a drive. Hashes are far apart unless given."""
    names = sorted(drives)
    own = [drive for drive, times in drives.items() for _ in times]
    number = len(own)
    clip = list(clips) or own
    clip_names = tuple(sorted(set(clip)))
    rng = np.random.default_rng(0)
    return Timeline(
        frame_ids=pa.array(
            [f"{drive}/{i:06d}" for drive, times in drives.items() for i in range(len(times))]
        ),
        clips=np.array([clip_names.index(name) for name in clip], np.int32),
        clip_names=clip_names,
        drives=np.array([names.index(name) for name in own], np.int32),
        drive_names=tuple(names),
        datasets=np.array(list(datasets) or [0] * number, np.int32),
        time_s=np.array([time for times in drives.values() for time in times], np.float64),
        hints=np.array([CODE.get(hint, -1) for hint in hints or [""] * number], np.int8),
        labelled=np.array(list(labelled) or [True] * number, np.bool_),
        phash=np.array(phash or rng.integers(0, 2**64, number, np.uint64), np.uint64),
        sharpness=np.array(sharpness or [100] * number, np.float32),
        brightness=np.array(brightness or [0.5] * number, np.float32),
        plain_share=np.array(plain_share or [0.1] * number, np.float32),
    )


def codes(*names: str) -> np.ndarray:
    """Splits by name as arrays hold them."""
    return np.array([CODE[name] for name in names], np.int8)

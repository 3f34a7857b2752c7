"""Timelines written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dataengine.curate.timeline import Timeline


def timeline(
    drives: Mapping[str, Sequence[float]],
    *,
    hints: Sequence[str] = (),
    phash: Sequence[int] = (),
    sharpness: Sequence[float] = (),
    brightness: Sequence[float] = (),
) -> Timeline:
    """Drive -> times of its frames; one clip a drive. Hashes are far apart unless given."""
    names = [drive for drive, times in drives.items() for _ in times]
    times = [time for drive in drives.values() for time in drive]
    number = len(names)
    column = np.empty(number, object)
    column[:] = names
    ids = np.empty(number, object)
    ids[:] = [f"{drive}/{index:06d}" for drive, times in drives.items() for index in range(len(times))]
    hint = np.empty(number, object)
    hint[:] = hints or [""] * number
    rng = np.random.default_rng(0)
    return Timeline(
        frame_ids=ids,
        clips=column,
        drives=column,
        time_s=np.array(times, np.float64),
        hints=hint,
        phash=np.array(phash or rng.integers(0, 2**64, number, np.uint64), np.uint64),
        sharpness=np.array(sharpness or [100] * number, np.float32),
        brightness=np.array(brightness or [0.5] * number, np.float32),
    )

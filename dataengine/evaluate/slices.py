"""The named parts of a split: conditions and drives by frame, sizes by box, the declared tail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine.schema import Taxonomy

MAX_VALUES = 40
"""Most drives, and most values of one condition, that become slices: those with the most frames."""


def condition_slices(frames: pa.Table, taxonomy: Taxonomy) -> dict[str, NDArray[np.bool_]]:
    """``time_of_day:night`` and so on -> ``[F]`` bool, which frames belong.

    Every value that occurs is a slice, and so is every one that the card declares rare, even where
    no frame has it: a tail that was not tested should be seen not to have been.
    """
    rows = [dict(pairs or ()) for pairs in frames["conditions"].to_pylist()]
    found: dict[str, NDArray[np.bool_]] = {}
    for name in sorted({key for row in rows for key in row} | set(taxonomy.tail_conditions)):
        values = np.array([row.get(name) or "" for row in rows], object)
        declared = taxonomy.tail_conditions.get(name, ())
        for value in sorted({*_commonest(values), *declared}):
            found[f"{name}:{value}"] = np.asarray(values == value, np.bool_).reshape(len(rows))
    return found


def tail_condition_names(taxonomy: Taxonomy) -> set[str]:
    """The slices of ``condition_slices`` that the card declares rare."""
    return {f"{name}:{value}" for name, values in taxonomy.tail_conditions.items() for value in values}


def drive_slices(frames: pa.Table) -> tuple[list[str], NDArray[np.int64]]:
    """The drives that become slices, and the drive of each frame by number.

    Returns:
        At most ``MAX_VALUES`` drive ids, by id; and ``[F]`` int64 drive numbers, of which
        ``0 .. len(ids) - 1`` are those ids in order.
    """
    drives = np.array(frames["drive_id"].to_pylist(), object)
    shown = _commonest(drives)
    rest = sorted(set(drives.tolist()) - set(shown))
    place = {drive: number for number, drive in enumerate([*shown, *rest])}
    return shown, np.array([place[drive] for drive in drives], np.int64)


def _commonest(values: NDArray[np.object_]) -> list[str]:
    counts: Mapping[str, int] = Counter(value for value in values.tolist() if value)
    return sorted(sorted(counts, key=lambda value: (-counts[value], value))[:MAX_VALUES])

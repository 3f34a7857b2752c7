"""Draw whole drives into val and test so that conditions and classes are shared out evenly."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from dataengine.curate.contents import Contents
from dataengine.schema import POOL

_OVERFULL, _TOO_EMPTY = 1.5, 0.5
"""A split made of whole drives holds between these parts of its share; else drives are cut in time. A
condition or class outside them counts as unbalanced, too."""
_LOOK_AHEAD = 128
"""Drives weighed against each other for one place: keeps the draw linear in the number of drives."""


_MANY = 200_000
"""Above so many drives, frames without a drive as a rule, they are not weighed: it would take half a
minute, and chance shares out all but the rarest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A draw.

    Attributes:
        splits: Split of each drive, in the order of their names.
        unbalanced: What could not be shared out evenly, in words.
    """

    splits: tuple[str, ...]
    unbalanced: tuple[str, ...]


def draw_drives(
    names: Sequence[str],
    sizes: NDArray[np.integer],
    shares: Mapping[str, float],
    contents: Contents | None = None,
) -> Drawn | None:
    """Give whole drives to splits; the same drives always give the same draw.

    Drives stand in an order that depends on their names alone. Without ``contents`` each split takes the
    next that fits. With them it takes, of the next few hundred that fit, the one that brings what it holds
    of frames, conditions and classes nearest to its share of each (iterative stratification, after
    Sechidis 2011, for groups).

    Args:
        names: The drives.
        sizes: ``[D]`` frames of each.
        shares: Split -> share of all frames, filled in this order; the pool gets the other drives.
        contents: What the drives hold.

    Returns:
        ``None`` where whole drives cannot come near the shares.
    """
    total = int(sizes.sum())
    order = sorted(range(len(names)), key=lambda drive: hashlib.sha256(names[drive].encode()).digest())
    holds = _normalised(sizes, contents)
    splits = np.full(len(names), POOL, object)
    weighed = contents is not None and len(names) <= _MANY
    for split, share in shares.items():
        free = [drive for drive in order if splits[drive] == POOL and sizes[drive]]
        chosen = _filled(free, sizes, holds, share * total, share, weighed=weighed)
        splits[chosen] = split
        if sizes[chosen].sum() < share * total * _TOO_EMPTY:
            return None
    if not (splits[sizes > 0] == POOL).any():
        return None
    drawn = tuple(splits.tolist())
    return Drawn(splits=drawn, unbalanced=_unbalanced(drawn, holds, shares, contents))


def _filled(
    free: list[int],
    sizes: NDArray[np.integer],
    holds: NDArray[np.float64],
    target: float,
    share: float,
    *,
    weighed: bool,
) -> list[int]:
    """Drives for one split of ``target`` frames, in the order in which they are taken."""
    chosen: list[int] = []
    ahead: list[int] = []
    held, sums, coming = 0, np.zeros(holds.shape[1]), iter(free)
    frames, window = sizes.tolist(), _LOOK_AHEAD if weighed else 1
    while held < target:
        room = target * _OVERFULL - held
        ahead = [drive for drive in ahead if frames[drive] <= room]  # what is too large now stays so
        ahead += islice((d for d in coming if frames[d] <= room), window - len(ahead))
        if not ahead:
            break
        place = 0
        if weighed:
            away = ((sums + holds[ahead] - share) ** 2).sum(1)
            place = int(np.argmin(np.round(away, 12)))  # the first of equals, whatever the rounding
        drive = ahead.pop(place)
        chosen.append(drive)
        held, sums = held + frames[drive], sums + holds[drive]
    return chosen


def _normalised(sizes: NDArray[np.integer], contents: Contents | None) -> NDArray[np.float64]:
    """``[D, 1 + K]`` shares of all frames, and of each kind of content, that each drive holds."""
    columns = [sizes[:, None].astype(np.float64)]
    if contents is not None:
        columns.append(contents.amounts)
    amounts = np.concatenate(columns, axis=1)
    totals = amounts.sum(0)
    return amounts / np.where(totals > 0, totals, 1)


def _unbalanced(
    splits: tuple[str, ...],
    holds: NDArray[np.float64],
    shares: Mapping[str, float],
    contents: Contents | None,
) -> tuple[str, ...]:
    if contents is None:
        return ()
    found = []
    of_drive = np.array(splits, object)
    for split, share in shares.items():
        held = holds[of_drive == split].sum(0)[1:]
        for number, name in enumerate(contents.names):
            if contents.amounts[:, number].any() and not _TOO_EMPTY * share <= held[number] <= 2 * share:
                drives = int((contents.amounts[:, number] > 0).sum())
                found.append(f"{split} holds {held[number]:.0%} of {name} for {share:.0%} ({drives} drives)")
    return tuple(found)

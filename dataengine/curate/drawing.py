"""Draw whole drives into val and test so that conditions and classes are shared out evenly."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataengine.curate.contents import Contents
from dataengine.schema import POOL

_OVERFULL, _TOO_EMPTY = 1.5, 0.5
"""A split made of whole drives holds between these parts of its share; else drives are cut in time. A
condition or class outside them counts as unbalanced, too."""
_LOOK_AHEAD = 256
"""Drives weighed against each other for one place: keeps the draw linear in the number of drives."""


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
    free = np.array(order, np.int64)
    for split, share in shares.items():
        target, held, sums = share * total, 0, np.zeros(holds.shape[1])
        while held < target:
            fits = np.flatnonzero((held + sizes[free] <= target * _OVERFULL) & (sizes[free] > 0))[
                :_LOOK_AHEAD
            ]
            if not len(fits):
                break
            place = fits[0]
            if contents is not None:
                away = ((sums + holds[free[fits]] - share) ** 2).sum(1)
                place = fits[np.argmin(np.round(away, 9))]  # the first of equals, whatever the rounding
            drive = free[place]
            splits[drive] = split
            held, sums = held + int(sizes[drive]), sums + holds[drive]
            free = np.delete(free, place)
        if held < target * _TOO_EMPTY:
            return None
    if not (splits[sizes > 0] == POOL).any():
        return None
    chosen = tuple(splits.tolist())
    return Drawn(splits=chosen, unbalanced=_unbalanced(chosen, holds, shares, contents))


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

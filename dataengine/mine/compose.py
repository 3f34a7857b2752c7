"""Score x diversity x budget x quota: any way to value frames with any way to keep them apart.

The frames of a group (a quota's, or the group of everything) are weighted by how much the score wants
them, 0..1, times how surely they belong to the group. The best of them, ``SHORTLIST`` for each frame wanted,
are its shortlist. Groups take turns, the one furthest behind its share first; a turn takes the frame of the
group's shortlist with the highest weight x gain, the gain being what diversity says it adds to what is
labelled or picked; diversities that draw take it with a chance in proportion. All limits of a basket apply.

The score is scaled to 0..1 from the lowest value in the pool to the highest, which keeps the ratios of the
published product of score and distance for scores that begin at 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.basket import Basket
from dataengine.mine.diversity.chooser import Chooser, Diversity
from dataengine.mine.diversity.draw import draw
from dataengine.mine.quotas import Group, everything, groups
from dataengine.mine.strategy import Arm, Need, Score, Task

SHORTLIST = 4
"""Frames on the shortlist of a group for each that it may take: 4B, as PPAL (arXiv 2211.11612)."""

LEVEL = 1e-6
"""Products closer than this share of the highest are equal; the tie goes to the first frame id."""

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Share:
    """A group's shortlist, with a weight in 0..1; where nothing ranks it, its frames are drawn."""

    group: Group
    numbers: Numbers
    weight: Array
    ranked: bool


def _summary(score: Score | None, diversity: Diversity, quota: str) -> str:
    parts = [f"by {score.name}"] if score else []
    parts += [f"kept apart by {diversity.name}"] if diversity.name != "none" else []
    parts += [f"under a quota by {quota}"] if quota != "none" else []
    return f"frames {', '.join(parts) or 'in no order'}"


def composed(score: Score | None, diversity: Diversity, quota: str, name: str) -> Arm:
    """The arm of a score, a diversity and a quota.

    Args:
        score: How frames are valued; ``None`` values all alike.
        diversity: How picks are kept apart.
        quota: ``none``, ``class`` or ``condition``.
        name: Of the arm.
    """
    needs = diversity.needs | (score.needs if score else frozenset())
    if quota == "class":
        needs |= {Need.predictions}
    sources = [part.source for part in (score, diversity) if part is not None and part.source]

    def fill(task: Task, basket: Basket) -> None:
        fill_composed(replace(task, config=replace(task.config, quota=quota)), basket, score, diversity)

    return Arm(
        name=name,
        summary=_summary(score, diversity, quota),
        fill=fill,
        needs=needs,
        source="; ".join(sources),
    )


def fill_composed(task: Task, basket: Basket, score: Score | None, diversity: Diversity) -> None:
    """Under the quota first; where its groups run out of frames, the rest without one."""
    scores = score.compute(task) if score else None
    worth = scaled(scores.values) if scores else np.ones(len(task.candidates))
    turns = groups(task)
    while not basket.exhausted:
        shares = [_shortlist(group, worth, basket, scored=score is not None) for group in turns]
        listed = np.unique(np.concatenate([share.numbers for share in shares]))
        chooser = diversity.start(task, listed, tuple(basket.picks), basket.room)
        for share in _in_turn(shares, basket):
            drawn = (diversity.draws and basket.picks) or not (share.ranked or diversity.needs)
            number, value = _choose(share, chooser, basket, task.rng if drawn else None)
            trigger = share.group.name or (score.name if score else diversity.name)
            words = [scores.reason(number)] if scores else []
            words += [chooser.words(number), *([f"quota of {share.group.name}"] if share.group.name else [])]
            basket.add(number, value, trigger, "; ".join(filter(None, words)) or "all are alike")
            chooser.add(number)
        turns = [everything(task.candidates)]


def scaled(values: Array) -> Array:
    """``[N]`` 0..1, from the lowest value that means anything to the highest; all 1 where all are one."""
    meant = values > -1e299
    if not meant.any():
        return np.ones(len(values))
    low, high = float(values[meant].min()), float(values[meant].max())
    if low == high:
        return meant.astype(np.float64)
    return np.where(meant, (values - low) / (high - low), 0.0)


def _shortlist(group: Group, worth: Array, basket: Basket, *, scored: bool) -> _Share:
    """The best frames of a group that may still join; all of them where nothing ranks it."""
    open_ = basket.eligible[group.numbers]
    numbers, belongs = group.numbers[open_], group.weight[open_]
    weight = worth[numbers] * belongs
    ranked = scored or group.graded
    if ranked:
        most = SHORTLIST * max(1, round(group.share * basket.room))
        best = np.sort(np.lexsort((-belongs, -weight))[:most])
        numbers, weight = numbers[best], weight[best]
    return _Share(group, numbers, weight, ranked)


def _in_turn(shares: list[_Share], basket: Basket) -> Iterator[_Share]:
    """The group furthest behind its share, again and again; one without frames leaves its turns to others."""
    wanted = np.array([share.group.share for share in shares])
    taken = np.zeros(len(shares))
    turn = 0
    while not basket.exhausted:
        turn += 1
        behind = np.where(wanted > 0, wanted * turn - taken, -np.inf)
        for place in np.argsort(-behind, kind="stable"):
            if behind[place] > -np.inf and basket.eligible[shares[place].numbers].any():
                taken[place] += 1
                yield shares[place]
                break
        else:
            return


def _choose(
    share: _Share, chooser: Chooser, basket: Basket, rng: np.random.Generator | None
) -> tuple[int, float]:
    """The open frame of the highest weight x gain, and that; with ``rng`` one drawn in proportion to it."""
    open_ = basket.eligible[share.numbers]
    numbers, weight = share.numbers[open_], share.weight[open_]
    product = weight * chooser.gains(numbers)
    if not product.max() > 0:  # nothing adds anything: what is wanted most
        product = weight
    if rng is not None and product.max() > 0:
        at = draw(product, rng)
    else:
        at = int(np.argmax(product >= product.max() * (1 - LEVEL)))
    return int(numbers[at]), float(product[at])

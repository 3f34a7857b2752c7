"""What to pay for next: each piece of advice comes from a measured sign and says its figure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dataengine.forecast.law import Forecast

STILL_FALLING = 0.08
"""A loss that fell by more than this share over the last tenth of the steps has not settled. The cosine of
the learning rate alone makes it fall: six fits of 1,000 steps fell by 0.04 to 0.05."""

ENOUGH = 0.9
"""AP50 on the labelled frames from which a model knows what it was shown."""

CLOSE, FAR = 0.10, 0.25
"""Gap in AP50 between labelled frames and val: below the first there is little to generalise, above the
second more labels are what is missing."""

MORE_REDUNDANT = 1.5
"""Picks are running dry where they are nearer to what is labelled than the first batch's by this factor."""

FEW_LEFT = 0.5
"""A rare class is nearly exhausted where the pool holds fewer predicted boxes of it than this share of the
labelled ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What was measured after a cycle; NaN or empty where it was not.

    Attributes:
        loss_fall: Share by which the mean training loss of the last tenth of the steps is below that of the
            tenth before it.
        labelled_ap: AP50 over all classes on the frames the model was trained on.
        val_ap: AP50 over all classes on val.
        nearest: Mean embedding distance of the latest batch to the frames labelled before it.
        first_nearest: The same of the first bought batch, on the same model's embeddings.
        rare_left: Rare class -> boxes predicted in what the pool still holds, and boxes labelled so far.
    """

    loss_fall: float = math.nan
    labelled_ap: float = math.nan
    val_ap: float = math.nan
    nearest: float = math.nan
    first_nearest: float = math.nan
    rare_left: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Advice:
    """One piece of advice.

    Attributes:
        kind: ``labels``, ``stop``, ``steps``, ``model`` or ``drives``.
        words: A sentence with the figure it rests on.
    """

    kind: str
    words: str


def advice(gains: Mapping[str, tuple[Forecast, float]], signs: Signs) -> list[Advice]:
    """What to pay for next, the labels' own worth first.

    Args:
        gains: Name of a figure -> its forecast, and the smallest gain that counts (the noise of one fit).
        signs: What else was measured.

    Returns:
        At most one piece for each sign; empty where nothing was measured.
    """
    return [*_labels(gains), *_fit(signs), *_drives(signs)]


def _labels(gains: Mapping[str, tuple[Forecast, float]]) -> Sequence[Advice]:
    known = {name: pair for name, pair in gains.items() if pair[0].is_known}
    if not known:
        return []
    if all(made.gain_upper < least for made, least in known.values()):
        figures = ", ".join(
            f"{name} by {made.gain_upper:.2f} at most, with {least:.2f} of noise"
            for name, (made, least) in known.items()
        )
        words = f"Labelling by batches of this size has stopped paying: the next one should raise {figures}."
        return [Advice("stop", words)]
    name, (made, _) = max(known.items(), key=lambda item: item[1][0].chance_of_gain)
    chance = made.chance_of_gain
    if chance >= 0.5:
        words = f"The next batch should pay: {name} rises by more than noise with a chance of {chance:.0%}."
        return [Advice("labels", words)]
    words = (
        f"The next batch is no safe buy: no figure is likely to rise by more than noise, {name} first with "
        f"a chance of {chance:.0%}."
    )
    return [Advice("labels", words)]


def _fit(signs: Signs) -> Sequence[Advice]:
    """A longer fit, a bigger model or more labels, by the loss and by what val lacks."""
    found = []
    if signs.loss_fall > STILL_FALLING:
        words = (
            f"Train longer: over the last tenth of the steps the loss still fell by {signs.loss_fall:.0%}."
        )
        found.append(Advice("steps", words))
    gap = signs.labelled_ap - signs.val_ap
    figures = f"AP50 is {signs.labelled_ap:.2f} on the labelled frames and {signs.val_ap:.2f} on val"
    if gap < CLOSE and signs.labelled_ap < ENOUGH:
        words = (
            f"A bigger model or a longer fit may buy more than labels: {figures}, so it has not learned even "
            "what it was shown."
        )
        found.append(Advice("model", words))
    elif gap > FAR:
        found.append(Advice("labels", f"More labels, or more drives, should help: {figures}."))
    return found


def _drives(signs: Signs) -> Sequence[Advice]:
    if signs.nearest * MORE_REDUNDANT < signs.first_nearest:
        words = (
            f"Record more drives: picks are getting alike, {signs.nearest:.3f} from the nearest labelled "
            f"frame where the first batch was {signs.first_nearest:.3f}."
        )
        return [Advice("drives", words)]
    dry = [
        f"{name} ({left:.0f} predicted boxes left, {labelled:.0f} labelled)"
        for name, (left, labelled) in signs.rare_left.items()
        if left < FEW_LEFT * labelled
    ]
    if dry:
        return [Advice("drives", f"Record more drives: the pool is nearly out of {', '.join(dry)}.")]
    return []

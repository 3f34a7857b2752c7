"""As many frames of a rare condition as of a common one: quotas over night, fog, or how frames look.

Every group of frames has a share in proportion to ``count ** -mine.quota_power``, counted in the pool and the
labelled set together. The group that is furthest behind its share of everything labelled or picked takes the
next turn, so what is labelled already counts; within a group frames are drawn at random, a fair sample of the
condition.

* ``condition_balanced``: groups are the values of ``mine.conditions`` where frames are tagged with them
  (by the clock or a weather service, before anybody labels), one set of groups for each condition, taking
  turns. Without such tags it is ``look_balanced``.
* ``look_balanced``: groups are clusters (k-means) of brightness, sharpness, plain share and embedding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataengine.mine.basket import Basket
from dataengine.mine.candidates import Candidates
from dataengine.mine.class_balanced import quotas
from dataengine.mine.diversity.clusters import k_means
from dataengine.mine.errors_model.projection import Projection
from dataengine.mine.errors_model.regression import Scaler
from dataengine.mine.strategy import Arm, Need, Task

LOOKS = 8
"""Clusters of how frames look."""

DIRECTIONS = 4
"""Principal components of the embedding that count beside brightness, sharpness and plain share."""

FAR = 0.75
"""Spreads from the mean of all frames beyond which a cluster is called dark, bright, soft or sharp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """One way to divide frames, each in one group or (-1) in none.

    Attributes:
        names: ``[G]`` of the groups.
        pool: ``[N]`` group of each candidate.
        labelled: ``[L]`` group of each labelled frame.
    """

    names: tuple[str, ...]
    pool: NDArray[np.int64]
    labelled: NDArray[np.int64]

    def counts(self) -> NDArray[np.int64]:
        """``[G]`` frames of each group, labelled or not."""
        every = np.concatenate([self.pool, self.labelled])
        return np.bincount(every[every >= 0], minlength=len(self.names))


def by_tags(candidates: Candidates, wanted: list[str]) -> list[Conditions]:
    """One division for each condition that at least two groups of frames are tagged with."""
    found = []
    tables = [candidates.frames, *([candidates.labelled.frames] if candidates.labelled else [])]
    if not all("conditions" in table.column_names for table in tables):
        return []
    frames = [table["conditions"].combine_chunks() for table in tables]
    for name in wanted:
        values = [pc.fill_null(pc.map_lookup(part, name, "first"), "") for part in frames]
        coded = pa.concat_arrays([pc.cast(part, pa.string()) for part in values]).dictionary_encode()
        words = np.array(coded.dictionary.to_pylist(), object)
        order = np.argsort(words.astype(str), kind="stable")
        place = np.empty(len(words), np.int64)
        place[order] = np.arange(len(words))
        place = np.where(words == "", -1, place - int("" in words.tolist()))
        number = place[coded.indices.to_numpy(zero_copy_only=False)] if len(coded) else np.zeros(0, np.int64)
        names = tuple(f"{name}:{word}" for word in words[order] if word)
        if len(names) > 1:
            found.append(
                Conditions(names=names, pool=number[: len(candidates)], labelled=number[len(candidates) :])
            )
    return found


def by_look(candidates: Candidates, rng: np.random.Generator) -> Conditions:
    """Clusters of how frames look, named in words."""
    tables, embeddings = [candidates.frames], [candidates.predictions.embeddings]
    if candidates.labelled is not None:
        tables.append(candidates.labelled.frames)
        embeddings.append(candidates.labelled.predictions.embeddings)
    light = np.concatenate([_light(table) for table in tables])
    scaled = Scaler.of(light)(light)
    vectors = np.concatenate(embeddings)
    look = Projection.of(vectors, DIRECTIONS)(vectors)
    # four directions together weigh as much as one figure of the light
    rows = np.column_stack([scaled, look / max(1, look.shape[1]) ** 0.5]).astype(np.float32)
    cluster = k_means(rows, LOOKS, rng) if len(rows) > LOOKS else np.zeros(len(rows), np.int64)
    number = np.unique(cluster, return_inverse=True)[1].reshape(-1).astype(np.int64)
    names = tuple(
        _described(scaled[number == group].mean(axis=0), group) for group in range(number.max(initial=-1) + 1)
    )
    return Conditions(names=names, pool=number[: len(candidates)], labelled=number[len(candidates) :])


def _light(frames: pa.Table) -> NDArray[np.float64]:
    """``[F, 3]`` brightness, logarithm of sharpness, plain share; NaN where unknown."""
    columns = []
    for name in ("brightness", "sharpness", "plain_share"):
        if name not in frames.column_names:
            columns.append(np.full(frames.num_rows, np.nan))
            continue
        values = frames[name].cast(pa.float64()).combine_chunks().fill_null(np.nan)
        columns.append(np.asarray(values.to_numpy(zero_copy_only=False), np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        columns[1] = np.log1p(columns[1])
    return np.column_stack(columns)


def _described(centre: NDArray[np.float64], group: int) -> str:
    words = []
    for value, low, high in zip(centre, ("dark", "soft", "full"), ("bright", "sharp", "plain"), strict=True):
        if abs(value) > FAR:
            words.append(high if value > 0 else low)
    return f"look:{'-'.join(words) or 'ordinary'}-{group + 1}"


def fill_conditions(task: Task, basket: Basket, divisions: list[Conditions]) -> None:
    """The group furthest behind, again and again; divisions take turns; ties by order of the groups."""
    order = task.rng.permutation(len(task.candidates))
    queues = [
        [order[division.pool[order] == group] for group in range(len(division.names))]
        for division in divisions
    ]
    places = [np.zeros(len(division.names), np.int64) for division in divisions]
    shares = [quotas(division.counts().astype(float), task.config.quota_power) for division in divisions]
    held = [np.bincount(d.labelled[d.labelled >= 0], minlength=len(d.names)) for d in divisions]
    for count, division in zip(held, divisions, strict=True):
        np.add.at(count, [group for group in division.pool[basket.picks] if group >= 0], 1)
    turn = 0
    idle = 0
    while not basket.exhausted and idle < len(divisions):
        which = turn % len(divisions)
        turn += 1
        number, group = _next(queues[which], places[which], shares[which], held[which], basket.eligible)
        idle = idle + 1 if number < 0 else 0
        if number < 0:
            continue
        division = divisions[which]
        reason = (
            f"{division.names[group]}: {held[which][group]} of {held[which].sum()} labelled or picked, "
            f"wanted {shares[which][group]:.0%}"
        )
        basket.add(number, 0.0, division.names[group], reason)
        for count, other in zip(held, divisions, strict=True):
            if other.pool[number] >= 0:
                count[other.pool[number]] += 1
    for number in order.tolist():  # frames without any tag
        if basket.exhausted:
            return
        if basket.eligible[number]:
            basket.add(number, 0.0, "condition", "no condition is known of it; the others ran out")


def _next(
    queues: list[NDArray[np.int64]],
    places: NDArray[np.int64],
    shares: NDArray[np.float64],
    held: NDArray[np.int64],
    eligible: NDArray[np.bool_],
) -> tuple[int, int]:
    """The next frame of the group furthest behind its share, and that group; -1 where all ran out."""
    behind = shares * (held.sum() + 1) - held
    for group in np.argsort(-behind, kind="stable").tolist():
        queue = queues[group]
        while places[group] < len(queue) and not eligible[queue[places[group]]]:
            places[group] += 1
        if places[group] < len(queue):
            return int(queue[places[group]]), group
    return -1, -1


def fill_condition_balanced(task: Task, basket: Basket) -> None:
    """By tags, or by looks where there are none."""
    divisions = by_tags(task.candidates, task.config.conditions)
    fill_conditions(task, basket, divisions or [by_look(task.candidates, task.rng)])


def fill_look_balanced(task: Task, basket: Basket) -> None:
    """By looks."""
    fill_conditions(task, basket, [by_look(task.candidates, task.rng)])


CONDITION_BALANCED = Arm(
    name="condition_balanced",
    summary="frames of rare conditions as often as of common ones, by their tags or their looks",
    fill=fill_condition_balanced,
    needs=frozenset({Need.predictions, Need.labelled}),
    source="own",
)

LOOK_BALANCED = Arm(
    name="look_balanced",
    summary="frames of rare looks as often as of common ones, whatever they are tagged with",
    fill=fill_look_balanced,
    needs=frozenset({Need.predictions, Need.labelled}),
    source="own",
)

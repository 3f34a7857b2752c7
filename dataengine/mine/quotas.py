"""Groups of frames that share out a batch: what is rare gets more than its share of the pool."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataengine.mine.candidates import Candidates
from dataengine.mine.class_balanced import class_scores, quotas
from dataengine.mine.strategy import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Frames that have something in common. A frame may be in several groups, or in none.

    Attributes:
        name: As in the trigger: ``class:cyclist``, ``weather:fog``; empty for the group of everything.
        share: Of the batch, 0..1.
        numbers: ``[M]`` candidates, rising.
        weight: ``[M]`` 0..1: how surely each belongs.
        graded: Whether some belong more surely than others.
    """

    name: str
    share: float
    numbers: NDArray[np.int64]
    weight: NDArray[np.float64]
    graded: bool = False


def everything(candidates: Candidates, share: float = 1.0) -> Group:
    """All frames."""
    total = len(candidates)
    return Group(name="", share=share, numbers=np.arange(total), weight=np.ones(total))


def groups(task: Task) -> list[Group]:
    """The groups of ``mine.quota``; together ``mine.quota_share`` of the batch, the rest is open to all."""
    config, candidates = task.config, task.candidates
    found = []
    if config.quota == "class":
        found = class_groups(candidates, config.min_score, config.quota_power)
    elif config.quota == "condition":
        found = condition_groups(candidates, config.conditions, config.quota_power)
    if not found:
        return [everything(candidates)]
    scaled = [replace(group, share=group.share * config.quota_share) for group in found]
    return [*scaled, everything(candidates, 1 - config.quota_share)]


def class_groups(candidates: Candidates, min_score: float, power: float) -> list[Group]:
    """Frames predicted to show a class, weighted by the highest score of the class in the frame."""
    scores = class_scores(candidates, min_score)
    shares = quotas(scores.expected, power)
    found = []
    for kind, name in enumerate(candidates.classes):
        numbers = np.flatnonzero(scores.frame[:, kind] > 0)
        if len(numbers):
            weight = scores.frame[numbers, kind].astype(np.float64)
            found.append(
                Group(
                    name=f"class:{name}",
                    share=float(shares[kind]),
                    numbers=numbers,
                    weight=weight,
                    graded=True,
                )
            )
    return found


def condition_groups(candidates: Candidates, names: list[str], power: float) -> list[Group]:
    """Frames recorded under a condition. Without any such tag there are no groups."""
    tags = pa.array(candidates.frames["conditions"].combine_chunks())
    length = pc.fill_null(pc.list_value_length(tags.cast(_PAIRS)), 0).to_numpy(zero_copy_only=False)
    frame = np.repeat(np.arange(len(tags)), length)
    pairs = pc.list_flatten(tags.cast(_PAIRS))
    key, value = pc.struct_field(pairs, "key"), pc.struct_field(pairs, "value")
    asked = pc.is_in(key, pa.array(names, pa.string())).to_numpy(zero_copy_only=False)
    words = pc.binary_join_element_wise(key, pc.fill_null(value, ""), ":").filter(pa.array(asked))
    coded = words.dictionary_encode()
    code, frame = coded.indices.to_numpy(zero_copy_only=False), frame[asked]
    kinds = coded.dictionary.to_pylist()
    shares = quotas(np.bincount(code, minlength=len(kinds)).astype(np.float64), power)
    return [
        Group(
            name=kinds[kind],
            share=float(shares[kind]),
            numbers=frame[code == kind],
            weight=np.ones(int(np.count_nonzero(code == kind))),
        )
        for kind in np.argsort(kinds)
    ]


_PAIRS = pa.list_(pa.struct([pa.field("key", pa.string(), nullable=False), pa.field("value", pa.string())]))

"""Frames, and objects, of which little like them is labelled.

Rare, not difficult, as Waymo's rare example mining (Jiang 2022, arXiv 2210.08375), with the distance to the
nearest labelled neighbours in the place of a normalising flow: where few neighbours are, the density is low.
Distances are Euclidean between network features brought to a spread of 1 in each direction, and are told as
multiples of the usual one: the median distance of what is labelled to what is labelled elsewhere.

* ``rare_objects``: the highest over the boxes of a frame of distance to labelled objects of the same class
  times chance. **Rare and plausible**: boxes with a chance below ``PLAUSIBLE`` do not count, as garbage is
  rare as well. Without box features it is ``rare_frames``.
* ``rare_frames``: distance of the frame's embedding to those of labelled frames.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.candidates import Candidates
from dataengine.mine.errors_model.calibration import calibration
from dataengine.mine.errors_model.neighbours import mean_distance, usual_distance
from dataengine.mine.errors_model.outcomes import group_of, outcomes
from dataengine.mine.errors_model.projection import Projection
from dataengine.mine.errors_model.said import Said
from dataengine.mine.strategy import FrameScores, Need, Score, Task

PLAUSIBLE = 0.3
"""Chance from which a box is taken for an object at all."""

NEAREST = 5
"""Labelled neighbours that a distance is the mean of."""

DIRECTIONS = 16
"""Principal components that distances are measured in: in more, all distances are alike."""

UNLIKE_ALL = 10.0
"""Multiple of the usual distance beyond which nothing is told apart: also that to nothing at all."""


def rare_frames(task: Task) -> FrameScores:
    """Distance of every candidate's embedding to the labelled ones, in usual distances."""
    candidates = task.candidates
    projection = Projection.of(candidates.predictions.embeddings, DIRECTIONS)
    labelled = projection(candidates.labelled_embeddings)
    distance = mean_distance(projection(candidates.predictions.embeddings), labelled, NEAREST)
    group = np.arange(len(labelled))
    known = candidates.labelled
    if known is not None and known.frames.num_rows == len(labelled):
        group = group_of(known.frames)
    values = in_usual(distance, usual_distance(labelled, group, NEAREST))

    def reason(number: int) -> str:
        return f"{values[number]:.2f} times as far from labelled frames as they are from one another"

    return FrameScores(values=values, reason=reason)


def in_usual(distance: NDArray[np.float64], usual: float) -> NDArray[np.float64]:
    """Distances as multiples of the usual one, 0 to ``UNLIKE_ALL``; as they are where none is usual."""
    unit = usual if np.isfinite(usual) and usual > 1e-6 else 1.0
    answer: NDArray[np.float64] = np.minimum(np.nan_to_num(distance / unit, posinf=np.inf), UNLIKE_ALL)
    return answer


def rare_objects(task: Task) -> FrameScores:
    """The rarest plausible object of every candidate: its distance in usual ones, times its chance."""
    candidates = task.candidates
    if not candidates.predictions.features.shape[1] or candidates.labelled is None:
        return rare_frames(task)
    said = Said.of_pool(candidates, task.config.min_score)
    chance = calibration(candidates)(said.scores, said.own)[np.arange(len(said.own)), said.own]
    plausible = np.flatnonzero(chance >= PLAUSIBLE)
    distance = _object_distances(candidates, said, plausible)
    worth = distance * chance[plausible]
    values = np.zeros(len(candidates))
    np.maximum.at(values, said.frame[plausible], worth)
    order = np.lexsort((worth, said.frame[plausible]))
    best = np.full(len(candidates), -1)
    best[said.frame[plausible][order]] = order  # the last of a frame, its highest, stays

    def reason(number: int) -> str:
        if best[number] < 0:
            return "no plausible object in it; frames with rarer ones ran out"
        box = plausible[best[number]]
        name = candidates.classes[said.own[box]]
        return (
            f"a {name} (chance {chance[box]:.2f}) {distance[best[number]]:.1f} times as far from "
            "labelled ones as they are from each other"
        )

    return FrameScores(values=values, reason=reason)


def _object_distances(candidates: Candidates, said: Said, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """``[R]`` distance of boxes to labelled objects of their class, of any class where it has too few."""
    assert candidates.labelled is not None
    known = Said.of_known(candidates.labelled, 0.0)
    real = outcomes(candidates.labelled).is_object[known.rows, known.own]
    kind, group = known.own[real], group_of(candidates.labelled.frames)[known.frame[real]]
    features = said.predictions.features[said.rows[rows]]
    projection = Projection.of(features, DIRECTIONS)
    reference = projection(known.predictions.features[known.rows[real]])
    found, own = projection(features), said.own[rows]
    distance = np.zeros(len(rows))
    for number in range(len(candidates.classes)):
        mine, same = own == number, kind == number
        distance[mine] = mean_distance(
            found[mine], reference[same] if same.sum() >= NEAREST else reference, NEAREST
        )
    return in_usual(distance, usual_distance(reference, group, NEAREST))


RARE_FRAMES = Score(
    name="rare_frames",
    summary="frames of which the fewest like them are labelled",
    span="0 (one just like it is labelled) to 10; 1 is the usual distance between labelled frames",
    needs=frozenset({Need.predictions, Need.labelled}),
    source="after arXiv 2210.08375, nearest neighbours instead of a flow",
    compute=rare_frames,
)

RARE_OBJECTS = Score(
    name="rare_objects",
    summary="frames with a plausible object of which the fewest like it are labelled",
    span="0 (nothing plausible in it) to 10; 1 is a certain object as far as labelled ones from each other",
    needs=frozenset({Need.predictions, Need.labelled, Need.val}),
    source="after arXiv 2210.08375, nearest neighbours instead of a flow",
    compute=rare_objects,
)

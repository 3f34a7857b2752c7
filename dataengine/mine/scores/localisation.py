"""Frames on whose boxes the model cannot settle where they end.

A detector without a variance of its own still tells how sure it is of a place: by how far a box moves when
the image is mirrored, or shown smaller. A box's spread is the mean of ``1 - IoU`` with its counterparts,
and a frame's is the mean of its boxes weighted by their scores, after the localisation stability of Kao
2018 (arXiv 1801.05124), who disturbed images with noise. Boxes that a view does not show at all are
another matter (see ``consistency``) and left out here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.scores.pairing import SAME, Opinion, paired
from dataengine.mine.strategy import FrameScores, Need, Score, Task

VIEWS = (Need.flip, Need.scale)


def box_spread(plain: Opinion, views: list[Opinion]) -> NDArray[np.float64]:
    """``[B]`` spread of each box in 0..``1 - SAME``, higher for less certain; NaN where no view shows it."""
    total, number = np.zeros(plain.boxes.num_boxes), np.zeros(plain.boxes.num_boxes)
    for view in views:
        found = paired(plain, view)
        total += np.where(found.row >= 0, 1 - found.iou, 0)
        number += found.row >= 0
    spread: NDArray[np.float64] = np.divide(total, number, out=np.full(len(total), np.nan), where=number > 0)
    return spread


def compute(task: Task) -> FrameScores:
    """The score of every candidate."""
    candidates, least = task.candidates, task.config.min_score
    plain = Opinion.of_places(candidates.predictions, least)
    spread = box_spread(plain, [Opinion.of_places(candidates.view(view.value), least) for view in VIEWS])
    shown = ~np.isnan(spread)
    frame = plain.boxes.frame_index[shown]
    weight = plain.boxes.score[shown].astype(np.float64)
    total = np.bincount(frame, weights=weight, minlength=len(candidates))
    moved = np.bincount(frame, weights=weight * spread[shown], minlength=len(candidates))
    values = moved / np.maximum(total, 1e-12)

    def reason(number: int) -> str:
        if not total[number]:
            return "no predicted box that another view shows too, so no place to be uncertain of"
        return f"boxes overlap by {1 - values[number]:.2f} between views, the sure ones counted most"

    return FrameScores(values=values, reason=reason)


LOCALISATION = Score(
    name="localisation",
    summary="frames whose boxes move when the image is mirrored or shown smaller",
    span=f"0 (every box stays, or no boxes) to {1 - SAME:.1f}",
    needs=frozenset({Need.predictions, *VIEWS}),
    source="own, after the localisation stability of arXiv 1801.05124; costs 1.64 more passes",
    compute=compute,
)

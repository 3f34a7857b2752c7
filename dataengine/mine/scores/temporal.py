"""Frames at which the tracks of a clip are odd: what clips tell and single images do not.

Each sign is a score of its own: the weight of its events in a frame for each track that goes through the
frame, so that crowds are not favoured. ``temporal`` adds up instead how many boxes of a frame their tracks
speak against: errors that are to be expected, in number. The cost is that of the tracker, some 0.3 ms a frame
and no pass of the model; ``track_disagreement`` tracks twice.

What a model never finds leaves no sign, nor does what it always takes for something else; an object that is
really hidden looks like a miss. In clips of one frame, or of frames without times, all scores are 0.

On six development worlds (4,000 frames at 2 a second, a detector trained on 150 frames; the command is in
``tests/mine/tracking/of_workspace.py``): rank correlation with the true errors of a frame, and errors and
rare boxes (truck, cyclist, cone) a frame among the 120 highest, at most 3 of a clip:

    temporal            0.31  3.20  1.13      class_flips         0.16  1.72  0.71
    isolated            0.14  1.68  0.39      abrupt_tracks       0.14  1.34  0.33
    flicker             0.13  1.32  0.37      track_disagreement  0.14  1.49  0.44
    bridged             0.07  1.46  0.45      box_jitter          0.01  0.95  0.23
    random              0.01  1.41  0.46      entropy, summed     0.47  4.19  2.52

So ``temporal`` finds errors, but fewer than the summed entropy of the boxes does; of the single signs only
``class_flips`` finds what is rare, and ``box_jitter`` finds nothing. Of the boxes that ``temporal`` takes for
false alarms 43% are, of those that ``isolated`` does 33%, of all sure boxes 12%.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from dataengine.mine.scores import temporal_errors as errors
from dataengine.mine.scores import temporal_unrest as unrest
from dataengine.mine.scores.temporal_events import Events
from dataengine.mine.scores.temporal_scene import Scene
from dataengine.mine.strategy import FrameScores, Need, Score, Task

Sign = Callable[[Scene], Events]

NEEDS = frozenset({Need.predictions, Need.labelled})


def frame_scores(scene: Scene, signs: Sequence[Sign], *, per_track: bool) -> FrameScores:
    """The score of every candidate by some signs.

    Args:
        scene: The pool and its tracks.
        signs: What is added up.
        per_track: Divide by the number of tracks that go through the frame.
    """
    events = [sign(scene) for sign in signs]
    frame = np.concatenate([event.frame for event in events])
    weight = np.concatenate([event.weight for event in events])
    total = np.bincount(frame, weights=weight, minlength=scene.line.num_frames).astype(np.float64)
    through = scene.through()
    if per_track:
        total /= np.maximum(through, 1)
    place = scene.frame_of_candidate

    order = np.lexsort((-weight, frame))
    first = np.searchsorted(frame[order], np.arange(scene.line.num_frames + 1))
    starts = np.cumsum([0, *(len(event.frame) for event in events)])

    def reason(number: int) -> str:
        at = place[number]
        rows = order[first[at] : first[at + 1]]
        rows = rows[weight[rows] > 0]
        if len(rows):
            sign = int(np.searchsorted(starts, rows[0], side="right")) - 1
            more = f"; such signs here: {len(rows)}" if len(rows) > 1 else ""
            return events[sign].text(int(rows[0] - starts[sign])) + more
        if not (scene.has_before[at] or scene.has_after[at]):
            return "no other frame of its clip is near it in time: tracks tell nothing of it"
        return f"nothing odd here about its tracks, of which there are {through[at]}"

    return FrameScores(values=total[place], reason=reason)


def _score(name: str, summary: str, span: str, source: str, *signs: Sign, per_track: bool = True) -> Score:
    def compute(task: Task) -> FrameScores:
        return frame_scores(Scene(task.candidates), signs, per_track=per_track)

    return Score(name=name, summary=summary, span=span, needs=NEEDS, source=source, compute=compute)


TEMPORAL = _score(
    "temporal",
    "frames with boxes that their tracks speak against",
    "0 or more: misses, false alarms and swapped classes to be expected; 0 where all tracks are smooth",
    "Bengar 2019, arXiv 1908.11757, on chains instead of graphs, and class flips",
    errors.contradicted,
    errors.flipped,
    per_track=False,
)
FLICKER = _score(
    "flicker",
    "frames whose tracks change between sure and unsure",
    "0..1: changes per track, half for each of the two frames; 0 where all tracks are steady",
    "Zhang and Wang 2016, arXiv 1611.06467, by frame",
    unrest.flickers,
)
ISOLATED = _score(
    "isolated",
    "frames with sure boxes that no neighbouring frame continues",
    "0..1: one minus the score of each such box, per track; 0 where there is none",
    "Jin 2018, arXiv 1808.04285, without its template matching",
    errors.isolated,
)
BRIDGED = _score(
    "bridged",
    "frames that tracks go through without a sure box",
    "0..1: lower score beside each gap, per track; 0 where no track has a gap",
    "Jin 2018, arXiv 1808.04285, without its template matching",
    errors.bridged,
)
CLASS_FLIPS = _score(
    "class_flips",
    "frames in which tracks are called otherwise than elsewhere",
    "0..1: scores of the odd boxes, per track; 0 where all boxes agree with their tracks",
    "own",
    errors.flipped,
)
ABRUPT_TRACKS = _score(
    "abrupt_tracks",
    "frames in which tracks begin or end in mid-image",
    "0 or more, mostly below 1: chances of an error, per track; 0 where tracks come and go at the border",
    "own",
    errors.abrupt,
)
TRACK_DISAGREEMENT = _score(
    "track_disagreement",
    "frames that are tracked otherwise backward in time",
    "0..2: doubted connections per track, half for each of the two frames; 0 where both directions agree",
    "Bengar 2019, arXiv 1908.11757, with boxes instead of images and a count instead of an energy",
    unrest.disagreeing,
)
BOX_JITTER = _score(
    "box_jitter",
    "frames whose boxes jump off their tracks",
    "0..1: one minus the overlap with the middle of the boxes beside, per track; 0 where tracks are smooth",
    "Zhang and Wang 2016, arXiv 1611.06467",
    unrest.jittery,
)

SCORES = (
    TEMPORAL,
    FLICKER,
    ISOLATED,
    BRIDGED,
    CLASS_FLIPS,
    ABRUPT_TRACKS,
    TRACK_DISAGREEMENT,
    BOX_JITTER,
)
"""The scores of this file."""

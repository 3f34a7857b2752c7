"""What the tracker takes for granted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerSettings:
    """Levels and limits of the tracker.

    Attributes:
        sure_score: A track counts as an object once one of its boxes has this score; the level at which the
            errors of a detector are counted.
        faint_score: Boxes below it are not tracked at all.
        max_missed: Frames in a row that a track may be without a box.
        max_lost_s: Seconds that it may be without one, where frames are so dense that this is longer.
        max_gap_s: Two neighbouring frames of a clip that are further apart in time are not connected.
        max_cost: Most surprise of a connection (``motion.surprise``; four coordinates).
        max_faint_cost: The same where a faint box, or a track without a sure one, is involved.
        class_cost: Surprise added where a box is of another class than its track.
        double_iou: Boxes of one frame that overlap so much are one object, whatever their classes.
        shake: Standard deviation of what the camera's shaking moves the image from frame to frame, in widths
            of the image.
        steady_pairs: Connections in a frame from which their common shift is taken for the camera's.
    """

    sure_score: float = 0.3
    faint_score: float = 0.1
    max_missed: int = 2
    max_lost_s: float = 1.5
    max_gap_s: float = 3.0
    max_cost: float = 15.0
    max_faint_cost: float = 6.0
    class_cost: float = 6.0
    double_iou: float = 0.6
    shake: float = 0.0075
    steady_pairs: int = 4

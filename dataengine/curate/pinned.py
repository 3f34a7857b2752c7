"""Splits that the user names for whole drives (``dataset.splits``), before anything is drawn."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from dataengine.curate.splits import CODE, Assignment
from dataengine.curate.timeline import Timeline
from dataengine.errors import ConfigError

REASON = "split of its drive named in dataset.splits"


def pinned(timeline: Timeline, splits: Mapping[str, str]) -> Timeline:
    """The timeline with the named drives' splits in place of published ones.

    Raises:
        ConfigError: There is no such drive.
    """
    if not splits:
        return timeline
    hints = timeline.hints.copy()
    for drive, split in splits.items():
        if drive not in timeline.drive_names:
            near = difflib.get_close_matches(drive, timeline.drive_names, n=3) or timeline.drive_names[:6]
            raise ConfigError(f"dataset.splits: there is no drive '{drive}'; there is {', '.join(near)}")
        hints[timeline.drives == timeline.drive_names.index(drive)] = CODE[split]
    return replace(timeline, hints=hints)


def explained(assigned: Assignment, timeline: Timeline, splits: Mapping[str, str]) -> Assignment:
    """The assignment with the reason of the frames whose drive was named."""
    if not splits:
        return assigned
    reasons = assigned.reasons.copy()
    for drive, split in splits.items():
        own = timeline.drives == timeline.drive_names.index(drive)
        reasons[own & (assigned.splits == CODE[split])] = len(assigned.words)
    return replace(assigned, reasons=reasons.astype(np.int16), words=(*assigned.words, REASON))

"""Which frames to label next: scores, constraints and a reason for every pick. Never sees truth."""

from __future__ import annotations

from dataengine.mine.arms import ARMS, arm, needs_predictions
from dataengine.mine.candidates import Pool
from dataengine.mine.selection import select

__all__ = ["ARMS", "Pool", "arm", "needs_predictions", "select"]

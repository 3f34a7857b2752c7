"""Which frames to label next: scores, constraints and a reason for every pick. Never sees truth."""

from __future__ import annotations

from dataengine.mine.arms import ARMS, arm, arm_names, needs_predictions, rule_module
from dataengine.mine.basket import Basket
from dataengine.mine.candidates import Known, Pool
from dataengine.mine.catalogue import nearest
from dataengine.mine.names import CEILINGS, PLAIN, PSEUDO, ArmName
from dataengine.mine.selection import select
from dataengine.mine.strategy import VIEWS, Arm, FrameScores, Need, Score, Task

__all__ = [
    "ARMS",
    "CEILINGS",
    "PLAIN",
    "PSEUDO",
    "VIEWS",
    "Arm",
    "ArmName",
    "Basket",
    "FrameScores",
    "Known",
    "Need",
    "Pool",
    "Score",
    "Task",
    "arm",
    "arm_names",
    "nearest",
    "needs_predictions",
    "rule_module",
    "select",
]

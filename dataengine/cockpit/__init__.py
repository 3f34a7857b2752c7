"""FiftyOne: what people look at and decide. The only package that imports it, and only inside functions.

``sync`` rebuilds the dataset from the lake and the runs, ``pull_decisions`` brings back what people
decided there, ``launch`` opens the App, ``check`` tells whether its database works here.
"""

from __future__ import annotations

from dataengine.cockpit.app import launch
from dataengine.cockpit.build import sync
from dataengine.cockpit.decisions import Decisions, pull_decisions
from dataengine.cockpit.service import Status, check

__all__ = ["Decisions", "Status", "check", "launch", "pull_decisions", "sync"]

"""Who answers a labelling request, and what the answers cost."""

from __future__ import annotations

from dataengine.label.answers import take_answers, unanswered
from dataengine.label.cost import Cost
from dataengine.label.oracle import Annotator, Oracle
from dataengine.label.purchase import buy
from dataengine.label.request import write_request

__all__ = ["Annotator", "Cost", "Oracle", "buy", "take_answers", "unanswered", "write_request"]

"""Who answers a labelling request, and what the answers cost."""

from __future__ import annotations

from dataengine.label.cost import Cost
from dataengine.label.oracle import Annotator, Oracle
from dataengine.label.purchase import buy

__all__ = ["Annotator", "Cost", "Oracle", "buy"]

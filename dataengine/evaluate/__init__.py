"""How good a model is, where it is good, and what it gets wrong. Tables in, tables out; no torch."""

from __future__ import annotations

from dataengine.evaluate.errors import VOCABULARY, FrameErrors, count_errors, find_errors
from dataengine.evaluate.evaluation import REPLICATES, Evaluation, evaluate

__all__ = ["REPLICATES", "VOCABULARY", "Evaluation", "FrameErrors", "count_errors", "evaluate", "find_errors"]

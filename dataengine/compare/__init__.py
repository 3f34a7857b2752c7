"""Arms x seeds on one dataset, at equal cost, with the statistics that a claim takes."""

from __future__ import annotations

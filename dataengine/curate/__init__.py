"""Curate: quality flags, near-duplicates, splits by drive, and the tests that the splits do not leak."""

from dataengine.curate.stage import curate
from dataengine.curate.summary import CurateSummary

__all__ = ["CurateSummary", "curate"]

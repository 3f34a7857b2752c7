"""Curate: splits by drive, their leak test, near-duplicates and quality flags."""

from dataengine.curate.stage import CurateSummary, curate

__all__ = ["CurateSummary", "curate"]

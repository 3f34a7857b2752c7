"""Ingest: recordings into the lake, every input file accounted for."""

from dataengine.ingest.stage import ingest
from dataengine.ingest.summary import IngestSummary

__all__ = ["IngestSummary", "ingest"]

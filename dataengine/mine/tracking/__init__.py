"""Objects followed through their clips, from predicted boxes alone."""

from __future__ import annotations

from dataengine.mine.tracking.evidence import Tracks, tracks
from dataengine.mine.tracking.gaps import Bridges
from dataengine.mine.tracking.settings import TrackerSettings
from dataengine.mine.tracking.timeline import Timeline
from dataengine.mine.tracking.tracker import link, segments

__all__ = ["Bridges", "Timeline", "TrackerSettings", "Tracks", "link", "segments", "tracks"]

"""Frames of a video at a steady rate, by presentation time, with no more decoding than they need.

``sampling`` is the face: it opens a file, reads its packets' headers (``index``), chooses frames and the
shortest ways to them (``plan``), decodes those (``decoding``) and turns each into an upright picture
(``picture``). Where a file's packets do not tell enough, or tell lies, all of it is decoded instead; both
ways choose the same frames.
"""

from dataengine.ingest.video.picture import Clock, Picture
from dataengine.ingest.video.sampling import sample

__all__ = ["Clock", "Picture", "sample"]

"""Faces and number plates made unreadable before a frame is stored.

``curate.anonymise`` names what finds them. ``boxes`` is a detector of people and vehicles: the part of
each box where a head or a plate must be, by the rules in ``rules``. ``egoblur`` is EgoBlur's published
detectors of faces and plates themselves.

What the figures prove, and what they do not. A row of the table ``blurred`` says that this frame went
through the anonymiser, with which rule, and how much of it was made unreadable: inside of a region nothing
is left but a handful of averages (``blurring``). It does not say that nobody can be recognised. A face or
a plate that the detector missed is stored as it was; a frame with 0 regions may be an empty road or a
miss, and no figure here can tell the two apart. Nor are gait, clothes, lettering on vehicles, house numbers
or the place itself hidden. Where the law asks for more than a best effort, look at the frames: a
sample of those with 0 regions first. The recordings themselves are never changed.
"""

from __future__ import annotations

from dataengine.privacy.anonymiser import anonymiser
from dataengine.privacy.need import needed
from dataengine.privacy.regions import Anonymiser, Regions, summary_line

__all__ = ["Anonymiser", "Regions", "anonymiser", "needed", "summary_line"]

"""Faces and number plates made unreadable before a frame is stored."""

from __future__ import annotations

from dataengine.privacy.anonymiser import Anonymiser, Regions, anonymiser

__all__ = ["Anonymiser", "Regions", "anonymiser"]

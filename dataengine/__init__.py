"""A data engine for perception teams: which clips should we label next, and did it pay?"""

from __future__ import annotations

__version__ = "0.1.0"

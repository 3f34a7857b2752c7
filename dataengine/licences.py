"""Kinds of licence, from the freest to the strictest."""

from __future__ import annotations

from collections.abc import Iterable

KINDS = (
    "public_domain",
    "permissive",
    "attribution",
    "share_alike",
    "non_commercial",
    "research_only",
    "unknown",
)
"""``permissive``: MIT, BSD, Apache. ``attribution``: CC BY. ``share_alike``: CC BY-SA. ``non_commercial``: CC
BY-NC and BY-NC-SA. ``research_only``: a publisher's own terms that allow research alone. ``unknown``: nobody
stated one, so nothing may be taken for granted."""


def strictest(kinds: Iterable[str]) -> str:
    """The strictest of some kinds; ``public_domain`` for none."""
    return max(kinds, key=KINDS.index, default=KINDS[0])

"""Kinds of licence, from the freest to the strictest: which a mix of frames has, and which are allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from dataengine.errors import ConfigError

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
    return max(kinds, key=_strictness, default=KINDS[0])


def check(kinds_present: Mapping[str, int], allow: Sequence[str]) -> None:
    """Refuse frames whose licence the user does not allow.

    Args:
        kinds_present: Number of frames of each kind; a kind with none is not present.
        allow: Setting ``licence.allow``: the kinds that are allowed; empty allows all.

    Raises:
        ConfigError: A kind is present and not allowed, or ``allow`` names no kind of licence.
    """
    _check_names(allow)
    if not allow:
        return
    forbidden = [kind for kind in _present(kinds_present) if kind not in allow]
    if forbidden:
        counts = " and ".join(_count(kinds_present[kind], kind) for kind in forbidden)
        wanted = ",".join(sorted({*allow, *forbidden}, key=_strictness))
        raise ConfigError(
            f"licence.allow=[{','.join(allow)}] forbids {counts}; leave their dataset out, "
            f"or allow them with licence.allow=[{wanted}]"
        )


def line(kinds_present: Mapping[str, int]) -> str:
    """One line on the licences of a mix: ``licences: 701 frames research_only; strictest: research_only``.

    Args:
        kinds_present: Number of frames of each kind; a kind with none is not named.
    """
    present = _present(kinds_present)
    if not present:
        return "licences: no frames"
    counts = ", ".join(_count(kinds_present[kind], kind) for kind in present)
    return f"licences: {counts}; strictest: {strictest(present)}"


def _present(kinds_present: Mapping[str, int]) -> list[str]:
    """Kinds with frames, the freest first."""
    return sorted((kind for kind, number in kinds_present.items() if number), key=_strictness)


def _count(number: int, kind: str) -> str:
    return f"{number:,} {'frame' if number == 1 else 'frames'} {kind}"


def _strictness(kind: str) -> int:
    """Rank of a kind. A name from elsewhere (an older lake, a foreign table) is as strict as ``unknown``."""
    return KINDS.index(kind) if kind in KINDS else len(KINDS) - 1


def _check_names(allow: Sequence[str]) -> None:
    for name in allow:
        if name not in KINDS:
            close = difflib.get_close_matches(name, KINDS, n=3, cutoff=0.5)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise ConfigError(
                f"licence.allow: {name!r} is no kind of licence{hint}; kinds: {', '.join(KINDS)}"
            )

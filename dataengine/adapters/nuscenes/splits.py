"""Which scenes of nuScenes the publisher judges on (python-sdk/nuscenes/utils/splits.py of the devkit).

The mini version's two val scenes, 0103 and 0916, are among them; two of its training scenes, 0553 and
0796, are val here too, so ``v1.0-mini`` has a list of its own.
"""

from __future__ import annotations

from dataengine.schema import POOL, VAL

_VAL_RANGES = """
    3 12-18 35-36 38-39 92-110 221 268-278 329-332 344-346 519-524 552-565 625-627 629-630 632-638 770-771
    775 777-778 780-784 794-800 802 904-917 919-931 962-963 966-969 971-972 1059-1073
"""
_MINI_VAL = frozenset({103, 916})


def _numbers(ranges: str) -> frozenset[int]:
    found: set[int] = set()
    for part in ranges.split():
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


_VAL = _numbers(_VAL_RANGES)


def split_of(version: str, scene: str) -> str:
    """The publisher's split of a scene in this engine's words; empty where it publishes none.

    Args:
        version: ``v1.0-mini``, ``v1.0-trainval``; another has no published split (``v1.0-test`` has no
            labels to judge by).
        scene: Its name, ``scene-0103``.
    """
    val = {"v1.0-mini": _MINI_VAL, "v1.0-trainval": _VAL}.get(version)
    number = scene.removeprefix("scene-")
    if val is None or not (number.isascii() and number.isdigit()):
        return ""
    return VAL if int(number) in val else POOL

"""Whether two image files show the same picture: copied, re-encoded, resized or slightly cropped.

Plain roads look alike in a hash and in a thumbnail. A copy is alike in its fine detail as well, once
the two are laid on each other: texture, noise, the edges of every leaf.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dataengine.curate.embedder import decode

WIDTH, HEIGHT = 256, 160
"""Pixels at which two pictures are compared."""
SAME = 0.75
"""Correlation of fine detail from which two pictures are the same."""
_FAINT = 0.3
"""Grey levels of fine detail, root mean square, below which a picture proves nothing: a dead camera."""
_MARGIN = 12
"""Pixels at the border that a crop may have taken away."""


def same_picture(left: Path, right: Path) -> bool:
    """Whether two files show the same picture; symmetric but for rounding.

    Raises:
        InputError: A file cannot be read.
    """
    return likeness(left, right) >= SAME


def likeness(left: Path, right: Path) -> float:
    """Correlation of the fine detail of two pictures laid on each other, -1..1."""
    one, other = _grey(left), _grey(right)
    plain = _correlation(_detail(one), _detail(other))
    if plain >= SAME:
        return plain
    return max(plain, _correlation(_detail(one), _detail(_aligned(one, other))))


def _grey(path: Path) -> NDArray[np.float32]:
    image = cv2.resize(decode(path, HEIGHT), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)


def _detail(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is left without the broad shapes, with strong edges held back so that no few of them decide."""
    fine = cv2.GaussianBlur(grey, (0, 0), 0.7) - cv2.GaussianBlur(grey, (0, 0), 2.5)
    inner: NDArray[np.float32] = fine[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    return np.clip(inner, -12, 12).astype(np.float32)


def _correlation(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    lengths = float(np.linalg.norm(left)), float(np.linalg.norm(right))
    if min(lengths) < _FAINT * np.sqrt(left.size):
        return 0.0
    return float((left * right).sum()) / (lengths[0] * lengths[1])


def _aligned(fixed: NDArray[np.float32], moving: NDArray[np.float32]) -> NDArray[np.float32]:
    """``moving`` scaled and shifted onto ``fixed`` (Evangelidis 2008, ECC); as it was where that fails."""
    warp = np.eye(2, 3, dtype=np.float32)
    until = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-4)
    try:
        cv2.findTransformECC(fixed, moving, warp, cv2.MOTION_AFFINE, until)
    except cv2.error:  # no overlap that would improve
        return moving
    onto = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(moving, warp, (WIDTH, HEIGHT), flags=onto), np.float32)

"""Embeddings as directions: centred, of length one, and the distance between two of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FEWEST_TO_CENTRE = 100
"""Below this number of vectors their mean says more about the few than about the model that embeds."""
SAME = 1e-9
"""Distances below this are rounding: the vectors are the same."""
_CHUNK = 16_384
_DENSE = 0.02
_BAND = 1e-4


class Vectors:
    """Embeddings seen from their mean. The cosine distance is one minus the cosine of their angle, 0..2.

    Pooled features are positive, and point the same way whatever they show; seen from their mean they
    spread. The embeddings themselves are not copied.

    Args:
        embeddings: ``[N, D]`` float32.
        centred: Look from the mean, where there are enough vectors for one.
    """

    def __init__(self, embeddings: NDArray[np.float32], *, centred: bool = True) -> None:
        self._embeddings = embeddings
        number, self.dim = embeddings.shape
        self._centre = np.zeros(self.dim, np.float32)
        if centred and number >= FEWEST_TO_CENTRE:
            self._centre = embeddings.mean(0, dtype=np.float64).astype(np.float32)
        self._inverse = np.ones(number, np.float32)
        # vectors at the centre have no direction; they get one in common, as they are alike
        self._nowhere = np.zeros(number, np.bool_)
        for begin in range(0, number, _CHUNK):
            part = slice(begin, begin + _CHUNK)
            seen = embeddings[part] - self._centre
            length = np.sqrt(np.einsum("ij,ij->i", seen, seen))
            self._nowhere[part] = length <= 1e-6 * (np.linalg.norm(self._centre) + 1e-12)
            self._inverse[part] = 1 / np.where(self._nowhere[part], 1, length)

    def __len__(self) -> int:
        return len(self._embeddings)

    def unit(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[R, D]`` float32 vectors of length one."""
        found = self._embeddings[rows] - self._centre
        found *= self._inverse[rows, None]
        lost = self._nowhere[rows]
        if lost.any():
            found[lost] = np.eye(1, self.dim, dtype=np.float32)
        return found

    def exact(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """``[R, D]`` float64 vectors, of length one in that precision."""
        found = self.unit(rows).astype(np.float64)
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        return found

    def distances(
        self,
        rows: NDArray[np.int64],
        others: NDArray[np.int64],
        left: NDArray[np.int64],
        right: NDArray[np.int64],
        *,
        near: float,
    ) -> NDArray[np.float64]:
        """Cosine distance of ``rows[left[i]]`` and ``others[right[i]]``: ``[P]``.

        Those about ``near`` are computed in double precision, so that a threshold there does not depend on
        how the products were grouped; the others are good to about 1e-6.
        """
        if len(left) > _DENSE * len(rows) * len(others):
            products = (self.unit(rows) @ self.unit(others).T)[left, right]
        else:
            products = self._products(rows[left], others[right], self.unit)
        distance: NDArray[np.float64] = 1 - products.astype(np.float64)
        close = np.flatnonzero(np.abs(distance - near) <= _BAND)
        distance[close] = 1 - self._products(rows[left[close]], others[right[close]], self.exact)
        return np.where(distance < SAME, 0, distance)

    def _products(
        self,
        left: NDArray[np.int64],
        right: NDArray[np.int64],
        read: Callable[[NDArray[np.int64]], NDArray[np.floating]],
    ) -> NDArray[np.float64]:
        products = np.empty(len(left))
        for begin in range(0, len(left), _CHUNK):
            part = slice(begin, begin + _CHUNK)
            products[part] = np.einsum("ij,ij->i", read(left[part]), read(right[part]))
        return products

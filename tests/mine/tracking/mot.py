"""How well tracks keep identities: the usual figures of multi-object tracking, from matched boxes.

ID switches and MOTA as Bernardin and Stiefelhagen (2008, doi 10.1155/2008/246309), IDF1 as Ristani et al.
(2016, arXiv 1609.01775), over the pairs that a frame-wise matching left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a tracker is worth on some clips; higher ``mota`` and ``idf1`` are better, at most 1."""

    objects: int
    switches: int
    mota: float
    idf1: float

    def __str__(self) -> str:
        return f"{self.objects} objects, {self.switches} switches, MOTA {self.mota:.3f}, IDF1 {self.idf1:.3f}"


def figures(identity: Rows, hit: Rows, track: Rows) -> Figures:
    """The figures of one set of clips.

    Args:
        identity: ``[G]`` identity of each true box, unique over clips; boxes in time order.
        hit: ``[G]`` row of the tracked box that found it, -1 for none.
        track: ``[P]`` number of the track of every tracked box.
    """
    found = np.flatnonzero(hit >= 0)
    order = found[np.argsort(identity[found], kind="stable")]
    own, given = identity[order], track[hit[order]]
    switches = int(((own[1:] == own[:-1]) & (given[1:] != given[:-1])).sum())
    errors = (len(identity) - len(found)) + (len(track) - len(found)) + switches
    return Figures(
        objects=len(identity),
        switches=switches,
        mota=1 - errors / max(1, len(identity)),
        idf1=2 * _shared(own, given) / max(1, len(identity) + len(track)),
    )


def _shared(own: Rows, given: Rows) -> float:
    """Boxes on which identities and tracks agree, each paired with one of the other so that most do."""
    optimize = pytest.importorskip("scipy.optimize")
    sparse = pytest.importorskip("scipy.sparse")
    csgraph = pytest.importorskip("scipy.sparse.csgraph")
    rows, columns = np.unique(own, return_inverse=True)[1], np.unique(given, return_inverse=True)[1]
    if not len(rows):
        return 0.0
    table = sparse.coo_matrix((np.ones(len(rows)), (rows, columns))).tocsr()
    _, part = csgraph.connected_components(sparse.bmat([[None, table], [table.T, None]]))
    total = 0.0
    by_part = np.argsort(part[rows], kind="stable")
    for block in np.split(by_part, np.flatnonzero(np.diff(part[rows][by_part])) + 1):
        r, c = np.unique(rows[block]), np.unique(columns[block])
        counts = table[r][:, c].toarray()
        total += counts[optimize.linear_sum_assignment(-counts)].sum()
    return float(total)

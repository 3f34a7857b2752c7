"""Splits by drive: the publisher's where there is one, else drawn; a time gap where a drive is shared.

Each dataset of a mix is split for itself. Where its publisher keeps the labels of the test set, the published
val is the test set here, for that is what others report on, and val is drawn from the drives for training.

Test keeps all of its frames, val yields to test, and the pool yields to both: what is judged stays
as published, and what is learned from makes room. Frames that nobody labelled, in a dataset that has
labels, belong to no split: they can neither be sold nor judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine.curate.contents import Contents
from dataengine.curate.drawing import draw_drives
from dataengine.curate.timeline import Timeline, split_drives
from dataengine.schema import GAP, JUDGED_SPLITS, POOL, SPLITS, TEST, TEST_SPLITS, UNLABELLED, VAL

CODE: Mapping[str, int] = {name: number for number, name in enumerate(SPLITS)}
"""Each split's place in ``schema.SPLITS``: how arrays name it."""

_TESTS = {CODE[name] for name in TEST_SPLITS}
_YIELDS_TO: Mapping[str, tuple[str, ...]] = {POOL: JUDGED_SPLITS, VAL: TEST_SPLITS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The split of every frame, and why.

    Attributes:
        splits: ``[F]`` int8, places in ``schema.SPLITS``.
        reasons: ``[F]`` int16, places in ``words``.
        words: Reasons in words.
        drawn: Some split was drawn, for want of a published one.
        unbalanced: What drives could not share out evenly, in words.
    """

    splits: NDArray[np.int8]
    reasons: NDArray[np.int16]
    words: tuple[str, ...]
    drawn: bool
    unbalanced: tuple[str, ...] = ()

    def without(self, frames: NDArray[np.int64], reason: str) -> Assignment:
        """The same with some frames in no split."""
        if not len(frames):
            return self
        splits, reasons = self.splits.copy(), self.reasons.copy()
        splits[frames], reasons[frames] = CODE[GAP], len(self.words)
        return replace(self, splits=splits, reasons=reasons, words=(*self.words, reason))

    def names(self) -> pa.Array:
        """``[F]`` names of the splits."""
        return pa.array(SPLITS).take(pa.array(self.splits))

    def reason_words(self) -> pa.Array:
        """``[F]`` reasons in words."""
        return pa.array(self.words, pa.string()).take(pa.array(self.reasons))

    def count(self, split: str) -> int:
        """Frames of a split."""
        return int((self.splits == CODE[split]).sum())


def is_published(timeline: Timeline, keep_unlabelled: bool = False) -> bool:
    """Whether every dataset comes with both a val and a test of its own."""
    used = _used(timeline, keep_unlabelled)
    given = (_given(timeline, used & (timeline.datasets == one)) for one in np.unique(timeline.datasets))
    return all(CODE[VAL] in splits and splits & _TESTS for splits in given)


def assign(
    timeline: Timeline,
    *,
    gap_s: float,
    val_share: float,
    test_share: float,
    contents: Contents | None = None,
    keep_unlabelled: bool = False,
) -> Assignment:
    """Give every frame a split.

    Args:
        timeline: All frames of the workspace.
        gap_s: Frames of one drive closer in time than this to a split that they yield to are left out.
        val_share: Share of a dataset's frames for val, where its publisher has none.
        test_share: Likewise for test.
        contents: What the drives hold, to be shared out evenly by the draw; ``None`` looks at sizes alone.
        keep_unlabelled: Treat frames without labels like others: people can be asked for theirs.
    """
    used = _used(timeline, keep_unlabelled)
    words = ["published split", "no split published", "published val, as no labels of a test are published"]
    unbalanced: tuple[str, ...] = ()
    splits = np.where(timeline.hints < 0, CODE[POOL], timeline.hints).astype(np.int8)
    reasons = (timeline.hints < 0).astype(np.int16)
    drawn = False
    for dataset in np.unique(timeline.datasets):
        members = timeline.datasets == dataset
        published = _given(timeline, members & used)
        if CODE[VAL] in published and not published & _TESTS:
            val = members & (timeline.hints == CODE[VAL])
            splits[val], reasons[val] = CODE[TEST], 2
            published = published - {CODE[VAL]} | {CODE[TEST]}
        shares = {
            TEST: 0.0 if published & _TESTS else test_share,
            VAL: 0.0 if CODE[VAL] in published else val_share,
        }
        if not any(shares.values()):
            continue
        drawn = True
        candidates = members & used & (splits == CODE[POOL])
        splits[candidates], word, uneven = _drawn(timeline, candidates, shares, contents)
        reasons[candidates] = len(words)
        words.append(word)
        unbalanced += uneven
    splits[~used] = CODE[UNLABELLED]
    reasons[~used] = len(words)
    words.append("nobody labelled it, while other frames have labels")
    _open_gaps(timeline, splits, reasons, words, gap_s)
    return Assignment(splits=splits, reasons=reasons, words=tuple(words), drawn=drawn, unbalanced=unbalanced)


def _used(timeline: Timeline, keep_unlabelled: bool) -> NDArray[np.bool_]:
    """``[F]`` frames that labels can be had of."""
    return np.asarray(timeline.labelled | keep_unlabelled | (not timeline.labelled.any()))


def _given(timeline: Timeline, members: NDArray[np.bool_]) -> set[int]:
    """The published splits of some frames."""
    return set(np.unique(timeline.hints[members]).tolist()) - {-1}


def _drawn(
    timeline: Timeline,
    candidates: NDArray[np.bool_],
    shares: Mapping[str, float],
    contents: Contents | None,
) -> tuple[NDArray[np.int8], str, tuple[str, ...]]:
    """The split of each candidate ``[C]``, how it came about, and what could not be balanced."""
    sizes = np.bincount(timeline.drives[candidates], minlength=len(timeline.drive_names))
    present = np.flatnonzero(sizes)
    names = [timeline.drive_names[drive] for drive in present]
    wanted = {split: share for split, share in shares.items() if share}
    held = replace(contents, amounts=contents.amounts[present]) if contents is not None else None
    drawn = draw_drives(names, sizes[present], wanted, held)
    if drawn is not None:
        of_drive = np.full(len(timeline.drive_names), CODE[POOL], np.int8)
        of_drive[present] = [CODE[split] for split in drawn.splits]
        return of_drive[timeline.drives[candidates]], "drive drawn whole", drawn.unbalanced
    splits = np.full(len(timeline), CODE[POOL], np.int8)
    order = timeline.drive_order()
    order = order[candidates[order]]
    drives = timeline.drives[order]
    place = np.arange(len(order)) - np.searchsorted(drives, drives)
    number = sizes[drives]
    test_share, val_share = shares[TEST], shares[VAL]
    splits[order[place >= np.round(number * (1 - val_share - test_share))]] = CODE[VAL]
    splits[order[place >= np.round(number * (1 - test_share))]] = CODE[TEST]
    unbalanced = ("too few drives to draw whole ones: each is cut in time, so splits share drives",)
    return splits[candidates], "too few drives: this one is cut in time", unbalanced


def _open_gaps(
    timeline: Timeline,
    splits: NDArray[np.int8],
    reasons: NDArray[np.int16],
    words: list[str],
    gap_s: float,
) -> None:
    """Take frames too near to another split of their drive out of their own; changes its arguments."""
    because = {}
    for rival in JUDGED_SPLITS:
        because[rival] = len(words)
        words.append(f"less than {gap_s:g} s from {rival} in the same drive")
    before = splits.copy()
    for frames in split_drives(timeline, before):
        here, times = before[frames], timeline.time_s[frames]
        for split, rivals in _YIELDS_TO.items():
            own = np.flatnonzero(here == CODE[split])
            for rival in rivals:
                distance = _distance(times[own], times[here == CODE[rival]])
                close = frames[own[distance < gap_s - 1e-9]]
                splits[close] = CODE[GAP]
                reasons[close] = because[rival]


def _distance(times: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """From each of ``times`` to the nearest of ``others``, which are sorted; infinite where there is none."""
    if not len(others):
        return np.full(len(times), np.inf)
    after = np.searchsorted(others, times).clip(0, len(others) - 1)
    nearest = np.minimum(np.abs(times - others[after]), np.abs(times - others[(after - 1).clip(0)]))
    return np.asarray(nearest, np.float64)

"""A pick in the making: what is in it, and which frames may still join."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.candidates import Candidates


class Basket:
    """Frames picked so far, under three limits within a clip: their number, their time, near-duplicates.

    Args:
        candidates: The pool.
        size: How many frames to pick at most.
        max_per_clip: Most frames of one clip; 0 is no limit. Raised where it would leave the basket
            short: a smaller purchase could not be compared with those of other arms.
        duplicate_bits: Frames of one clip whose hashes differ in at most so many bits of 64 do not
            join together; -1 allows all.
        min_gap_s: Frames of one clip closer in time than this do not join together (temporal non-maximum
            suppression, after Aghdam 2019, arXiv 1911.09168); 0 allows all.

    Attributes:
        size: How many frames the basket takes.
        eligible: ``[N]`` bool: candidates that may still join.
        picks: Candidate numbers, in the order in which they joined.
        scores: Score of each pick; higher is more wanted.
        triggers: Trigger of each pick.
        reasons: Reason of each pick, in words.
    """

    def __init__(
        self,
        candidates: Candidates,
        size: int,
        *,
        max_per_clip: int,
        duplicate_bits: int,
        min_gap_s: float = 0.0,
    ) -> None:
        self.size = min(size, len(candidates))
        self.eligible = np.ones(len(candidates), np.bool_)
        self.picks: list[int] = []
        self.scores: list[float] = []
        self.triggers: list[str] = []
        self.reasons: list[str] = []
        self._candidates = candidates
        self._by_clip = np.argsort(candidates.clip, kind="stable")
        self._bounds = np.searchsorted(
            candidates.clip[self._by_clip], np.arange(int(candidates.clip.max(initial=-1)) + 2)
        )
        self._in_clip = np.zeros(len(self._bounds), np.int64)
        self._cap = feasible_cap(np.diff(self._bounds), self.size, max_per_clip)
        self._duplicate_bits, self._min_gap_s = duplicate_bits, min_gap_s
        self._num_eligible = len(candidates)
        self._note = ""

    @property
    def room(self) -> int:
        """How many frames are still wanted."""
        return self.size - len(self.picks)

    @property
    def exhausted(self) -> bool:
        """Whether nothing more can join: it is full, or no candidate is eligible."""
        return self.room == 0 or self._num_eligible == 0

    def add(self, number: int, score: float, trigger: str, reason: str) -> None:
        """Pick a candidate; this closes itself, its near-duplicates, and its clip where that is full."""
        self.picks.append(int(number))
        self.scores.append(float(score))
        self.triggers.append(trigger)
        self.reasons.append(reason + self._note)
        self._in_clip[self._candidates.clip[number]] += 1
        self._close(number)

    def loosen(self) -> None:
        """Lift the limit per clip; if that is lifted, the one on time; and then that on near-duplicates.

        For when nothing is eligible and there is room: the limits alone keep the basket from its size.
        """
        unlimited = len(self._candidates) + 1
        if self._cap < unlimited:
            self._cap, self._note = unlimited, "; one more of its clip, as no other was left"
        elif self._min_gap_s > 0:
            self._min_gap_s, self._note = 0.0, "; soon before or after another pick, as no other was left"
        else:
            self._duplicate_bits, self._note = -1, "; near-duplicate of another pick, as no other was left"
        self.eligible[:] = True
        self._num_eligible = len(self.eligible)
        for number in self.picks:
            self._close(number)

    def interleave(self, begin: int, middle: int) -> None:
        """Merge the picks ``begin:middle`` and ``middle:`` evenly, so that any beginning holds both."""
        ends = len(self.picks)
        places = [(i - begin + 0.5) / (middle - begin) for i in range(begin, middle)]
        places += [(i - middle + 0.5) / (ends - middle) for i in range(middle, ends)]
        order = [*range(begin), *(begin + np.argsort(places, kind="stable")).tolist()]
        for column in (self.picks, self.scores, self.triggers, self.reasons):
            column[:] = [column[i] for i in order]

    def _close(self, number: int) -> None:
        """Close a pick, its near-duplicates, and the whole clip where that is full."""
        clip = int(self._candidates.clip[number])
        members = self._by_clip[self._bounds[clip] : self._bounds[clip + 1]]
        if self._in_clip[clip] < self._cap:
            members = members[self._near_duplicates(members, number) | self._soon(members, number)]
        self._num_eligible -= int(np.count_nonzero(self.eligible[members]))
        self.eligible[members] = False

    def _soon(self, members: NDArray[np.int64], number: int) -> NDArray[np.bool_]:
        if self._min_gap_s <= 0:
            return np.zeros(len(members), np.bool_)
        time = self._candidates.time_s
        soon: NDArray[np.bool_] = np.abs(time[members] - time[number]) < self._min_gap_s
        return soon

    def _near_duplicates(self, members: NDArray[np.int64], number: int) -> NDArray[np.bool_]:
        itself: NDArray[np.bool_] = members == number
        known = self._candidates.has_phash
        if self._duplicate_bits < 0 or not known[number]:
            return itself
        bits = popcount(self._candidates.phash[members] ^ self._candidates.phash[number])
        return itself | ((bits <= self._duplicate_bits) & known[members])


def feasible_cap(clip_sizes: NDArray[np.int64], wanted: int, cap: int) -> int:
    """The smallest limit per clip, from ``cap`` up, under which ``wanted`` frames can be found."""
    largest = int(clip_sizes.max(initial=0))
    if cap == 0 or cap >= largest:
        return largest + 1
    return cap + bisect_left(
        range(cap, largest), wanted, key=lambda limit: int(np.minimum(clip_sizes, limit).sum())
    )


def popcount(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    """``[N]`` number of bits that are set in each."""
    octets = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), 8)
    bits: NDArray[np.int64] = np.unpackbits(octets, axis=1).sum(axis=1, dtype=np.int64)
    return bits

"""What curating found, in numbers and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dataengine.schema import TEST, VAL

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CurateSummary:
    """What curate found.

    Attributes:
        frames: Split -> frames.
        drives: Split -> drives that it holds frames of.
        identical: Frames of val and test whose perceptual hash occurs in the pool.
        near_duplicates: Frames of the pool that repeat an earlier frame of their clip.
        across_clips: Frames that repeat a better one of another clip; ``None`` where embeddings are off.
        embedder: What said so, in words.
        looked_at: Pairs of frames of two splits whose pictures were compared, and found to differ.
        left_out: Pairs that are alike, further apart than those, and were not looked at.
        copies: Frames left out of their split because they show a picture of another.
        flags: Quality flag -> frames that have it.
        unbalanced: What the draw of drives could not share out evenly, in words.
    """

    frames: Mapping[str, int]
    drives: Mapping[str, int]
    identical: int
    near_duplicates: int
    across_clips: int | None = None
    embedder: str = ""
    looked_at: int = 0
    left_out: int = 0
    copies: int = 0
    flags: Mapping[str, int]
    unbalanced: tuple[str, ...] = ()

    def line(self) -> str:
        """One line for the terminal."""
        splits = ", ".join(
            f"{name} {number:,} frames of {self.drives[name]:,} drives"
            for name, number in self.frames.items()
            if number
        )
        across = ""
        if self.across_clips is not None:
            across = f"{self.across_clips:,} frames repeat one of another clip (by {self.embedder}), "
        flagged = "".join(f", {number:,} {name}" for name, number in self.flags.items() if number)
        return (
            f"curate: {splits}; {self.near_duplicates:,} near-duplicates in the pool, {across}"
            f"{self.identical:,} frames of val and test with a hash of the pool{flagged}; {self._leaks()}"
        )

    def notes(self) -> Iterator[str]:
        """Further lines: what is missing, uneven or not looked at."""
        for split in (VAL, TEST):
            if not self.frames[split]:
                yield f"curate: {split} is empty: nothing will be measured on it"
        if self.unbalanced:
            shown = "; ".join(self.unbalanced[:_SHOWN])
            more = len(self.unbalanced) - _SHOWN
            yield f"curate: not shared out evenly: {shown}{f'; and {more} more' if more > 0 else ''}"
        if self.left_out:
            yield (
                f"curate: {self.left_out:,} more pairs of frames in two splits are loosely alike; only the "
                f"{self.looked_at:,} nearest were looked at for leaks"
            )

    def _leaks(self) -> str:
        mended = f", {self.copies:,} copies left out" if self.copies else ""
        if self.across_clips is None:
            return f"no leak by hash (embeddings are off){mended}"
        return f"no leak ({self.looked_at:,} look-alikes compared{mended})"

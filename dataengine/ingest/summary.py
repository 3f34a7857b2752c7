"""What ingest did, in counts."""

from __future__ import annotations

from dataclasses import dataclass

STATUSES = ("added", "present", "missing", "broken", "unused")


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSummary:
    """Every input file is in exactly one of the first five counts.

    Attributes:
        added: Files whose frames, labels or settings went into the lake in this run.
        present: Files whose content was in the lake before.
        missing: Files that are listed or needed, and not there.
        broken: Files that cannot be read, wholly or from some point on.
        unused: Files that nothing was taken from, for the reason in ``quarantine.jsonl``.
        clips: Clips added in this run.
        frames: Frames added in this run.
        left_out: Frames of usable videos left out because their labels cannot be used.
        seconds: Wall time.
        decode_s: Seconds of all workers together that decoding of videos took.
        write_s: Seconds of all workers together that compressing and writing frames took.
    """

    added: int
    present: int
    missing: int
    broken: int
    unused: int
    clips: int
    frames: int
    left_out: int
    seconds: float
    decode_s: float = 0.0
    write_s: float = 0.0

    @property
    def num_files(self) -> int:
        """Files accounted for."""
        return self.added + self.present + self.missing + self.broken + self.unused

    def line(self) -> str:
        """One line for the terminal."""
        counts = ", ".join(f"{getattr(self, name):,} {name}" for name in STATUSES)
        rate = f" ({self.frames / self.seconds:,.0f} frames/s)" if self.frames and self.seconds > 0 else ""
        spent = (
            f"; decoding {self.decode_s:.1f} s, writing {self.write_s:.1f} s of the workers' time"
            if self.decode_s >= 0.05 or self.write_s >= 0.05
            else ""
        )
        left_out = f", {self.left_out:,} frames left out" if self.left_out else ""
        reasons = (
            "; reasons in quarantine.jsonl" if self.missing or self.broken or self.unused or left_out else ""
        )
        return (
            f"ingest: {self.num_files:,} files: {counts}; {self.clips:,} clips and {self.frames:,} frames "
            f"added{left_out} in {self.seconds:.1f} s{rate}{spent}{reasons}"
        )

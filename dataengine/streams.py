"""Named random streams: one seed, and a stream per purpose that no other purpose can disturb."""

from __future__ import annotations

import zlib

import numpy as np


class Streams:
    """Independent random generators derived from one seed by name.

    The generator for a name depends on the seed, the name and the optional integers alone, never on
    which other streams were drawn before. That is what lets a killed run resume bit for bit.

    Args:
        seed: The run's seed, >= 0.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def sequence(self, name: str, *indices: int) -> np.random.SeedSequence:
        """The seed sequence of ``name`` (and, say, a cycle and a step)."""
        return np.random.SeedSequence(self.seed, spawn_key=(zlib.crc32(name.encode()), *indices))

    def generator(self, name: str, *indices: int) -> np.random.Generator:
        """A fresh generator at the start of the stream ``name``."""
        return np.random.default_rng(self.sequence(name, *indices))

    def integer(self, name: str, *indices: int) -> int:
        """One 63-bit integer from the stream, to seed libraries that take an int (torch)."""
        return int(self.sequence(name, *indices).generate_state(1, np.uint64)[0] >> np.uint64(1))

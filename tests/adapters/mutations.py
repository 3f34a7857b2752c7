"""Damage to files: cuts, flipped bits, stray characters, doubled and lost stretches, odd numbers."""

from __future__ import annotations

import random
import re

_CHARACTERS = b'0123456789eE-.NaN"[]{},:\\\x00\xff'
_NUMBERS = (
    b"NaN",
    b"Infinity",
    b"1e308",
    b"-1e308",
    b"1e-320",
    b"null",
    b'"x"',
    b"[]",
    b"{}",
    b"true",
    b"-1",
)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """The data with one fault in it."""
    at = rng.randrange(len(data))
    end = min(len(data), at + rng.randrange(1, 40))
    number = rng.choice(list(re.finditer(rb"-?\d+\.?\d*", data)) or [None])
    kinds = [
        data[:at],
        data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :],
        data[:at] + bytes([rng.choice(_CHARACTERS)]) + data[at + 1 :],
        data[:at] + data[end:],
        data[:end] + data[at:],
    ]
    if number is not None:
        odd = rng.choice([*_NUMBERS, b"9" * 30, b"9" * 5000])
        kinds += [data[: number.start()] + odd + data[number.end() :]] * 2
    return rng.choice(kinds)

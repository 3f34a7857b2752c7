"""Quality flags."""

from __future__ import annotations

from dataengine.curate.quality import flags
from tests.curate.timelines import timeline


def test_flags_name_what_nobody_wants_to_label():
    found = timeline(
        {"a": [0, 1, 2, 3], "b": [0]},
        phash=[1, 1, 2, 1, 1],
        sharpness=[100, 100, 10, 90, 1],
        brightness=[0.5, 0.01, 0.5, 0.99, 0.5],
    )
    assert {name: flagged.tolist() for name, flagged in flags(found).items()} == {
        "dark": [False, True, False, False, False],
        "bright": [False, False, False, True, False],
        "blurred": [False, False, True, False, False],  # beside its clip; "b" is alike throughout
        "frozen": [False, True, False, False, False],
    }

"""The frames that each arm picks from one fixed pool, on file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataengine import mine
from tests.mine.pools import pick, picked, synthetic

ON_FILE = Path(__file__).with_name("mined.json")
NUM_PICKS = 10


@pytest.mark.parametrize("arm", mine.ARMS)
def test_the_same_frames_are_picked_again(arm: str) -> None:
    """A refactoring changes no pick. ``python -m tests.golden.test_mined`` writes the file anew."""
    assert picked(pick(synthetic(), arm, NUM_PICKS)) == json.loads(ON_FILE.read_text())[arm]


if __name__ == "__main__":
    picks = {arm: picked(pick(synthetic(), arm, NUM_PICKS)) for arm in mine.ARMS}
    ON_FILE.write_text(json.dumps(picks, indent=1) + "\n")

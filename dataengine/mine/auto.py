"""The default: expected gain, and as much exploring as the model overlooks.

What a model does not find, it cannot ask for. Where it overlooks a share ``q`` of the known objects of val,
a share ``q ** 2`` of the batch goes to frames unlike anything labelled (k-centre), and the rest to the frames
of the highest expected gain: all of it is coverage for a model that finds nothing, a quarter where it finds
half, a sixteenth where it finds three quarters. So coverage leads while labels are few, and gain later.
"""

from __future__ import annotations

from dataengine.mine.basket import Basket
from dataengine.mine.chances import share_found
from dataengine.mine.diversity.coverage import fill_coverage
from dataengine.mine.expected_gain import EXPECTED_GAIN, fill_expected_gain
from dataengine.mine.strategy import Arm, Task


def fill_auto(task: Task, basket: Basket) -> None:
    """Expected gain first, then coverage given that; the ranks alternate between the two."""
    explored = (1 - share_found(task.candidates)) ** 2
    begin = len(basket.picks)
    fill_expected_gain(task, basket, wanted=round((1 - explored) * basket.room))
    middle = len(basket.picks)
    fill_coverage(task, basket)
    basket.interleave(begin, middle)


AUTO = Arm(
    name="auto",
    summary="expected gain, and as much exploring as the model overlooks",
    fill=fill_auto,
    needs=EXPECTED_GAIN.needs,
    source="own",
)

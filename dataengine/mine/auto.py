"""The default: expected gain, and as much exploring as the model overlooks.

What a model does not find, it cannot ask for. Of the batch, half of the share of known objects that it
overlooks on val goes to frames unlike anything labelled (k-centre); the rest goes to the frames of the highest
expected gain. With few labels that is coverage for the most part, and with a good model hardly any of it.
"""

from __future__ import annotations

from dataengine.mine.basket import Basket
from dataengine.mine.chances import share_found
from dataengine.mine.diversity.coverage import fill_coverage
from dataengine.mine.expected_gain import EXPECTED_GAIN, fill_expected_gain
from dataengine.mine.strategy import Arm, Task

EXPLORED = 0.5
"""Share of the batch that a model which finds nothing spends on exploring."""


def fill_auto(task: Task, basket: Basket) -> None:
    """Expected gain first, then coverage given that; the ranks alternate between the two."""
    explored = EXPLORED * (1 - share_found(task.candidates))
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

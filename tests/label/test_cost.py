"""The ledger."""

from __future__ import annotations

from dataengine.config import BudgetUnit, LabelConfig
from dataengine.frameboxes import FrameBoxes
from dataengine.label.cost import Cost, drawn, spent

CONFIG = LabelConfig(seconds_per_frame=5, seconds_per_box=10)
LABELS = FrameBoxes.build(
    ["a", "b", "c"], [2, 0, 2], [[0, 0, 9, 9]] * 4, [0] * 4, ignore=[False, False, False, True]
)


def test_costs_add_up_on_every_axis() -> None:
    total = Cost.of(2, 3, CONFIG) + Cost.of(1, 0, CONFIG) + Cost()
    assert total == Cost(frames=3, boxes=3, seconds=45.0)


def test_a_cost_survives_being_written_down() -> None:
    cost = Cost.of(2, 3, CONFIG)
    assert Cost(**cost.plain()) == cost  # type: ignore[arg-type]


def test_empty_frames_cost_their_opening_and_ignore_regions_nothing() -> None:
    assert drawn(LABELS).tolist() == [2, 0, 1]
    assert spent(LABELS, BudgetUnit.frames, CONFIG).tolist() == [1, 2, 3]
    assert spent(LABELS, BudgetUnit.boxes, CONFIG).tolist() == [2, 2, 3]
    assert spent(LABELS, BudgetUnit.seconds, CONFIG).tolist() == [25, 30, 45]

"""From the rows of ``metrics.jsonl`` to a forecast in words."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dataengine.forecast import line, next_frames, outlooks
from dataengine.forecast.priors import prior


def rows(
    *values: float, split: str = "val", part: str = "tail", metric: str = "ap50"
) -> list[dict[str, Any]]:
    head = {"split": split, "slice": part, "metric": metric}
    return [{**head, "cycle": c, "frames": 150 + 120 * c, "value": v} for c, v in enumerate(values)]


def test_the_next_budget_comes_from_the_settings() -> None:
    frames = {"mine": {"budget": {"unit": "frames", "amount": 120}}, "loop": {"batches": [100, 200]}}
    assert next_frames(frames, 1, 150, 150) == 250
    assert next_frames(frames, 2, 250, 100) == 450
    assert next_frames(frames, 3, 450, 200) == 570
    boxes = {"mine": {"budget": {"unit": "boxes", "amount": 9000}}, "loop": {}}
    assert next_frames(boxes, 2, 250, 100) == 350
    assert next_frames({}, 1, 150, 150) == 300


def test_forecasts_are_made_on_val_and_on_test_where_val_is_empty() -> None:
    both = [*rows(0.4, 0.5), *rows(0.3, 0.3, split="test")]
    (made,) = outlooks([both], arm="auto", next_cost=390, last_cycle=9)
    assert (made.split, made.now, made.name) == ("val", 0.5, "tail AP50")
    (made,) = outlooks([rows(0.3, 0.3, split="test")], arm="auto", next_cost=390, last_cycle=9)
    assert made.split == "test"
    (made,) = outlooks([[*rows(math.nan), *rows(0.3, split="test")]], arm="auto", next_cost=390, last_cycle=9)
    assert made.split == "test"


def test_cycles_that_are_not_there_yet_are_not_known() -> None:
    (made,) = outlooks([rows(0.4, 0.5, 0.9)], arm="auto", next_cost=390, last_cycle=1)
    assert made.now == 0.5
    assert outlooks([[]], arm="auto", next_cost=390, last_cycle=1) == []
    assert outlooks([], arm="auto", next_cost=390, last_cycle=1) == []


def test_several_seeds_are_averaged_with_less_noise() -> None:
    (made,) = outlooks([rows(0.4, 0.5), rows(0.5, 0.6, 0.7)], arm="random", next_cost=390, last_cycle=9)
    assert made.now == pytest.approx(0.55)
    assert made.noise == pytest.approx(prior("tail", "ap50").noise / math.sqrt(2))


def test_the_line_says_what_to_expect() -> None:
    made = outlooks([[*rows(0.4), *rows(0.5, part="all")]], arm="auto", next_cost=270, last_cycle=0)
    words = line(made, 120)
    assert words.startswith("auto: 120 more frames should bring tail AP50 0.40 to 0.5")
    assert ", AP50 0.50 to 0." in words
    assert words.endswith("on val, 90% intervals")
    assert line([], 120) == ""

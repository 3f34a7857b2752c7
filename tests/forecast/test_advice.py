"""Advice names the sign that it rests on, and is silent where nothing was measured."""

from __future__ import annotations

import math

import pytest

from dataengine.forecast import Forecast, Signs, advice

NAN = math.nan


def gain(upper: float, chance: float = 0.1) -> Forecast:
    return Forecast(
        value=0.5,
        lower=0.4,
        upper=0.6,
        gain=upper / 2,
        gain_lower=0.0,
        gain_upper=upper,
        chance_of_gain=chance,
    )


UNKNOWN = Forecast(
    value=NAN, lower=NAN, upper=NAN, gain=NAN, gain_lower=NAN, gain_upper=NAN, chance_of_gain=NAN
)


def test_nothing_measured_nothing_said() -> None:
    assert advice({}, Signs()) == []
    assert advice({"tail AP50": (UNKNOWN, 0.05)}, Signs()) == []


def test_labelling_stops_paying_only_where_no_figure_can_rise_beyond_noise() -> None:
    (found,) = advice({"tail AP50": (gain(0.02), 0.05), "AP50": (gain(0.01), 0.03)}, Signs())
    assert found.kind == "stop"
    assert "tail AP50 by 0.02 at most, with 0.05 of noise" in found.words
    (found,) = advice({"tail AP50": (gain(0.06), 0.05), "AP50": (gain(0.01), 0.03)}, Signs())
    assert found.kind == "labels"
    assert "no safe buy" in found.words
    (found,) = advice({"tail AP50": (gain(0.2, 0.8), 0.05)}, Signs())
    assert "tail AP50 rises by more than noise with a chance of 80%" in found.words


@pytest.mark.parametrize(
    ("signs", "kinds", "figure"),
    [
        (Signs(loss_fall=0.12), ["steps"], "12%"),
        (Signs(loss_fall=0.05), [], ""),
        (Signs(labelled_ap=0.6, val_ap=0.55), ["model"], "0.60 on the labelled frames and 0.55 on val"),
        (Signs(labelled_ap=0.95, val_ap=0.93), [], ""),
        (Signs(labelled_ap=0.95, val_ap=0.6), ["labels"], "0.95"),
        (Signs(labelled_ap=0.75, val_ap=0.6), [], ""),
        (Signs(labelled_ap=0.95), [], ""),
        (
            Signs(nearest=0.02, first_nearest=0.05),
            ["drives"],
            "0.020 from the nearest labelled frame where the",
        ),
        (Signs(nearest=0.05, first_nearest=0.05), [], ""),
        (
            Signs(rare_left={"cone": (10, 40), "cyclist": (90, 40)}),
            ["drives"],
            "cone (10 predicted boxes left, 40",
        ),
        (Signs(rare_left={"cone": (30, 40)}), [], ""),
        (Signs(rare_left={"cone": (0, 0)}), [], ""),
    ],
)
def test_each_sign_has_its_advice(signs: Signs, kinds: list[str], figure: str) -> None:
    found = advice({}, signs)
    assert [piece.kind for piece in found] == kinds
    assert all(figure in piece.words for piece in found)

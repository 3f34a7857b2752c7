"""The main arm against every other one."""

from __future__ import annotations

import pytest

from tests.compare.fleet import cells_table, compared, curves, row, rows

CURVES = curves(
    random=[[0.2, 0.3], [0.4, 0.5]],
    random_2=[[0.2, 0.3], [0.4, 0.5]],
    auto=[[0.2, 0.5], [0.4, 0.7]],
    peer=[[0.2, 0.6], [0.4, 0.7]],
    oracle=[[0.2, 0.5], [0.4, 0.9]],
)


def test_the_first_arm_is_told_against_all_but_the_baseline() -> None:
    found = compared(cells_table(CURVES), loop_cycles=2)
    assert {(r["arm"], r["other"]) for r in rows(found, "rivals")} == {("auto", "peer"), ("auto", "oracle")}
    peer = row(found, "rivals", other="peer", cycle=1)
    assert (peer["value"], peer["num_seeds"]) == (pytest.approx(-0.05), 2)
    area = row(found, "rivals", other="peer", metric="ap50:area_seconds")
    assert area["value"] == pytest.approx(-0.025)  # from a shared start, straight
    assert not rows(found, "rivals", cycle=0)


def test_the_strongest_that_could_be_had_is_in_the_notes() -> None:
    (note,) = (n for n in compared(cells_table(CURVES), loop_cycles=2).notes if "strongest" in n)
    assert note.startswith(
        "The strongest of the other arms is peer: auto minus it is -0.025 tail AP50 on the test"
    )


def test_an_arm_alone_has_no_rivals() -> None:
    alone = {key: value for key, value in CURVES.items() if key[1] in ("random", "random@2", "auto")}
    assert not rows(compared(cells_table(alone), loop_cycles=2), "rivals")


def test_without_an_arm_there_is_nothing_to_tell() -> None:
    only = {key: value for key, value in CURVES.items() if key[1].startswith("random")}
    assert not rows(compared(cells_table(only), loop_cycles=2), "rivals")

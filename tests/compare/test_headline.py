"""The sentence: three outcomes, five seeds for a claim, and a loss as loud as a win."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pytest

from dataengine.compare import export
from dataengine.schema import Taxonomy
from tests.compare.fleet import cells_table, compared, curves

BASE = [0.2, 0.3, 0.4]


def fleet(gain: float, seeds: int = 5, noise: float = 0.004, **changes: object):
    """Every seed gains nearly the same; two draws of random differ by ``noise``."""
    random = [[value + 0.05 * seed for value in BASE] for seed in range(seeds)]
    again = [[a, b + noise * (-1) ** seed, c] for seed, (a, b, c) in enumerate(random)]
    auto = [[a, b + gain, c + gain + 0.002 * seed] for seed, (a, b, c) in enumerate(random)]
    cells = cells_table(curves(random=random, random_2=again, auto=auto))
    return compared(cells, seeds=list(range(seeds)), **changes)


def test_a_win_is_told_as_a_saving() -> None:
    """The mean curve is .3 .5 .604 against random's final .5: there after 200 of 300 frames."""
    found = fleet(0.1).headline
    assert found.startswith("auto saved 33% of the annotator seconds (95% interval 33% to 3")
    assert found.endswith("at random's final tail AP50 on the test, 5 seeds.")


def test_a_loss_is_as_loud_as_a_win() -> None:
    found = fleet(-0.1).headline
    assert found.startswith("random won: auto lost 0.07")
    assert "and did not reach random's final level, 5 seeds." in found


def test_a_loss_that_gets_there_in_the_end_says_what_it_cost() -> None:
    random = [[0.2, 0.4, 0.4 + 0.001 * n] for n in range(5)]
    auto = [[0.2, 0.2, 0.3, 0.41 + 0.001 * n] for n in range(5)]
    found = compared(cells_table(curves(random=random, random_2=random, auto=auto)))
    assert found.headline.startswith("random won: auto lost 0.1")
    assert "and took 30% more annotator seconds to random's final level, 5 seeds." in found.headline


def test_nothing_beyond_the_noise_floor() -> None:
    found = fleet(0.004, noise=0.02).headline
    assert found.startswith("No difference beyond the noise floor between auto and random: +0.00")
    assert found.endswith("averaged over the annotator seconds spent, 5 seeds.")


def test_a_gain_within_the_noise_floor_is_none_though_its_interval_excludes_zero() -> None:
    assert fleet(0.02, noise=0.001).headline.startswith("auto saved")
    assert fleet(0.02, noise=0.1).headline.startswith("No difference")


def test_a_win_that_does_not_reach_the_longer_baseline() -> None:
    random = [[0.2, 0.3, 0.4, 0.9 + 0.001 * n] for n in range(5)]
    auto = [[0.2, 0.4, 0.5 + 0.001 * n] for n in range(5)]
    found = compared(cells_table(curves(random=random, random_2=random, auto=auto))).headline
    assert found.startswith("auto beat random by 0.07")
    assert found.endswith("but did not reach random's final level with what it spent, 5 seeds.")


@pytest.mark.parametrize(
    ("seeds", "opening"),
    [
        (1, "1 seed: too few seeds to claim anything. As measured, "),
        (2, "2 seeds: too few seeds to claim anything. As measured, "),
        (3, "The evidence suggests, and does not show (3 seeds), that auto saved"),
        (4, "The evidence suggests, and does not show (4 seeds), that auto saved"),
        (5, "auto saved"),
        (6, "auto saved"),
    ],
)
def test_seeds_make_the_claim(seeds: int, opening: str) -> None:
    assert fleet(0.1, seeds).headline.startswith(opening)


def test_few_seeds_that_show_nothing() -> None:
    assert "(3 seeds), that there is no difference beyond" in fleet(0.0, 3, noise=0.1).headline


def test_without_a_noise_floor_there_is_no_claim() -> None:
    values = curves(random=[BASE] * 5, auto=[[0.2, 0.4, 0.5 + 0.001 * n] for n in range(5)])
    found = compared(cells_table(values)).headline
    assert found.startswith("The evidence suggests, and does not show (5 seeds, no noise floor), that auto")


def test_the_natural_test_is_read_and_named_where_there_are_two() -> None:
    good = curves(
        random=[BASE] * 5, random_2=[BASE] * 5, auto=[[0.2, 0.4, 0.5 + 0.001 * n] for n in range(5)]
    )
    poor = {key: 0.6 - value for key, value in good.items()}
    for natural, balanced, opening in ((good, poor, "auto saved"), (poor, good, "random won")):
        cells = [cells_table(natural), cells_table(balanced, split="test_balanced")]
        found = compared(pa.concat_tables(cells))
        assert found.headline.startswith(opening)
        assert "on the natural test" in found.headline
        assert any("on the balanced test" in note for note in found.notes)


def test_without_a_tail_all_classes_are_read() -> None:
    values = curves(
        random=[BASE] * 5, random_2=[BASE] * 5, auto=[[0.2, 0.4, 0.5 + 0.001 * n] for n in range(5)]
    )
    found = compared(cells_table(values, slice_name="all"), taxonomy=Taxonomy(classes=("car",)))
    assert "at random's final AP50 on the test" in found.headline


def test_a_tail_without_objects_is_not_read() -> None:
    values = curves(random=[BASE] * 5, auto=[BASE] * 5)
    unknown = dict.fromkeys(values, math.nan)
    found = compared(pa.concat_tables([cells_table(unknown), cells_table(values, slice_name="all")]))
    assert " AP50 on the test" in found.headline
    assert "tail" not in found.headline


def test_no_cells_at_all() -> None:
    assert compared(cells_table({})).headline.endswith("there is no arm to judge.")


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (curves(random=[[0.2]], auto=[[0.2]]), "there is no arm to judge."),  # the seed set alone
        (curves(random=[BASE], oracle=[BASE], random_2=[BASE]), "there is no arm to judge."),
        (curves(auto=[BASE]), "No seed has curves of both auto and random yet"),
        (curves(random=[[math.nan] * 3], auto=[[math.nan] * 3]), "No seed has curves of both auto"),
        (curves(random=[[0.0] * 3] * 5, random_2=[[0.0] * 3] * 5, auto=[[0.0] * 3] * 5), "No difference"),
        (curves(random=[BASE] * 5, random_2=[BASE] * 5, auto=[BASE] * 5), "No difference"),
    ],
)
def test_comparisons_of_which_little_can_be_said(
    cells: dict[tuple[str, str, int], float], said: str, tmp_path: Path
) -> None:
    found = compared(cells_table(cells))
    assert said in found.headline
    assert export.write(found, tmp_path)


def test_batches_that_cost_nothing_have_no_area() -> None:
    cells = cells_table(curves(random=[BASE] * 5, auto=[BASE] * 5), frames=(100.0, 100.0, 100.0))
    assert "No seed has curves" in compared(cells).headline

"""The page of a comparison: what stands on it, whatever the comparison holds."""

from __future__ import annotations

import math
import re
import time
from pathlib import Path

import pyarrow as pa
import pytest

from dataengine import forecast
from dataengine.compare import statistics
from dataengine.compare.tables import PICKS, REPLICATES, SCHEMAS, Comparison
from dataengine.config import Config
from dataengine.report.comparison import build
from dataengine.report.comparison.page import CONTENTS, render
from dataengine.report.comparison.view import View
from dataengine.schema import Taxonomy
from tests.report.comparison.comparisons import ARMS, CLASSES, HEADLINE, TAIL, comparison
from tests.report.pages import Page

NAN = math.nan


def read(made: Comparison) -> Page:
    html = render(made)
    page = Page(html)
    assert page.open_tags == []
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert not re.search(r"\bnan\b|\bNone\b|>inf", page.words)
    assert not re.search(r'="[^"]*\bnan\b[^"]*"', html)
    return page


@pytest.fixture(scope="module")
def html() -> str:
    return render(comparison((*ARMS, "all_labels")))


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_first_sentence_is_the_headline_and_notes_follow(html: str) -> None:
    found = re.search(r"<h1>(.*?)</h1>.*?<ul class=\"notes\"><li>(.*?)</li>", html)
    assert found is not None
    assert found[1].replace("&#x27;", "'") == HEADLINE
    assert found[2] == "Seed 3 of uncertainty is missing."


def test_many_notes_are_folded_and_none_is_lost() -> None:
    notes = tuple(f"Note number {number}." for number in range(30))
    page = read(comparison(("random", "auto"), notes=notes, headline="Long. " * 40))
    assert "22 more notes" in page.words
    assert all(note in page.words for note in notes)
    assert page.all("h1") == [{"class": "long"}]


def test_differences_of_zero_are_differences() -> None:
    made = comparison(("random", "auto"))
    table = made.tables["differences"]
    for name in ("value", "lower", "upper", "noise"):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(name), pa.array([0.0] * table.num_rows))
    words = read(comparison(("random", "auto"), tables={**made.tables, "differences": table})).words
    assert "no paired difference was measured" not in words
    assert "floor is not known" not in words
    assert "differ is not known" not in words


def test_the_main_arm_stands_against_each_other_one() -> None:
    words = read(comparison(("random", "random@2", "auto", "uncertainty", "oracle"))).words
    assert "auto minus each other arm" in words
    assert "auto minus each other arm" not in read(comparison(("random", "random@2", "auto"))).words


def test_the_trainer_is_told_from_the_miner() -> None:
    arms = ("random", "random@2", "auto", "random+plain", "auto+plain", "auto+pseudo")
    words = read(comparison(arms)).words
    assert "the natural test the two together gain +0.20 AP50 of the tail: favouring rare classes" in words
    assert "in training alone +0.10, auto alone +0.10." in words
    assert "pseudo-labels alone" not in words  # random+pseudo was not run
    assert "How much of a gain is the trainer's was not measured" not in words


def test_a_trainer_that_was_not_set_apart_is_said_to_be_so() -> None:
    words = read(comparison(("random", "auto"))).words
    assert "How much of a gain is the trainer's was not measured. random+plain and, say, auto+plain" in words


def test_every_section_is_there_and_linked(page: Page) -> None:
    anchors = [anchor for anchor, _ in CONTENTS]
    assert [link["href"] for link in page.all("a")] == [f"#{anchor}" for anchor in anchors]
    assert set(anchors) <= page.ids()


def test_nothing_is_loaded_from_elsewhere(html: str, page: Page) -> None:
    loaded = re.findall(r"""(?:src|href|srcset|data|action)\s*=\s*["']([^"']*)""", html)
    assert all(address.startswith(("data:", "#")) for address in loaded)
    assert not re.search(r"url\(|@import|<(?:iframe|object|embed|base)\b|fetch\(", html)


def test_figures_and_tables_can_be_read_aloud(page: Page) -> None:
    charts = [figure for figure in page.all("svg") if figure.get("class") == "chart"]
    assert len(charts) > 30
    assert all(figure["role"] == "img" and figure["aria-label"] for figure in charts)
    assert all(header.get("scope") for header in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))


def test_each_line_is_named_at_its_end_and_each_cost_has_a_pane(page: Page) -> None:
    ends = [words for words in page.all("text") if (words.get("class") or "").startswith("end ")]
    assert len(ends) == 7 * 3 * 3 * 2 + 7  # arms x costs x figures x splits, and the headline's figure
    assert [radio["name"] for radio in page.all("input")] == ["axis-0-0"] * 3 + ["axis-1-0"] * 3
    assert sum(1 for radio in page.all("input") if "checked" in radio) == 2


def test_the_noise_floor_and_the_ceiling_are_drawn(page: Page) -> None:
    floors = [line for line in page.all("polyline") if (line.get("class") or "").startswith("floor")]
    assert len(floors) == 2 * (3 * 3 * 2 + 1)
    assert [line for line in page.all("line") if line.get("class") == "ceiling"]
    assert [ground for ground in page.all("rect") if ground.get("class") == "noise"]


def test_losses_are_as_visible_as_wins(page: Page) -> None:
    marks = [mark.get("class") for mark in page.all("polygon")]
    assert marks.count("dot gain") > 5
    assert marks.count("dot loss") > 5
    assert "worse" in page.words
    assert "better" in page.words
    assert "the interval holds zero" in page.words


def test_savings_say_not_reached_in_words(page: Page) -> None:
    assert "not reached, reached in 20% of the trials" in page.words
    assert re.search(r"auto AP50 of the tail at random's last cycle 0\.56 4\d% \(2\d% to \d\d%\)", page.words)


def test_forecasts_tell_their_coverage(page: Page) -> None:
    found = re.search(r"held the outcome in (\d+) of (\d+), (\d+)%; aim 80–97%", page.words)
    assert found is not None
    assert int(found[3]) == round(100 * int(found[1]) / int(found[2]))


def test_the_command_names_the_arms(page: Page) -> None:
    assert "dataengine compare dataset=simulated" in page.words
    assert "compare.arms=[random@2,auto,class_balanced" in page.words
    assert "Expected on two cores: 95.0 min." in page.words


def test_shared_cycle_0_is_counted_once_for_each_trial() -> None:
    made = comparison(("random", "auto"), 2)
    page = read(made)
    # 2 trials x (1 shared cycle 0 + 2 arms x 2 cycles) x 60 s
    assert "train 10.0 min" in page.words


@pytest.mark.parametrize("name", sorted(set(SCHEMAS) - {"replicates", "picks"}))
def test_a_missing_table_leaves_the_rest(name: str) -> None:
    page = read(comparison(without=(name,)))
    assert HEADLINE in page.words


def test_nothing_but_a_headline() -> None:
    page = read(comparison(without=tuple(SCHEMAS)))
    for words in ("No curve was measured", "No paired difference was measured", "No forecast has an outcome"):
        assert words in page.words


def test_arms_of_one_panel_never_share_a_colour() -> None:
    names = ("random", "auto", "all_labels", "b", "c", "d", "e", "oracle", "f", "g")
    for group in View(comparison(names)).groups:
        slots = [arm.slot for arm in group]
        assert len(slots) == len(set(slots))
        assert group[0].slot == 0


def test_one_arm() -> None:
    assert "There is one arm, so nothing to compare it with." in read(comparison(("random",))).words


def test_one_seed_has_no_interval_and_makes_no_claim() -> None:
    page = read(comparison(("random", "auto"), 1, without=("savings", "shares")))
    assert "no interval, so no claim" in page.words
    assert not [mark for mark in page.all("polygon") if mark.get("class") in ("dot gain", "dot loss")]
    table = page.words.partition("Paired differences on test")[2].partition("Labels saved")[0]
    assert "better" not in re.sub(
        r"random better · arm better|arm better · random better|less is better", "", table
    )


def test_twenty_arms_are_drawn_in_groups_that_can_be_told_apart() -> None:
    page = read(comparison(("random", *(f"miner_number_{n}" for n in range(20)))))
    assert page.words.count("The other arms: ") == 3 * 2
    assert "miner_number_19" in page.words


def test_every_number_may_be_missing() -> None:
    made = comparison(("random", "auto", "oracle"))
    tables = {}
    for name, table in made.tables.items():
        columns = [
            pa.array([NAN] * table.num_rows, field.type)
            if pa.types.is_floating(field.type)
            else table[field.name]
            for field in table.schema
        ]
        tables[name] = pa.Table.from_arrays(columns, schema=table.schema)
    read(comparison(tables=tables))
    nulls = {
        name: pa.Table.from_arrays(
            [
                pa.nulls(table.num_rows, field.type)
                if pa.types.is_floating(field.type)
                else table[field.name]
                for field in table.schema
            ],
            schema=table.schema,
        )
        for name, table in made.tables.items()
    }
    read(comparison(tables=nulls))


def test_everything_from_outside_is_escaped() -> None:
    bad = "<script>alert(1)</script>"
    made = comparison(
        ("random", f"a{bad}"),
        name=bad,
        headline=f"{bad} won",
        notes=(bad,),
        classes=(bad, "a&b"),
        tail=(bad,),
        settings={"dataset": {"name": bad}, "workspace": bad},
    )
    html = render(made)
    assert html.count("<script>") == 1
    assert Page(html).open_tags == []


def test_same_comparison_same_bytes(tmp_path: Path, html: str) -> None:
    path = build(comparison((*ARMS, "all_labels")), tmp_path / "deep" / "page.html")
    assert path.read_text(encoding="utf-8") == html


def test_a_large_comparison_is_small_and_quick(tmp_path: Path) -> None:
    made = comparison(("random", "oracle", *(f"miner_{n}" for n in range(18))), 10)
    began = time.process_time()
    path = build(made, tmp_path / "page.html")
    assert time.process_time() - began < 5.0
    assert path.stat().st_size < 4_000_000


def test_fewer_misses_are_a_gain() -> None:
    page = read(comparison(("random", "auto", "uncertainty"), without=("savings", "shares", "forecasts")))
    spoken = [chart["aria-label"] or "" for chart in page.all("svg") if chart.get("class") == "chart"]
    misses = next(words for words in spoken if words.startswith("Misses a frame"))
    assert re.search(r"auto −0\.\d\d .*uncertainty \+0\.0\d", misses)
    table = page.words.partition("Paired differences on test")[2]
    assert re.search(r"auto Misses a frame, at the last cycle −0\.\d+ \S+ to \S+ \S+ 0\.018 better", table)


def test_what_the_statistics_make_of_cells_has_a_page() -> None:
    """No table of its own: curves, differences, savings and shares are those of ``compare.statistics``."""
    cells = comparison((*ARMS, "all_labels")).tables["cells"]
    config = Config()
    config.compare.resamples = 200
    made = statistics.analyse(
        cells,
        REPLICATES.empty_table(),
        PICKS.empty_table(),
        config=config,
        taxonomy=Taxonomy(classes=CLASSES, tail_classes=TAIL),
        forecasts=forecast.backtest(cells),
    )
    page = read(made)
    assert made.headline in page.words
    assert "What the arms bought was not measured." in page.words
    assert re.search(r"held the outcome in \d+ of \d+, \d+%; aim 80–97%", page.words)
    assert [mark for mark in page.all("polygon") if mark.get("class") == "dot loss"]

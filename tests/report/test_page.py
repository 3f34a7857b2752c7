"""The whole page: what is on it, that it is sound, and that it needs nothing else."""

from __future__ import annotations

import re
import time
from pathlib import Path

from dataengine import report
from dataengine.report.page import CONTENTS
from dataengine.workspace import Workspace
from tests.factory import tiny_workspace
from tests.report.pages import Page
from tests.report.synthetic import synthetic_workspace

MAX_BYTES = 4_000_000


def test_every_section_is_there_and_linked(page: Page) -> None:
    assert {anchor for anchor, _ in CONTENTS} <= page.ids()
    links = [link["href"] for link in page.all("a")]
    assert links == [f"#{anchor}" for anchor, _ in CONTENTS]


def test_first_sentence_says_that_one_seed_proves_nothing(page: Page, html: str) -> None:
    heading = re.search(r"<h1>(.*?)</h1>", html)
    assert heading is not None
    assert heading[1].startswith(
        "One seed proves nothing; in this one, with 360 labelled frames class_balanced"
    )
    assert "on the natural test" in heading[1]
    assert not re.search(r"\b(beats?|wins?|winner is|better than|outperforms?)\b", page.words)


def test_tags_are_balanced(page: Page) -> None:
    assert page.open_tags == []


def test_ids_are_unique(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))


def test_nothing_is_loaded_from_elsewhere(html: str, page: Page) -> None:
    loaded = re.findall(r"""(?:src|href|srcset|poster|data|action)\s*=\s*["']([^"']*)""", html)
    assert loaded
    assert all(address.startswith(("data:", "#")) for address in loaded)
    assert not re.search(r"url\(|@import|<(?:iframe|object|embed|base)\b|fetch\(|XMLHttpRequest", html)
    assert {sheet["rel"] for sheet in page.all("link")} == {"icon"}


def test_pictures_figures_and_tables_can_be_read_aloud(page: Page) -> None:
    assert len(page.all("img")) > 40
    assert all(image.get("alt") for image in page.all("img"))
    charts = [figure for figure in page.all("svg") if figure.get("class") == "chart"]
    assert len(charts) > 20
    assert all(figure["role"] == "img" and figure["aria-label"] for figure in charts)
    assert all(header.get("scope") for header in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))


def test_pictures_hold_boxes_and_reasons(page: Page) -> None:
    classes = [box["class"] for box in page.all("rect") if (box.get("class") or "").startswith("box ")]
    assert {"box plain", "box rare", "box mistake"} == set(classes)
    assert "#1 predicted cyclist, number 0 of 41" in page.words
    assert "120 frames bought by class:cyclist." in page.words
    assert "120 frames bought. Drawn at random." in page.words
    assert "missed" in page.words
    assert "false alarm" in page.words


def test_settings_digests_and_the_quarantine_are_listed(page: Page) -> None:
    assert "5 input files not used" in page.words
    assert "not a video: <moov> is missing" in page.words
    assert "0b0b0b0b0b0b" in page.words
    assert "torch 2.7.1" in page.words
    assert "train.repeat_threshold" in page.words


def test_next_steps_name_commands_views_and_the_tag(page: Page, finished: Workspace) -> None:
    assert f"dataengine app workspace={finished.root}" in page.words
    assert "mined in cycle 2 (class_balanced)" in page.words
    assert "worst misses on val (class_balanced)" in page.words
    assert "reject" in page.words


def test_a_slice_without_objects_says_so(page: Page) -> None:
    assert "no objects" in page.words
    assert "nan" not in page.words.lower().replace("dominant", "")


def test_drives_have_no_column_for_what_was_not_measured(html: str) -> None:
    table = html.partition("Drives on test<")[2].partition("</table>")[0]
    assert "AP50" in table
    assert "mAP50-95" not in table
    assert "no objects" not in table


def test_same_inputs_give_the_same_bytes(finished: Workspace, html: str) -> None:
    assert report.build(finished).read_text(encoding="utf-8") == html
    assert report.build(Workspace.open(finished.root), finished.runs()).read_text(encoding="utf-8") == html


def test_everything_from_outside_is_escaped(tmp_path: Path) -> None:
    names = ("<b>car</b>", "a&b", '"quoted"', "</style>", "<script>alert(1)</script>")
    workspace = synthetic_workspace(
        tmp_path / "w", classes=names, clips={"pool": 6, "val": 2, "test": 4}, batch=9
    )
    html = report.build(workspace).read_text(encoding="utf-8")
    assert not any(name in html.replace("&lt;/style&gt;", "") for name in (names[0], names[4]))
    assert html.count("</style>") == 1
    assert html.count("<script>") == 1
    page = Page(html)
    assert page.open_tags == []
    assert all(name in page.words for name in names)


def test_reasons_are_escaped(tmp_path: Path) -> None:
    html = report.build(tiny_workspace(tmp_path / "tiny")).read_text(encoding="utf-8")
    assert "&lt;in random&gt;" in html
    assert "<in random>" not in html


def test_a_demo_sized_page_is_small_and_quick(tmp_path: Path) -> None:
    clips = {"pool": 300, "val": 50, "test": 150, "test_balanced": 50}
    workspace = synthetic_workspace(tmp_path / "big", clips=clips)
    assert workspace.frames().num_rows == 5500
    began = time.process_time()
    path = report.build(workspace)
    assert time.process_time() - began < 3.0
    assert path.stat().st_size < MAX_BYTES

"""The small parts: escaping, numbers, ticks, markers, thumbnails, commands."""

from __future__ import annotations

import base64
import math
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest

from dataengine.report import svg
from dataengine.report.data import flatten, gather
from dataengine.report.html import Markup, el, text
from dataengine.report.numbers import (
    Estimate,
    cell,
    count,
    duration,
    interval,
    plural,
    score,
    signed,
    tally,
    time_unit,
)
from dataengine.report.reproduce import command
from dataengine.report.tables import Column, capped, table
from dataengine.report.thumbnails import LONG_SIDE, data_uri
from dataengine.report.training import total_losses
from dataengine.workspace import Workspace

NAN = math.nan


def test_elements_escape_text_and_attributes_but_not_markup() -> None:
    made = el("p", "a<b", Markup("<b>c</b>"), ["d", 1, None], title='"&', hidden=True, class_=None)
    assert made == '<p title="&quot;&amp;" hidden>a&lt;b<b>c</b>d1</p>'
    assert text("<") == "&lt;"
    assert el("img", alt="") == '<img alt="">'


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (score(0.614), "0.61"),
        (score(NAN), "no objects"),
        (signed(0.094), "+0.09"),
        (signed(-0.094), "−0.09"),
        (signed(-0.001), "±0.00"),
        (signed(NAN), "–"),
        (count(12345), "12\u202f345"),
        (count(NAN), "–"),
        (interval(Estimate(0.6, 0.5, 0.7)), "0.50–0.70"),
        (interval(Estimate(0.6)), ""),
        (cell(Estimate(NAN)), '<span class="none">no objects</span>'),
        (cell(Estimate(0.6)), "0.60"),
        (duration(0.038), "0.04 s"),
        (duration(3.25), "3.2 s"),
        (duration(45), "45 s"),
        (duration(750), "12.5 min"),
        (duration(17_640), "4.9 h"),
        (duration(NAN), "–"),
        (plural(1, "box"), "1 box"),
        (plural(2, "box"), "2 boxes"),
        (plural(0, "frame"), "0 frames"),
        (tally(["car", "cone", "car"]), "2 car, 1 cone"),
        (tally([]), ""),
    ],
)
def test_numbers_as_people_read_them(made: str, wanted: str) -> None:
    assert made == wanted


def test_time_axis_takes_the_unit_that_fits() -> None:
    assert time_unit(20_000) == (3600.0, "hours")
    assert time_unit(2_000) == (60.0, "minutes")
    assert time_unit(20) == (1.0, "seconds")


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.31, 0.58, [0.35, 0.4, 0.45, 0.5, 0.55]),
        (105, 375, [150, 200, 250, 300, 350]),
        (2.0, 2.0, [2.0]),
    ],
)
def test_ticks_are_round_and_inside(low: float, high: float, wanted: list[float]) -> None:
    assert svg.ticks(low, high) == pytest.approx(wanted)


def test_every_arm_has_a_marker_of_its_own() -> None:
    shapes = {svg.marker(0, 0, slot).replace(f"s{slot}", "") for slot in range(svg.NUM_SLOTS)}
    assert len(shapes) == svg.NUM_SLOTS
    assert len(set(svg.DASHES)) == svg.NUM_SLOTS


def test_a_single_value_still_has_a_scale() -> None:
    frame = svg.panel([5.0], [0.4], limits=(0.0, 1.0))
    assert frame.x.low < 5.0 < frame.x.high
    assert 0.0 <= frame.y.low < 0.4 < frame.y.high <= 1.0


def test_tables_have_header_cells_and_groups() -> None:
    made = table("Caption", [Column("A"), Column("b", "G"), Column("c", "G")], [["x", "<", 2]])
    assert '<th scope="colgroup" colspan="2" class="group">G</th>' in made
    assert '<th scope="row">x</th><td>&lt;</td><td>2</td>' in made
    assert 'aria-label="Caption"' in made


def test_long_lists_are_cut_with_a_count() -> None:
    assert capped([1, 2], 2, "rows") == ([1, 2], "")
    kept, line = capped([1, 2, 3], 1, "rows")
    assert kept == [1]
    assert line.startswith("2 more rows are left out")


def test_thumbnails_are_small_jpegs(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    cv2.imwrite(str(path), np.full((600, 900, 3), 128, np.uint8))
    address = data_uri(path)
    assert address is not None
    head, _, data = address.partition(",")
    assert head == "data:image/jpeg;base64"
    image = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (round(LONG_SIDE * 2 / 3), LONG_SIDE, 3)


@pytest.mark.parametrize("content", [None, b"", b"\xff\xd8 cut short"])
def test_an_unreadable_image_has_no_thumbnail(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.jpg"
    if content is not None:
        path.write_bytes(content)
    assert data_uri(path) is None


def test_losses_are_a_total_or_the_sum_of_their_terms() -> None:
    assert total_losses([{"step": 3, "loss": 2.0, "box": 1.0, "images_per_s": 90}]) == [(3.0, 2.0)]
    assert total_losses([{"step": 3, "heat": 2.0, "box": 1.0, "images_per_s": 90}]) == [(3.0, 3.0)]


def test_settings_are_flattened_in_order() -> None:
    assert flatten({"a": {"b": 1, "c": {}}, "d": None}) == {"a.b": 1, "a.c": {}, "d": None}


def test_the_command_names_the_groups_and_what_differs(finished: Workspace) -> None:
    record = gather(finished).arms[1].runs[0]
    record.settings["train"]["steps"] = 77
    record.settings["ingest"]["fps"] = None
    words = shlex.split(command(gather(finished), record, cycles=5))
    assert words[:3] == ["dataengine", "cycle", f"workspace={finished.root}"]
    assert {"dataset=simulated", "mine=class_balanced", "seed=0"} <= set(words)
    assert {"train.steps=77", "ingest.fps=null", "loop.cycles=5"} <= set(words)
    assert not [word for word in words if word.startswith(("arm=", "hash=", "app.", "model.name="))]
    assert "-m" in shlex.split(command(gather(finished), record, seed="0,1"))

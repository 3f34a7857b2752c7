"""The README's table of datasets against the registry and the cards."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dataengine import cards, cli
from dataengine.adapters import base

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def rows() -> dict[str, str]:
    """Name -> what it was tested on, from the table of datasets."""
    table = README.partition("| dataset | what is read |")[2].partition("\n\n")[0]
    found = {}
    for line in table.splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        found |= dict.fromkeys(re.findall(r"`(\w+)`", cells[0]), cells[3])
    return found


def test_the_table_names_every_adapter_and_no_other() -> None:
    assert set(rows()) == set(base.names())


@pytest.mark.parametrize("name", base.names())
def test_what_an_adapter_was_tested_on_is_said_on_its_card(name: str) -> None:
    tested = cards.load(name).tested
    assert tested
    if "real" not in tested:
        assert "real" not in rows()[name] or name in ("voc", "coco", "yolo", "cvat", "fiftyone")


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_is_in_the_readme(verb: str) -> None:
    assert f"`{verb}`" in README

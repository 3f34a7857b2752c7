"""The page itself: the head, the table of contents, and the sections in reading order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataengine.report.curves import curves
from dataengine.report.data import Gathered
from dataengine.report.finding import finding, opening
from dataengine.report.html import Markup, el
from dataengine.report.mined import mined
from dataengine.report.mistakes import mistakes
from dataengine.report.next_steps import next_steps
from dataengine.report.outlook import outlook
from dataengine.report.reproduce import reproduce
from dataengine.report.slices import slices
from dataengine.report.summary import Comparison, compare
from dataengine.report.training import training

CONTENTS = (
    ("curves", "Budget curves"),
    ("slices", "Classes and slices"),
    ("mined", "What was mined"),
    ("mistakes", "Costliest mistakes"),
    ("confusion", "Kinds of mistakes"),
    ("training", "Training"),
    ("reproduce", "Settings and data"),
    ("outlook", "The next batch"),
    ("next", "What to do next"),
)

OPEN_WHEN_PRINTED = (
    "addEventListener('beforeprint',function(){document.querySelectorAll('details').forEach("
    "function(d){d.open=true})})"
)
"""Paper cannot be clicked; the style sheet does the same where a browser knows how."""


def render(gathered: Gathered) -> str:
    """The whole page as one HTML document that loads nothing."""
    comparison = compare(gathered)
    body = [_masthead(gathered), el("main", opening(gathered, comparison), _sections(gathered, comparison))]
    title = f"{gathered.workspace.root.name} · dataengine report"
    return document(title, finding(gathered, comparison), body)


def document(title: str, description: str, body: Any) -> str:
    """A whole page, its style sheet inside."""
    return "<!doctype html>\n" + el("html", _head(title, description), el("body", body), lang="en") + "\n"


def _head(title: str, description: str) -> Markup:
    style = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
    return el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="description", content=description),
        el("link", rel="icon", href="data:,"),
        el("title", title),
        el("style", Markup(style)),
        el("script", Markup(OPEN_WHEN_PRINTED)),
    )


def _masthead(gathered: Gathered) -> Markup:
    card = gathered.workspace.card
    return el("header", el("p", el("b", "dataengine"), " report"), el("p", card.title), class_="masthead")


def _sections(gathered: Gathered, comparison: Comparison | None) -> list[Markup]:
    if comparison is None:
        return [reproduce(gathered), next_steps(gathered, None)]
    return [
        contents(CONTENTS),
        curves(gathered, comparison),
        slices(gathered, comparison),
        mined(gathered),
        mistakes(gathered, comparison),
        training(gathered),
        reproduce(gathered),
        outlook(gathered, comparison),
        next_steps(gathered, comparison),
    ]


def contents(entries: Sequence[tuple[str, str]]) -> Markup:
    """Links to the sections: anchor and title of each."""
    links = [el("li", el("a", title, href=f"#{anchor}")) for anchor, title in entries]
    return el("nav", el("ol", links), class_="contents", aria_label="Contents")

"""The page itself: its opening, and its sections in their order."""

from __future__ import annotations

from dataengine.compare.tables import Comparison
from dataengine.report.comparison.bought import bought
from dataengine.report.comparison.curves import curves, hero
from dataengine.report.comparison.differences import differences
from dataengine.report.comparison.forecasts import forecasts
from dataengine.report.comparison.reproduce import reproduce
from dataengine.report.comparison.savings import savings
from dataengine.report.comparison.slices import slices
from dataengine.report.comparison.training import training
from dataengine.report.comparison.view import View
from dataengine.report.html import Markup, el, more
from dataengine.report.numbers import plural
from dataengine.report.page import contents, document

CONTENTS = (
    ("curves", "Budget curves"),
    ("differences", "Paired differences"),
    ("savings", "Labels saved"),
    ("training", "Mining and training"),
    ("slices", "Classes and slices"),
    ("bought", "What was bought"),
    ("forecasts", "Forecasts"),
    ("reproduce", "Settings and time"),
)

LONG = 130
"""A headline of more characters is set smaller."""

MAX_NOTES = 8


def render(comparison: Comparison) -> str:
    """The whole page as one HTML document that loads nothing."""
    view = View(comparison)
    sections = [
        contents(CONTENTS),
        curves(view),
        differences(view),
        savings(view),
        training(view),
        slices(view),
        bought(view),
        forecasts(view),
        reproduce(view),
    ]
    main = el("main", _opening(view), sections, class_="comparison")
    return document(f"{comparison.name} · dataengine compare", comparison.headline, [_masthead(view), main])


def _masthead(view: View) -> Markup:
    found = view.comparison
    about = f"{found.name}: {plural(len(view.arms), 'arm')}, {plural(len(found.trials), 'seed')}"
    return el("header", el("p", el("b", "dataengine"), " compare"), el("p", about), class_="masthead")


def _opening(view: View) -> Markup:
    """The sentence, what qualifies it, and its figure."""
    headline = view.comparison.headline
    heading = el("h1", headline, class_="long" if len(headline) > LONG else None)
    notes = [el("li", line) for line in view.comparison.notes]
    seen, rest = notes[:MAX_NOTES], notes[MAX_NOTES:]
    return Markup(
        el("div", heading, hero(view), class_="hero")
        + (el("ul", seen, class_="notes") if seen else "")
        + (more(f"{plural(len(rest), 'more note')}", el("ul", rest, class_="notes")) if rest else "")
    )

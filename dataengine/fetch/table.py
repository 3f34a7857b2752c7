"""The cards as a table for people."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from dataengine.cards import Card

_NARROW = 100
_HEADINGS = ("name", "what", "size", "licence", "needs", "tested on")


def table(cards: Sequence[Card], width: int | None = None) -> str:
    """The cards as aligned text, one below the other.

    Args:
        cards: In the order to show.
        width: Columns of the terminal, into which the cells are wrapped; ``None``: no cell is wrapped.
    """
    if width and width < _NARROW:
        return "\n".join(_stacked(card, width) for card in cards)
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD if width else None, pad_edge=False, show_edge=False)
    for heading in _HEADINGS:
        grid.add_column(heading, no_wrap=heading in {"name", "licence"})
    for card in cards:
        grid.add_row(*(Text(cell or "-") for cell in _cells(card)))
    console = Console(width=width or 10_000, color_system=None, legacy_windows=False)
    with console.capture() as captured:
        console.print(grid)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _stacked(card: Card, width: int) -> str:
    """One card below the other, for a terminal too narrow for six columns."""
    name, *cells = _cells(card)
    lines = [name]
    for heading, cell in zip(_HEADINGS[1:], cells, strict=True):
        lines += textwrap.wrap(
            cell or "-", width, initial_indent=f"  {heading:<11}", subsequent_indent=" " * 13
        )
    return "\n".join(lines) + "\n"


def _cells(card: Card) -> tuple[str, ...]:
    how = f"{card.needs}; download={card.name}" if card.downloads else card.needs
    return card.name, card.title, card.size, card.licence_kind, how, card.tested
